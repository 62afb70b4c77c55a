import { ControlBlock } from '../../src/ring/control'
import { Flag, newFlags, raise, Thread } from './threads/roles'

describe('sequence numbers', () => {
  test.each([
    0,
    1,
    0x3fffffff,
    0x40000000,
    0x7ffffffe,
    0x80000000,
    0xbfffffff,
    0xc0000000,
    0xc0000001,
    0xfffffffe,
    2 ** 32,
    5 * 2 ** 32 + 0xfffffff0,
    2 ** 52,
  ])('follow each other from %i', (first) => {
    const control = new ControlBlock(first)
    const seqs = Array.from({ length: 100 }, () => control.nextSeq())
    expect(seqs).toEqual(Array.from({ length: 100 }, (_, i) => first + i))
  })

  test.each([2 ** 30, 2 ** 31, 3 * 2 ** 30, 2 ** 32, 2 ** 33 + 2 ** 31])(
    'are drawn once each by four threads, around %i',
    async (middle) => {
      const count = 30_000
      const first = middle - count * 2
      const block = new ControlBlock(first)
      const flags = newFlags()
      const drawing = { kind: 'draw', flags, control: block.memory, count } as const
      const threads = Array.from({ length: 4 }, () => new Thread(drawing))
      for (const thread of threads) expect(await thread.says()).toBe('ready')
      raise(flags, Flag.start)
      const drawn = await Promise.all(threads.map((thread) => thread.says<Float64Array>()))
      const all = Float64Array.from(drawn.flatMap((seqs) => [...seqs])).sort()
      expect(all.every((seq, i) => seq === first + i)).toBe(true)
      expect(drawn.every((seqs) => seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] as number)))).toBe(
        true,
      )
      expect(block.published).toBe(first + 4 * count - 1)
      await Promise.all(threads.map((thread) => thread.end()))
    },
  )
})

describe('the control block', () => {
  test('tells the highest number published, also out of order and from another view', () => {
    const control = new ControlBlock(100)
    const other = new ControlBlock(control.memory)
    expect(control.published).toBe(99)
    for (const seq of [100, 103, 101]) control.publish(seq)
    expect(other.published).toBe(103)
    other.publish(102)
    expect(control.published).toBe(103)
    other.publish(104)
    expect(control.published).toBe(104)
    expect(new ControlBlock().published).toBe(-1)
  })

  test('has room for more threads than it has places', () => {
    const { memory } = new ControlBlock()
    for (let seq = 0; seq < 200; seq++) {
      const thread = new ControlBlock(memory)
      thread.publish(seq)
      expect(thread.published).toBe(seq)
    }
  })

  test('carries from one thread to another whether a debugger may hold the first', () => {
    const control = new ControlBlock()
    const elsewhere = new ControlBlock(control.memory)
    expect(elsewhere.debugged).toBe(false)
    control.debugged = true
    expect(elsewhere.debugged).toBe(true)
  })

  test('numbers incidents and counts beats', () => {
    const control = new ControlBlock()
    const other = new ControlBlock(control.memory)
    expect([control.nextIncidentNumber(), other.nextIncidentNumber(), control.nextIncidentNumber()]).toEqual([
      1, 2, 3,
    ])
    control.beat()
    control.beat()
    expect(other.beats).toBe(2)
  })

  test('keeps the anchor of the clock apart from the numbers', () => {
    const control = new ControlBlock(7)
    control.clockAnchor[0] = 1.5e15
    control.publish(control.nextSeq())
    expect(new ControlBlock(control.memory).clockAnchor[0]).toBe(1.5e15)
    expect(control.published).toBe(7)
  })
})
