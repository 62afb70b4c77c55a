import type { Clock, Timer } from '../base/clock'
import { STALL_MS, WATCHDOG_TICK_MS } from '../base/limits'

export interface WatchdogOptions {
  readonly clock: Clock
  /** Counts up with each beat of the watched thread; may wrap. */
  readonly beats: () => number
  /** What `beats` told before the thread could beat at all. Default: what it tells at `start()`. */
  readonly beatsBefore?: number
  /** Whether somebody may hold the thread on purpose; asked only while it is silent. */
  readonly debugged: () => boolean
  /** Milliseconds of silence that make a stall. Default 1000. */
  readonly stallMs?: number
  /** Milliseconds between two looks. Default 25. */
  readonly tickMs?: number
  /** Once a stall, while it lasts. @param ms silence until now, at least `stallMs` */
  readonly onStall: (ms: number) => void
  /**
   * Once after each `onStall`, if the thread beats again.
   * @param ms how long it was silent, to two ticks
   * @param pausedMs time in which the watchdog did not run either, for instance because the process was stopped; not in `ms`
   */
  readonly onEnd: (ms: number, pausedMs: number) => void
}

/**
 * Tells when another thread has stopped beating.
 *
 * ```
 *              first beat              silent for stallMs
 *   waiting ─────────────────▶ beating ──────────────────▶ stalled
 *                                 ▲        onStall            │
 *                                 └───────────────────────────┘
 *                                      a beat: onEnd
 * ```
 *
 * A clock that went on proves nothing about a thread that could not run: a stopped process, a machine asleep, a starved
 * thread. So silence is counted in ticks of our own: each adds the time since the last one, but two ticks' worth at most. When
 * we were late ourselves, most of that time does not count. Before the first beat nothing counts, since a program may take
 * any time to start; under a debugger nothing does, since somebody may be looking at a line.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #stallMs: number
  readonly #tickMs: number
  #state: 'waiting' | 'beating' | 'stalled' = 'waiting'
  #timer: Timer | undefined
  #beats = 0
  #tickedAt = 0
  /** Since the last beat that was seen: what counts, and the rest. */
  #silentMs = 0
  #pausedMs = 0

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#stallMs = options.stallMs ?? STALL_MS
    this.#tickMs = options.tickMs ?? WATCHDOG_TICK_MS
  }

  /** Begins to look, every tick, from a timer that keeps nothing alive. Again: forgets what was seen. */
  start(): void {
    this.stop()
    const { clock, beats, beatsBefore } = this.#options
    this.#beats = beatsBefore ?? beats()
    this.#tickedAt = clock.monotonic()
    this.#timer = clock.every(this.#tickMs, () => this.tick())
  }

  /** Of a stall that lasts no end is told. Idempotent. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#state = 'waiting'
    this.#hush()
  }

  /** Whether the thread is silent now, for `stallMs` and more. */
  get stalled(): boolean {
    return this.#state === 'stalled'
  }

  /** One look; the timer's. */
  tick(): void {
    if (this.#timer === undefined) return
    this.#count()
    const beats = this.#options.beats()
    if (beats !== this.#beats) {
      this.#beats = beats
      this.#beaten()
    } else if (this.#state === 'beating') this.#silent()
  }

  #count(): void {
    const now = this.#options.clock.monotonic()
    const passed = Math.max(now - this.#tickedAt, 0)
    const counted = Math.min(passed, 2 * this.#tickMs)
    this.#tickedAt = now
    this.#silentMs += counted
    this.#pausedMs += passed - counted
  }

  #beaten(): void {
    const stalled = this.#state === 'stalled'
    const [ms, pausedMs] = [this.#silentMs, this.#pausedMs]
    this.#state = 'beating'
    this.#hush()
    if (stalled) this.#options.onEnd(ms, pausedMs)
  }

  #silent(): void {
    if (this.#options.debugged()) this.#hush()
    else if (this.#silentMs >= this.#stallMs) {
      this.#state = 'stalled'
      this.#options.onStall(this.#silentMs)
    }
  }

  #hush(): void {
    this.#silentMs = 0
    this.#pausedMs = 0
  }
}
