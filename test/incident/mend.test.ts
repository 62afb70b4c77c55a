import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogEvent } from '../../src/event/event'
import { BLOCK_HEAD_BYTES, BlockType, readBlockHead } from '../../src/incident/layout'
import { MAGIC_BYTES } from '../../src/incident/magic'
import { mendPlainFile } from '../../src/incident/mend'
import { readIncidentFile } from '../../src/incident/reader'
import { RECORD_HEAD_BYTES, recordBytes, recordsOf } from '../../src/incident/records'
import { type Verification, verifyIncidentFile } from '../../src/incident/verify'
import { OPENED_AT, type SampleOptions, samplePlain, temporaryDirectory } from './samples'

const directory = temporaryDirectory()
const CLOSED_AT = OPENED_AT + 60_000_000

interface Mended extends Verification {
  readonly mended: boolean
  readonly bytes: Buffer
  readonly path: string
}

async function mend(plain: Uint8Array, name = 'some'): Promise<Mended> {
  const path = join(directory.path, `${name}.incident.flog`)
  writeFileSync(path, plain)
  const mended = await mendPlainFile(path, { closedAt: CLOSED_AT, reason: 'adopted' })
  return { mended, path, bytes: readFileSync(path), ...(await verifyIncidentFile(path)) }
}

/** Does it for each length, several at a time: what takes long is that each file is brought to the disk. */
async function forEachLength(
  from: number,
  to: number,
  action: (length: number) => Promise<void>,
): Promise<void> {
  let next = from
  const lane = async () => {
    while (next < to) await action(next++)
  }
  await Promise.all(Array.from({ length: 16 }, lane))
}

/** Where the blocks of a whole file begin, and its events end. */
function landmarks(plain: Buffer): { blocks: number[]; eventEnds: number[] } {
  const blocks: number[] = []
  const eventEnds: number[] = []
  for (let at = MAGIC_BYTES; at < plain.length; ) {
    const { type, length } = readBlockHead(plain, at)
    blocks.push(at)
    let end = at + BLOCK_HEAD_BYTES
    for (const record of type === BlockType.events ? recordsOf(plain.subarray(end, end + length)) : []) {
      eventEnds.push(end + RECORD_HEAD_BYTES + record.length)
      end += recordBytes(record.length)
    }
    at += BLOCK_HEAD_BYTES + length
  }
  return { blocks, eventEnds }
}

const small: SampleOptions = { history: 4, after: 3, further: [6], trailer: false }

test('a file cut anywhere behind its header becomes whole, with every event that was whole', async () => {
  const plain = samplePlain(small)
  const { blocks, eventEnds } = landmarks(plain)
  await forEachLength(blocks[1] ?? 0, plain.length + 1, async (length) => {
    const { mended, verdict, trailer } = await mend(plain.subarray(0, length), String(length))
    const events = eventEnds.filter((end) => end <= length).length
    expect({ length, mended, state: verdict.state, events: verdict.events }).toEqual({
      length,
      mended: true,
      state: 'whole',
      events,
    })
    const history = Math.min(events, 5)
    expect(trailer).toMatchObject({
      closedAt: CLOSED_AT,
      reason: 'adopted',
      events: { total: events, history, after: events - history },
      furtherTriggers: events >= 7 ? [{ seq: 6, kind: 'event', reason: 'event 6' }] : [],
    })
  })
})

test('what was whole is not touched', async () => {
  const plain = samplePlain(small)
  const { blocks } = landmarks(plain)
  for (const length of [plain.length, plain.length - 3]) {
    const whole = length === plain.length ? length : (blocks.at(-1) ?? 0)
    const { bytes } = await mend(plain.subarray(0, length))
    expect(bytes.subarray(0, whole).equals(plain.subarray(0, whole))).toBe(true)
  }
})

test('the events of a cut block are the ones that were written', async () => {
  const plain = samplePlain({ history: 50, after: 0, trailer: false })
  const { eventEnds } = landmarks(plain)
  const { path } = await mend(plain.subarray(0, (eventEnds[29] ?? 0) + 2))
  const events: LogEvent[] = []
  for await (const part of readIncidentFile(path)) {
    if (part.kind === 'events') events.push(...part.events.map(({ event }) => event))
  }
  expect(events.map(({ seq, message }) => [seq, message])).toEqual(
    Array.from({ length: 30 }, (_, seq) => [seq, `event ${seq}`]),
  )
})

test('a mending that was cut itself is mended again, at any byte', async () => {
  const plain = samplePlain(small)
  const { eventEnds } = landmarks(plain)
  const cut = (eventEnds[2] ?? 0) + 1
  const { bytes } = await mend(plain.subarray(0, cut))
  await forEachLength((landmarks(plain).blocks[1] ?? 0) + 1, bytes.length, async (written) => {
    const halfMended = Buffer.from(bytes.subarray(0, Math.max(written, cut)))
    plain.copy(halfMended, written, written, Math.max(written, cut))
    const { verdict } = await mend(halfMended, String(written))
    expect([written, verdict.events]).toEqual([written, 3])
    expect(verdict.state).toBe('whole')
  })
})

test('an end of zeros, as a power cut leaves it, goes', async () => {
  const plain = samplePlain(small)
  const { verdict } = await mend(Buffer.concat([plain, Buffer.alloc(5000)]))
  expect(verdict).toMatchObject({ state: 'whole', events: 8 })
})

test('damage in the middle stays, and is still told', async () => {
  const plain = samplePlain(small)
  const { blocks } = landmarks(plain)
  plain.fill(0xff, (blocks[2] ?? 0) + 60, (blocks[2] ?? 0) + 70)
  const { verdict, trailer, bytes } = await mend(plain.subarray(0, -2))
  expect(verdict).toMatchObject({ state: 'corrupt', hasTrailer: true })
  expect(trailer?.reason).toBe('adopted')
  expect(bytes.subarray(0, blocks[3]).equals(plain.subarray(0, blocks[3]))).toBe(true)
})

test('a file with a trailer is left as it is', async () => {
  const plain = samplePlain()
  const { mended, bytes } = await mend(plain)
  expect(mended).toBe(false)
  expect(bytes.equals(plain)).toBe(true)
})

test('a file whose header is lost is refused and left as it is', async () => {
  const plain = samplePlain(small)
  for (const lost of [
    plain.subarray(0, 150),
    Buffer.concat([plain.subarray(0, 150), Buffer.alloc(90), plain.subarray(240)]),
  ]) {
    const path = join(directory.path, 'lost.incident.flog')
    writeFileSync(path, lost)
    const options = { closedAt: CLOSED_AT, reason: 'adopted' } as const
    await expect(mendPlainFile(path, options)).rejects.toMatchObject({ code: 'FLOG_FILE_CORRUPT' })
    expect(readFileSync(path).equals(lost)).toBe(true)
  }
})
