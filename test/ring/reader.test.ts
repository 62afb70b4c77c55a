import { setTimeout as pause } from 'node:timers/promises'
import { RING_MIN_BYTES } from '../../src/base/limits'
import { ControlBlock } from '../../src/ring/control'
import type { RingHandle } from '../../src/ring/layout'
import { RingReader } from '../../src/ring/reader'
import { Ring } from '../../src/ring/ring'
import { checkedSeq, fakeEvent } from './frames'
import { Flag, newFlags, raise, Thread } from './threads/roles'

function filled(events: number, bytes = 1000): Ring {
  const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES })
  append(ring, events, bytes)
  return ring
}

function append(ring: Ring, events: number, bytes = 1000): void {
  for (let i = 0; i < events; i++) ring.append(fakeEvent(ring.written, bytes), bytes)
}

function rest(reader: RingReader): number[] {
  const seqs: number[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next())
    seqs.push(checkedSeq(frame.payload))
  return seqs
}

describe('a reader of a ring', () => {
  test('starts at the oldest event, at what comes, or at a number', () => {
    const ring = filled(10)
    expect(rest(new RingReader(ring.handle, 'oldest'))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(rest(new RingReader(ring.handle, 7))).toEqual([7, 8, 9])
    const now = new RingReader(ring.handle, 'now')
    expect(now.next()).toBeUndefined()
    append(ring, 2)
    expect(rest(now)).toEqual([10, 11])
    expect(now.takeMissed()).toBe(0)
  })

  test('looks at an event without moving on', () => {
    const reader = new RingReader(filled(2).handle, 'oldest')
    expect(reader.peek()).toBe(reader.peek())
    expect(reader.ordinal).toBe(0)
    expect(reader.next()!.ordinal).toBe(0)
    expect(reader.ordinal).toBe(1)
  })

  test('keeps what it looked at although the ring lets it go', () => {
    const ring = filled(2)
    const reader = new RingReader(ring.handle, 'oldest')
    reader.peek()
    append(ring, 500)
    expect(checkedSeq(reader.next()!.payload)).toBe(0)
    expect(checkedSeq(reader.next()!.payload)).toBe(ring.evicted)
    expect(reader.takeMissed()).toBe(ring.evicted - 1)
  })

  test('that starts at a number counts only what was there from that number on', () => {
    const ring = filled(500)
    expect(ring.evicted).toBeGreaterThan(400)
    const late = new RingReader(ring.handle, 100)
    expect(late.takeMissed()).toBe(ring.evicted - 100)
    expect(rest(late)).toHaveLength(500 - ring.evicted)
    expect(new RingReader(ring.handle, 500).takeMissed()).toBe(0)
  })

  test('that starts at a number of another ring goes on with what comes', () => {
    const ring = filled(5)
    const reader = new RingReader(ring.handle, 1e9)
    expect([reader.ordinal, reader.takeMissed(), reader.next()]).toEqual([5, 0, undefined])
    append(ring, 1)
    expect(rest(reader)).toEqual([5])
  })

  test('of an unused ring starts at the first event', () => {
    const ring = filled(0)
    const readers = (['oldest', 'now', 0] as const).map((start) => new RingReader(ring.handle, start))
    expect(readers.map((reader) => reader.ordinal)).toEqual([0, 0, 0])
    append(ring, 1)
    expect(readers.map(rest)).toEqual([[0], [0], [0]])
  })
})

describe('readers in other threads, under load', () => {
  test.each([
    ['of the smallest ring, near the wrap', RING_MIN_BYTES, 0xffff0000],
    ['of a ring with room, near the sign bit', 1024 * 1024, 0x7fff0000],
  ])('%s, see whole events in order and count exactly what they missed', async (_, bytes, startAt) => {
    const flags = newFlags()
    const { memory: control } = new ControlBlock()
    const writer = new Thread({ kind: 'write', flags, control, rings: [bytes], startAt, longest: 20_000 })
    const [ring] = await writer.says<RingHandle[]>()
    const readers = [false, true].map((pauses) => new Thread({ kind: 'read', flags, ring: ring!, pauses }))
    for (const reader of readers) expect(await reader.says()).toBe('ready')
    raise(flags, Flag.start)
    await pause(1500)
    raise(flags, Flag.stop)
    const { written } = await writer.says<{ written: number }>()
    expect(written).toBeGreaterThan(1000)
    for (const reader of readers) {
      const told = await reader.says<{ read: number; missed: number; torn: number; disordered: number }>()
      expect(told).toMatchObject({ torn: 0, disordered: 0 })
      expect(told.read + told.missed).toBe(written)
      expect(told.read).toBeGreaterThan(0)
    }
    await Promise.all([writer, ...readers].map((thread) => thread.end()))
  })
})
