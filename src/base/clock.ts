/**
 * Time. Whatever depends on time takes a {@link Clock}, so that tests can turn it by hand.
 *
 * Wall time is an anchor plus the monotonic clock of the machine, so that it has microseconds, is the same in all
 * threads, and does not run backwards between two anchors. The anchor is looked at again every second: the difference
 * to the system's wall clock is taken over when it is more than the millisecond that the latter resolves.
 */
export interface Clock {
  /** Wall time: whole microseconds since 1970-01-01T00:00Z; exact in a JavaScript number until the year 2255. */
  now(): number
  /** Monotonic milliseconds, with fractions, from an origin of no meaning. */
  monotonic(): number
  /** Calls `action` once, `ms` milliseconds from now. The timer does not keep the process alive unless asked to. */
  after(ms: number, action: () => void, options?: TimerOptions): Timer
  /** Calls `action` every `ms` milliseconds. */
  every(ms: number, action: () => void, options?: TimerOptions): Timer
}

export interface TimerOptions {
  /** Default false: a pending timer of a logger must not keep its host alive. */
  readonly keepAlive?: boolean
}

export interface Timer {
  /** Idempotent. */
  cancel(): void
}

/** A wall-clock step that was seen when the anchor was looked at again. */
export interface ClockStep {
  /** Signed milliseconds by which the wall clock moved. */
  readonly ms: number
}

const ANCHOR_INTERVAL_US = 1_000_000
/** `Date.now()` truncates to milliseconds: a difference inside one of them is no difference. */
const WALL_RESOLUTION_US = 1000
const STEP_EVENT_US = 50_000

/** Looked up once: `process` is a getter, and this is asked for every event. */
const { hrtime } = process

/** The machine's clock. One instance a process suffices; threads may share its anchor through `anchor`. */
export class SystemClock implements Clock {
  readonly #anchor: Float64Array
  readonly #wallMs: () => number
  #lookAgainAt = 0
  #onStep: ((step: ClockStep) => void) | undefined

  /**
   * @param anchor one element, on shared memory where several threads use it: microseconds to add to the monotonic clock
   * @param wallMs the system's wall clock, in milliseconds
   */
  constructor(anchor: Float64Array = new Float64Array(1), wallMs: () => number = Date.now) {
    this.#anchor = anchor
    this.#wallMs = wallMs
  }

  /** At most one observer of steps over 50 ms. It is called from inside `now()`: it must be quick and must not throw. */
  onStep(observer: (step: ClockStep) => void): void {
    this.#onStep = observer
  }

  now(): number {
    const time = hrtime()
    const monotonic = time[0] * 1e6 + ((time[1] / 1000) | 0)
    if (monotonic >= this.#lookAgainAt) this.#lookAgain(monotonic)
    return (this.#anchor[0] as number) + monotonic
  }

  monotonic(): number {
    return performance.now()
  }

  after(ms: number, action: () => void, options: TimerOptions = {}): Timer {
    const timer = setTimeout(action, ms)
    if (options.keepAlive !== true) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  }

  every(ms: number, action: () => void, options: TimerOptions = {}): Timer {
    const timer = setInterval(action, ms)
    if (options.keepAlive !== true) timer.unref()
    return { cancel: () => clearInterval(timer) }
  }

  #lookAgain(monotonic: number): void {
    this.#lookAgainAt = monotonic + ANCHOR_INTERVAL_US
    const wall = this.#wallMs() * 1000
    const anchor = this.#anchor[0] as number
    const ahead = anchor + monotonic - wall
    if (anchor !== 0 && ahead >= 0 && ahead < WALL_RESOLUTION_US) return
    this.#anchor[0] = wall - monotonic
    if (anchor !== 0 && Math.abs(ahead) > STEP_EVENT_US) this.#onStep?.({ ms: -ahead / 1000 })
  }
}

/** ISO 8601 in UTC with microseconds, `2026-11-21T20:31:05.123456Z`, of microseconds since the epoch. */
export function isoMicros(micros: number): string {
  if (!Number.isFinite(micros)) return 'invalid time'
  const ms = Math.floor(micros / 1000)
  if (Math.abs(ms) > 8.64e15) return 'invalid time'
  const rest = String(Math.trunc(micros - ms * 1000)).padStart(3, '0')
  return new Date(ms).toISOString().replace('Z', `${rest}Z`)
}
