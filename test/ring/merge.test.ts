import fc from 'fast-check'
import { RING_MIN_BYTES } from '../../src/base/limits'
import { ControlBlock } from '../../src/ring/control'
import { CONTROL_WORDS, frameWords, type RingHandle } from '../../src/ring/layout'
import { type MergeOptions, type MergeTarget, mergeHistory } from '../../src/ring/merge'
import { Ring } from '../../src/ring/ring'
import { checkedSeq, fakeEvent, SMALLEST } from './frames'
import { Flag, newFlags, raise, Thread } from './threads/roles'

/** Copies what it is handed, as a writer of files does. */
class Taken implements MergeTarget {
  readonly seqs: number[] = []

  event(seq: number, bytes: number, words: Int32Array, position: number, mask: number): void {
    const copy = new Int32Array((bytes + 3) >> 2)
    for (let i = 0; i < copy.length; i++) copy[i] = words[CONTROL_WORDS + ((position + i) & mask)] as number
    expect(checkedSeq(new Uint8Array(copy.buffer, 0, bytes))).toBe(seq)
    this.seqs.push(seq)
  }
}

function merged(
  rings: readonly RingHandle[],
  options: Partial<MergeOptions> = {},
): { seqs: number[]; omitted: number } {
  const taken = new Taken()
  const { events, omitted } = mergeHistory(rings, taken, {
    ownThread: 0,
    until: Number.MAX_SAFE_INTEGER,
    ...options,
  })
  expect(events).toBe(taken.seqs.length)
  return { seqs: taken.seqs, omitted }
}

function append(ring: Ring, seq: number, bytes = 200): void {
  expect(ring.append(fakeEvent(seq, bytes), bytes)).toBe(true)
  ring.markOutOfOrder()
}

/** Rings of which each event went to one, nearly in order: some events were stamped before they were encoded. */
const history = fc.record({
  rings: fc.integer({ min: 1, max: 6 }),
  thread: fc.constantFrom(0, 1),
  startAt: fc.constantFrom(0, 0x7fffff00, 0xffffff00),
  events: fc.array(
    fc.record({
      ring: fc.nat(5),
      bytes: fc.integer({ min: SMALLEST, max: 3000 }),
      late: fc.oneof(
        { weight: 9, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) },
      ),
    }),
    { maxLength: 150, size: 'max' },
  ),
})

function build({
  rings: count,
  thread,
  startAt,
  events,
}: typeof history extends fc.Arbitrary<infer T> ? T : never): {
  rings: Ring[]
  held: { seq: number; bytes: number }[]
} {
  const rings = Array.from(
    { length: count },
    () => new Ring({ severity: 'info', bytes: RING_MIN_BYTES, thread, startAt }),
  )
  const written: { seq: number; bytes: number }[][] = rings.map(() => [])
  const inOrder = events
    .map((event, seq) => ({ ...event, seq }))
    .sort((a, b) => a.seq + a.late - (b.seq + b.late))
  for (const { seq, ring, bytes } of inOrder) {
    append(rings[ring % count] as Ring, seq, bytes)
    written[ring % count]!.push({ seq, bytes })
  }
  const held = written.flatMap((frames, i) => frames.slice(rings[i]!.evicted)).sort((a, b) => a.seq - b.seq)
  return { rings, held }
}

describe('the merged history', () => {
  test('is everything that the rings hold, in order', () => {
    fc.assert(
      fc.property(history, (shape) => {
        const { rings, held } = build(shape)
        const { seqs, omitted } = merged(rings.map((ring) => ring.handle))
        expect(seqs).toEqual(held.map(({ seq }) => seq))
        expect(omitted).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  test('ends where it is told to, and holds the newest bytes up to there', () => {
    fc.assert(
      fc.property(history, fc.nat(160), fc.nat(200_000), (shape, until, maxBytes) => {
        const { rings, held } = build(shape)
        const wanted = held.filter(({ seq }) => seq <= until)
        const newest: number[] = []
        let bytes = 0
        for (const frame of [...wanted].reverse()) {
          bytes += frameWords(frame.bytes) * 4
          if (bytes > maxBytes) break
          newest.unshift(frame.seq)
        }
        const { seqs, omitted } = merged(
          rings.map((ring) => ring.handle),
          { until, maxBytes },
        )
        expect(seqs).toEqual(newest)
        expect(omitted).toBe(wanted.length - newest.length)
      }),
      { numRuns: 100 },
    )
  })

  test('of no ring, of empty rings, and without an end', () => {
    expect(merged([])).toEqual({ seqs: [], omitted: 0 })
    const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES })
    expect(merged([ring.handle], { maxBytes: 10 })).toEqual({ seqs: [], omitted: 0 })
    append(ring, 3)
    expect(merged([ring.handle], { until: Number.POSITIVE_INFINITY }).seqs).toEqual([3])
  })

  test('of a ring of another thread does not change while it is handed over', () => {
    const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES, thread: 1 })
    for (let seq = 0; seq < 50; seq++) append(ring, seq)
    const seqs: number[] = []
    const target: MergeTarget = {
      event(seq) {
        seqs.push(seq)
        for (let i = 0; i < 20; i++) append(ring, 1000 + i)
      },
    }
    mergeHistory([ring.handle], target, { ownThread: 0, until: 999 })
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  test('of rings that another thread is writing is whole, without a hole in any ring', async () => {
    const flags = newFlags()
    const { memory: control } = new ControlBlock()
    const rings = [RING_MIN_BYTES, RING_MIN_BYTES * 4]
    const writer = new Thread({ kind: 'write', flags, control, rings, startAt: 0xfffff000, longest: 20_000 })
    const handles = await writer.says<RingHandle[]>()
    raise(flags, Flag.start)
    const until = performance.now() + 1500
    let events = 0
    while (performance.now() < until) {
      const { seqs } = merged(handles)
      events += seqs.length
      for (const parity of [0, 1]) {
        const ofRing = seqs.filter((seq) => seq % 2 === parity)
        expect(ofRing.every((seq, i) => i === 0 || seq === (ofRing[i - 1] as number) + 2)).toBe(true)
      }
      expect(seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] as number))).toBe(true)
    }
    raise(flags, Flag.stop)
    expect(events).toBeGreaterThan(1000)
    await writer.says()
    await writer.end()
  })
})
