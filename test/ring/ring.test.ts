import fc from 'fast-check'
import { RING_MAX_BYTES, RING_MIN_BYTES } from '../../src/base/limits'
import { frameWords } from '../../src/ring/layout'
import { RingReader } from '../../src/ring/reader'
import { Ring } from '../../src/ring/ring'
import { encoded } from '../codec/encoded'
import { checkedSeq, fakeEvent, SMALLEST } from './frames'

const STARTS = [0, 2, 0x7fffff00, 0x7ffffffe, 0x80000000, 0xfffff000, 0xfffffffe]

/** What must be true of a ring, told by an array of everything that was ever written. */
class Model {
  readonly written: number[] = []
  readonly sizes: number[] = []
  readonly readers: { reader: RingReader; next: number; missed: number }[] = []
}

type Real = { readonly ring: Ring }

class Append implements fc.Command<Model, Real> {
  constructor(readonly bytes: number) {}
  check = (): boolean => true
  run(model: Model, { ring }: Real): void {
    const seq = model.written.length
    const fits = this.bytes <= ring.largestEvent
    expect(ring.append(fakeEvent(seq, this.bytes), this.bytes)).toBe(fits)
    if (!fits) return
    model.written.push(seq)
    model.sizes.push(this.bytes)
    expect(ring.written).toBe(model.written.length)
    expect(ring.usedBytes).toBeLessThanOrEqual(ring.capacityBytes)
    const held = model.sizes.slice(ring.evicted).reduce((sum, bytes) => sum + frameWords(bytes) * 4, 0)
    expect(ring.usedBytes).toBe(held)
  }
  toString = (): string => `append(${this.bytes})`
}

class Join implements fc.Command<Model, Real> {
  constructor(readonly start: 'now' | 'oldest' | number) {}
  check = (model: Readonly<Model>): boolean => model.readers.length < 4
  run(model: Model, { ring }: Real): void {
    const { start } = this
    const from = typeof start === 'number' ? Math.floor(start * (model.written.length + 1)) : start
    const reader = new RingReader(ring.handle, from)
    const next = from === 'now' ? model.written.length : from === 'oldest' ? ring.evicted : from
    model.readers.push({ reader, next, missed: 0 })
    expect(reader.ordinal).toBe(Math.max(next, from === 'now' ? 0 : ring.evicted))
  }
  toString = (): string => `join(${this.start})`
}

class Read implements fc.Command<Model, Real> {
  constructor(
    readonly which: number,
    readonly count: number,
  ) {}
  check = (model: Readonly<Model>): boolean => model.readers.length > 0
  run(model: Model): void {
    const state = model.readers[this.which % model.readers.length]!
    for (let i = 0; i < this.count; i++) {
      const frame = state.reader.next()
      state.missed += state.reader.takeMissed()
      if (frame === undefined) {
        expect(state.next + state.missed).toBe(model.written.length)
        return
      }
      state.next += state.missed
      state.missed = 0
      const { ordinal, payload } = frame
      const expected = [state.next, model.written[state.next], model.sizes[state.next]]
      expect([ordinal, checkedSeq(payload), payload.length]).toEqual(expected)
      state.next++
    }
  }
  toString = (): string => `read(${this.which}, ${this.count})`
}

describe('a ring', () => {
  test('holds the newest events, whole and counted, for each of its readers', () => {
    const size = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: SMALLEST, max: 600 }) },
      { weight: 3, arbitrary: fc.integer({ min: 600, max: 16_384 }) },
      { weight: 1, arbitrary: fc.integer({ min: 16_384, max: 40_000 }) },
    )
    const commands = [
      size.map((bytes) => new Append(bytes)),
      size.map((bytes) => new Append(bytes)),
      fc
        .oneof(fc.constantFrom('now' as const, 'oldest' as const), fc.double({ min: 0, max: 1, noNaN: true }))
        .map((start) => new Join(start)),
      fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 40 })).map(([which, count]) => new Read(which, count)),
    ]
    fc.assert(
      fc.property(
        fc.commands(commands, { maxCommands: 300, size: 'max' }),
        fc.constantFrom(...STARTS),
        (steps, startAt) => {
          const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES, startAt })
          fc.modelRun(() => ({ model: new Model(), real: { ring } }), steps)
        },
      ),
      { numRuns: 50 },
    )
  })

  test.each(STARTS)('goes on over the wrap of its positions from %i', (startAt) => {
    const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES, startAt })
    const reader = new RingReader(ring.handle, 'oldest')
    for (let seq = 0; seq < 5000; seq++) {
      const bytes = SMALLEST + ((seq * 37) % 400)
      ring.append(fakeEvent(seq, bytes), bytes)
      expect(checkedSeq(reader.next()!.payload)).toBe(seq)
    }
    expect(reader.next()).toBeUndefined()
    expect(reader.takeMissed()).toBe(0)
    expect(ring.evicted).toBeGreaterThan(0)
  })

  test('takes an event of half its size, and refuses a longer one, full or empty', () => {
    const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES })
    for (let round = 0; round < 5; round++) {
      const longer = ring.largestEvent + 1
      expect(ring.append(fakeEvent(0, longer), longer)).toBe(false)
      expect(ring.written).toBe(round)
      expect(ring.append(fakeEvent(round, ring.largestEvent), ring.largestEvent)).toBe(true)
      const reader = new RingReader(ring.handle, round)
      expect(checkedSeq(reader.next()!.payload)).toBe(round)
    }
  })

  test('knows the time of its oldest event', () => {
    const ring = new Ring({ severity: 'info', bytes: RING_MIN_BYTES, startAt: 0xfffffffe })
    expect(ring.oldestTime).toBe(0)
    const { bytes } = encoded({ a: 1 })
    const longs = new BigUint64Array(Math.ceil(bytes.length / 8))
    new Uint8Array(longs.buffer).set(bytes)
    ring.append(longs, bytes.length)
    expect(ring.oldestTime).toBe(1_700_000_000_000_000)
  })

  test('has a size that is a power of two, and at least the smallest', () => {
    expect(new Ring({ severity: 'info', bytes: 1 }).capacityBytes).toBe(RING_MIN_BYTES)
    expect(new Ring({ severity: 'info', bytes: RING_MIN_BYTES + 1 }).capacityBytes).toBe(RING_MIN_BYTES * 2)
    expect(new Ring({ severity: 'info', bytes: 1024 * 1024 }).capacityBytes).toBe(1024 * 1024)
    for (const bytes of [0, -1, Number.NaN, RING_MAX_BYTES + 1]) {
      expect(() => new Ring({ severity: 'debug', bytes })).toThrow(/option rings\.debug takes a size/)
    }
  })
})
