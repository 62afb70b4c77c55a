import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, gunzipSync } from 'node:zlib'
import { Unpackr } from 'msgpackr'
import { parsed } from './parsing'

/**
 * A second reader, written from FORMAT.md alone, with another MessagePack and zlib's gunzip. It knows whole files only. Where
 * the two disagree, page and code have come apart.
 */
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })

interface PlainReading {
  readonly headers: unknown[]
  readonly trailers: unknown[]
  readonly events: [seq: number, time: number, severity: number, message: string, facility: string][]
}

function readByThePage(file: Buffer): PlainReading {
  const plain = file[0] === 0x1f ? gunzipSync(file) : file
  const sync = Buffer.from(
    /^FLOG incident \d+\.\d+ sync=([0-9a-f]{32}) /.exec(plain.toString('latin1', 0, 96))![1]!,
    'hex',
  )
  const found: PlainReading = { headers: [], trailers: [], events: [] }
  for (let at = 96; at < plain.length; ) {
    const block = plain.subarray(at, at + 48 + plain.readUInt32LE(at + 20))
    expect(block.subarray(0, 16)).toEqual(sync)
    expect(block.readUInt32LE(44)).toBe(crc32(block.subarray(48), crc32(block.subarray(0, 44))))
    if (block[16] === 1) found.headers.push(unpackr.unpackMultiple(block.subarray(48))?.at(0))
    if (block[16] === 2) readRecords(block, found)
    if (block[16] === 3) found.trailers.push(unpackr.unpackMultiple(block.subarray(48))?.at(0))
    at += block.length
  }
  return found
}

function readRecords(block: Buffer, { events }: PlainReading): void {
  const before = events.length
  for (let at = 48; at < block.length; ) {
    const length = block.readUInt32LE(at)
    const bytes = block.subarray(at + 4, at + 4 + length)
    const [seq, time, severity, message, facility] = unpackr.unpack(bytes) as PlainReading['events'][0]
    expect([bytes.readDoubleBE(2), bytes.readDoubleBE(11), bytes[19]]).toEqual([seq, time, severity])
    events.push([seq, time, severity, message, facility])
    at += 4 + Math.ceil(length / 4) * 4
  }
  expect(block.readUInt32LE(24)).toBe(events.length - before)
  const seqs = events.slice(before).map(([seq]) => seq)
  expect([block.readDoubleLE(28), block.readDoubleLE(36)]).toEqual([Math.min(...seqs), Math.max(...seqs)])
}

const DIRECTORY = join(__dirname, '../../fixtures/incident/v1')
const WHOLE =
  /^(whole|open|several-members|empty-history|values|error|further|large|newer-minor).*\.(flog|gz)$/

test.each(readdirSync(DIRECTORY).filter((name) => WHOLE.test(name)))(
  '%s holds what a reader written from FORMAT.md finds in it',
  (name) => {
    const file = readFileSync(join(DIRECTORY, name))
    const byThePage = readByThePage(file)
    const { header, trailer, events } = parsed(file)
    expect(byThePage.headers).toEqual([plainCopy(header)])
    expect(byThePage.trailers).toEqual(trailer === undefined ? [] : [plainCopy(trailer)])
    const expected = events.map(({ seq, time, severity, message, facility }) => [
      seq,
      time,
      severity,
      message,
      facility,
    ])
    expect(byThePage.events).toEqual(expected)
  },
)

/** With the prototype of Object, which decoded maps lack. */
function plainCopy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
