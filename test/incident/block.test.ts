import { crc32 } from 'node:zlib'
import { decodePrefix } from '../../src/codec/decode'
import { sealBlock, trailerBlock } from '../../src/incident/block'
import type { IncidentTrailer } from '../../src/incident/header'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType, readBlockHead } from '../../src/incident/layout'

const SYNC = Uint8Array.from({ length: 16 }, (_, i) => i + 1)

function sealedSample(): Buffer {
  const buffer = Buffer.alloc(BLOCK_HEAD_BYTES + 12 + 8, 0xee)
  const meta = {
    type: BlockType.events,
    flags: BlockFlag.further,
    length: 9,
    events: 1,
    firstSeq: 2 ** 40,
    lastSeq: 2 ** 41,
  }
  expect(sealBlock(buffer, 4, meta, SYNC)).toBe(4 + BLOCK_HEAD_BYTES + 12)
  return buffer
}

test('a block is laid out as FORMAT.md says', () => {
  const block = sealedSample().subarray(4)
  expect(block.subarray(0, 16)).toEqual(Buffer.from(SYNC))
  expect([...block.subarray(16, 20)]).toEqual([2, 2, 0, 0])
  expect(block.readUInt32LE(20)).toBe(12)
  expect(block.readUInt32LE(24)).toBe(1)
  expect(block.readDoubleLE(28)).toBe(2 ** 40)
  expect(block.readDoubleLE(36)).toBe(2 ** 41)
  expect([...block.subarray(48, 60)]).toEqual([...Array(9).fill(0xee), 0, 0, 0])
  expect(block.readUInt32LE(44)).toBe(crc32(Buffer.concat([block.subarray(0, 44), block.subarray(48, 60)])))
})

test('bytes around a block are left alone', () => {
  const buffer = sealedSample()
  expect([...buffer.subarray(0, 4), ...buffer.subarray(64)]).toEqual(Array(8).fill(0xee))
})

test('what is said about a block is read back', () => {
  const { type, flags, length, events, firstSeq, lastSeq } = readBlockHead(sealedSample(), 4)
  const expected = { type: 2, flags: 2, length: 12, events: 1, firstSeq: 2 ** 40, lastSeq: 2 ** 41 }
  expect({ type, flags, length, events, firstSeq, lastSeq }).toEqual(expected)
})

function trailerWith(further: number, extra?: string): IncidentTrailer {
  return {
    closedAt: 1,
    reason: 'cap',
    events: { total: 1, history: 1, after: 0 },
    furtherTriggers: Array.from({ length: further }, (_, i) => {
      return { seq: i, time: i, kind: 'event' as const, reason: 'x'.repeat(500), fingerprint: 'f' }
    }),
    furtherTriggersOmitted: 5,
    lost: 0,
    ...(extra !== undefined && { extra: { text: extra } }),
  }
}

test.each([
  ['a few further triggers', trailerWith(3)],
  ['very many further triggers', trailerWith(100_000)],
  ['an enormous extra', trailerWith(100, 'y'.repeat(200_000))],
])('a trailer with %s fits the look-back of readers and leaves nothing uncounted', (_, trailer) => {
  const block = trailerBlock(trailer, SYNC)
  expect(block.length).toBeLessThanOrEqual(64 * 1024)
  const { value } = decodePrefix(block.subarray(BLOCK_HEAD_BYTES))
  const { furtherTriggers, furtherTriggersOmitted } = value as unknown as IncidentTrailer
  expect(furtherTriggers.length + furtherTriggersOmitted).toBe(trailer.furtherTriggers.length + 5)
})
