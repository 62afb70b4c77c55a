import fc from 'fast-check'
import { type ClockStep, isoMicros, SystemClock } from '../../src/base/clock'

/** A clock whose wall is set by hand, and asked anew because its anchor is reset by a fresh instance. */
function withWall(anchor: Float64Array = new Float64Array(1)): {
  clock: SystemClock
  wall: { ms: number }
  steps: ClockStep[]
} {
  const wall = { ms: Date.now() }
  const clock = new SystemClock(anchor, () => wall.ms)
  const steps: ClockStep[] = []
  clock.onStep((step) => steps.push(step))
  return { clock, wall, steps }
}

describe('the clock of the machine', () => {
  test('tells whole microseconds of wall time', () => {
    const clock = new SystemClock()
    const before = Date.now()
    const now = clock.now()
    expect(Number.isSafeInteger(now)).toBe(true)
    expect(now / 1000).toBeGreaterThanOrEqual(before - 1)
    expect(now / 1000).toBeLessThanOrEqual(Date.now() + 1)
  })

  test('never runs backwards, and tells microseconds apart', () => {
    const clock = new SystemClock()
    let last = clock.now()
    const apart = new Set([last])
    for (let i = 0; i < 50_000; i++) {
      const now = clock.now()
      expect(now >= last).toBe(true)
      last = now
      apart.add(now)
    }
    expect(apart.size).toBeGreaterThan(1000)
  })

  test('shares its anchor with the clocks of other threads', () => {
    const anchor = new Float64Array(new SharedArrayBuffer(8))
    const first = withWall(anchor)
    first.wall.ms = 1_000_000
    const begin = first.clock.now()
    // The other looks at the anchor, which is right for its wall.
    const other = withWall(anchor)
    other.wall.ms = 1_000_000 + Math.floor((first.clock.now() - begin) / 1000)
    const seen = other.clock.now()
    expect(seen).toBeGreaterThanOrEqual(begin)
    expect(seen - begin).toBeLessThan(50_000)
    expect(other.steps).toEqual([])
  })

  test.each([60, 3_600_000, -60, -3_600_000])('takes over a step of %i ms, and says so', (ms) => {
    const anchor = new Float64Array(1)
    const before = withWall(anchor)
    const at = before.clock.now()
    const after = withWall(anchor)
    after.wall.ms = before.wall.ms + ms
    const now = after.clock.now()
    expect(Math.abs(now - at - ms * 1000)).toBeLessThan(20_000)
    expect(after.steps).toHaveLength(1)
    expect(Math.abs((after.steps[0] as ClockStep).ms - ms)).toBeLessThan(20)
  })

  test('takes over a small difference without a word, and none within a millisecond', () => {
    const anchor = new Float64Array(1)
    const { clock, wall } = withWall(anchor)
    clock.now()
    const first = anchor[0]
    const same = withWall(anchor)
    same.wall.ms = Math.floor(clock.now() / 1000)
    same.clock.now()
    expect(anchor[0]).toBe(first)
    const drifted = withWall(anchor)
    drifted.wall.ms = wall.ms + 30
    drifted.clock.now()
    expect(anchor[0]).not.toBe(first)
    expect(drifted.steps).toEqual([])
  })

  test('calls later and again, until it is cancelled', async () => {
    const clock = new SystemClock()
    let calls = 0
    const start = clock.monotonic()
    await new Promise<void>((resolve) => {
      const timer = clock.every(
        2,
        () => {
          if (++calls < 3) return
          timer.cancel()
          timer.cancel()
          clock.after(10, resolve, { keepAlive: true })
        },
        { keepAlive: true },
      )
      clock
        .after(1, () => {
          calls += 100
        })
        .cancel()
    })
    expect(calls).toBe(3)
    expect(clock.monotonic() - start).toBeGreaterThanOrEqual(10)
  })
})

describe('ISO time with microseconds', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000000Z'],
    [1, '1970-01-01T00:00:00.000001Z'],
    [-1, '1969-12-31T23:59:59.999999Z'],
    [1_795_293_065_123_456, '2026-11-21T20:31:05.123456Z'],
    [999_999, '1970-01-01T00:00:00.999999Z'],
    [8.64e18 + 1000, 'invalid time'],
    [Number.NaN, 'invalid time'],
    [Number.POSITIVE_INFINITY, 'invalid time'],
    [Number.NEGATIVE_INFINITY, 'invalid time'],
  ])('%d is %s', (micros, text) => expect(isoMicros(micros)).toBe(text))

  test('sorts as the times do, and reads back', () => {
    const time = fc.integer({ min: 0, max: 4_000_000_000_000_000 })
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(Math.sign(a - b)).toBe(isoMicros(a) < isoMicros(b) ? -1 : isoMicros(a) > isoMicros(b) ? 1 : 0)
        expect(Date.parse(isoMicros(a))).toBe(Math.floor(a / 1000))
      }),
    )
  })

  test('takes any number', () => {
    fc.assert(fc.property(fc.double(), (micros) => expect(isoMicros(micros)).toMatch(/Z$|^invalid time$/)))
  })
})
