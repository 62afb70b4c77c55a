import fc from 'fast-check'
import { RING_MIN_BYTES } from '../../src/base/limits'
import { ControlBlock } from '../../src/ring/control'
import type { RingHandle } from '../../src/ring/layout'
import { LiveReader } from '../../src/ring/live'
import { Ring } from '../../src/ring/ring'
import { checkedSeq, fakeEvent } from './frames'
import { Flag, newFlags, raise, Thread } from './threads/roles'

class Process {
  readonly control = new ControlBlock()
  readonly rings: readonly Ring[]
  readonly handles: readonly RingHandle[]

  constructor(rings = 3) {
    this.rings = Array.from({ length: rings }, () => new Ring({ severity: 'info', bytes: RING_MIN_BYTES }))
    this.handles = this.rings.map((ring) => ring.handle)
  }

  log(ring: number, bytes = 500): number {
    const seq = this.control.nextSeq()
    ;(this.rings[ring] as Ring).append(fakeEvent(seq, bytes), bytes)
    this.control.publish(seq)
    return seq
  }
}

const seqsOf = (reader: LiveReader, max = 1000): number[] => reader.read(max).map((frame) => frame.seq)

describe('live reading of several rings', () => {
  test('gives history in order, then what comes, none twice', () => {
    const app = new Process()
    for (const ring of [0, 2, 1, 0, 1]) app.log(ring)
    const reader = new LiveReader(app.handles, app.control, 'oldest')
    expect(seqsOf(reader, 2)).toEqual([0, 1])
    expect(seqsOf(reader)).toEqual([2, 3, 4])
    expect(seqsOf(reader)).toEqual([])
    app.log(2)
    app.log(0)
    expect(reader.read(10)).toMatchObject([
      { seq: 5, ring: 2 },
      { seq: 6, ring: 0 },
    ])
  })

  test('starts with what comes where it is told to', () => {
    const app = new Process()
    for (let i = 0; i < 10; i++) app.log(i % 3)
    const reader = new LiveReader(app.handles, app.control, 'now')
    expect(seqsOf(reader)).toEqual([])
    app.log(1)
    expect(seqsOf(reader)).toEqual([10])
    expect(reader.takeMissed()).toBe(0)
  })

  test('waits with an event that is not published yet', () => {
    const app = new Process()
    app.log(0)
    const reader = new LiveReader(app.handles, app.control, 'oldest')
    const seq = app.control.nextSeq()
    app.rings[1]!.append(fakeEvent(seq, 100), 100)
    expect(seqsOf(reader)).toEqual([0])
    app.control.publish(seq)
    expect(seqsOf(reader)).toEqual([1])
  })

  test('takes a position of other rings for the oldest event', () => {
    const app = new Process()
    for (let i = 0; i < 6; i++) app.log(i % 3)
    expect(seqsOf(new LiveReader(app.handles, app.control, { ordinals: [] }))).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('has no gap and no repeat across positions, and counts what was overwritten', () => {
    const step = fc.oneof(
      fc.record({ log: fc.nat(2), times: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ read: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ resume: fc.constant(true) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const app = new Process()
        let reader = new LiveReader(app.handles, app.control, 'oldest')
        const seen: number[] = []
        let missed = 0
        for (const each of steps) {
          if ('log' in each) for (let i = 0; i < each.times; i++) app.log(each.log)
          else if ('read' in each) seen.push(...seqsOf(reader, each.read))
          else {
            missed += reader.takeMissed()
            reader = new LiveReader(app.handles, app.control, reader.position())
          }
        }
        seen.push(...seqsOf(reader, 100_000))
        missed += reader.takeMissed()
        expect(seen.every((seq, i) => i === 0 || seq > (seen[i - 1] as number))).toBe(true)
        expect(seen.length + missed).toBe(app.control.published + 1)
      }),
      { numRuns: 100 },
    )
  })

  test('beside a thread that writes: in order, whole, and every event read or counted', async () => {
    const flags = newFlags()
    const control = new ControlBlock(2 ** 32 - 1000)
    const rings = [RING_MIN_BYTES, RING_MIN_BYTES, RING_MIN_BYTES * 8]
    const { memory } = control
    const writer = new Thread({
      kind: 'write',
      flags,
      control: memory,
      rings,
      startAt: 0xffffff00,
      longest: 8000,
    })
    const handles = await writer.says<RingHandle[]>()
    let reader = new LiveReader(handles, control, 'oldest')
    let last = -1
    let read = 0
    let missed = 0
    const take = (max: number): number => {
      const frames = reader.read(max)
      for (const frame of frames) {
        if (checkedSeq(frame.payload) !== frame.seq || frame.seq <= last)
          throw new Error(`${frame.seq} after ${last}`)
        last = frame.seq
      }
      read += frames.length
      missed += reader.takeMissed()
      return frames.length
    }
    raise(flags, Flag.start)
    const until = performance.now() + 1500
    for (let round = 0; performance.now() < until; round++) {
      take(1 + (round % 500))
      if (round % 10 === 0) reader = new LiveReader(handles, control, reader.position())
    }
    raise(flags, Flag.stop)
    const { written } = await writer.says<{ written: number }>()
    while (take(1000) > 0);
    expect(read + missed).toBe(written)
    expect(last).toBe(2 ** 32 - 1000 + written - 1)
    await writer.end()
  })
})
