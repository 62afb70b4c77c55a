import fc from 'fast-check'
import { type ClockStep, isoMicros, SystemClock } from '../../src/base/clock'

/** A clock whose wall goes on from where it is set by hand; a fresh instance looks at it anew. */
function withWall(
  anchor: Float64Array = new Float64Array(1),
  ms = Date.now(),
): { clock: SystemClock; wall: Wall; steps: ClockStep[] } {
  const wall = new Wall(ms)
  const clock = new SystemClock(anchor, () => wall.ms)
  const steps: ClockStep[] = []
  clock.onStep((step) => steps.push(step))
  return { clock, wall, steps }
}

class Wall {
  readonly #start = performance.now()
  constructor(readonly startMs: number) {}

  get ms(): number {
    return this.startMs + performance.now() - this.#start
  }
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
    const times = Array.from({ length: 50_000 }, () => clock.now())
    expect(times.findIndex((time, i) => time < (times[i - 1] ?? 0))).toBe(-1)
    expect(new Set(times).size).toBeGreaterThan(1000)
  })

  test('shares its anchor with the clocks of other threads', () => {
    const anchor = new Float64Array(new SharedArrayBuffer(8))
    const first = withWall(anchor, 1_000_000)
    const begin = first.clock.now()
    // The other looks at the anchor, which is right for its wall, give or take a few microseconds.
    const other = withWall(anchor, first.wall.ms)
    const seen = other.clock.now()
    expect(seen).toBeGreaterThanOrEqual(begin - 1000)
    expect(seen).toBeLessThanOrEqual(first.clock.now() + 1000)
    expect(other.steps).toEqual([])
  })

  test.each([60, 3_600_000, -60, -3_600_000])('takes over a step of %i ms, and says so', (ms) => {
    const anchor = new Float64Array(1)
    const before = withWall(anchor)
    const start = performance.now()
    const at = before.clock.now()
    const after = withWall(anchor, before.wall.ms + ms)
    const now = after.clock.now()
    const allowedMs = performance.now() - start + 2
    expect(Math.abs(now - at - ms * 1000)).toBeLessThan(allowedMs * 1000)
    expect(after.steps).toHaveLength(1)
    expect(Math.abs((after.steps[0] as ClockStep).ms - ms)).toBeLessThan(allowedMs)
  })

  test('takes over a small difference without a word, and none within a millisecond', () => {
    const anchor = new Float64Array(1)
    const { clock, wall } = withWall(anchor)
    clock.now()
    const first = anchor[0]
    // As coarse as the wall of a machine is: it lags by up to a millisecond.
    new SystemClock(anchor, () => (clock.now() - 500) / 1000).now()
    expect(anchor[0]).toBe(first)
    const drifted = withWall(anchor, wall.ms + 30)
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
