import { UnwrittenMemory } from '../../src/incident/unwritten'

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
