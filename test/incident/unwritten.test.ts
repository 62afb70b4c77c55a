import { openingBytes, trailerBlock } from '../../src/incident/block'
import { eventBlock } from '../../src/incident/history'
import { UnwrittenMemory, unwrittenEvents } from '../../src/incident/unwritten'
import { SYNC, sampleHeader, sampleTrailer } from './samples'

test('what waits for the disk is bounded, and room comes back when it is written', () => {
  const memory = new UnwrittenMemory(100)
  expect(memory.hasRoomFor(100)).toBe(true)
  memory.take(60)
  expect(memory.bytes).toBe(60)
  expect(memory.hasRoomFor(41)).toBe(false)
  expect(memory.hasRoomFor(40)).toBe(true)
  memory.giveBack(60)
  expect(memory.bytes).toBe(0)
})

test('events that never reach the file are counted, one of which a part did included', () => {
  const blocks = [1, 2, 3].map((seq) => eventBlock(Buffer.from(`event ${seq}`), seq, 0, SYNC))
  const bytes = Buffer.concat(blocks)
  const [first = 0] = blocks.map(({ length }) => length)
  const lacking = (written: number) => unwrittenEvents({ bytes, written }, SYNC)
  expect([0, first - 1, first, first + 1, bytes.length - 1, bytes.length].map(lacking)).toEqual([
    3, 3, 2, 2, 1, 0,
  ])
  expect(unwrittenEvents({ bytes: openingBytes(sampleHeader(), SYNC), written: 0 }, SYNC)).toBe(0)
  expect(unwrittenEvents({ bytes: trailerBlock(sampleTrailer(), SYNC), written: 0 }, SYNC)).toBe(0)
})
