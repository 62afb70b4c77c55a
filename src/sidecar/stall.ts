import type { Clock, Timer } from '../base/clock'
import { STALL_STACK_WAIT_MS } from '../base/limits'
import type { Report } from '../incident/report'
import type { ControlBlock } from '../ring/control'
import { stackOfMainThread } from './stack'
import { Watchdog } from './watchdog'

export interface StallWatchOptions {
  readonly stallMs: number
  readonly beatsBefore: number
  readonly control: ControlBlock
  readonly clock: Clock
  /** Milliseconds after which a report is closed though the stall goes on. */
  readonly capMs: number
  /**
   * @param stack of the stuck thread, or why it is not there
   * @returns undefined where limits hold a report back
   */
  readonly trigger: (ms: number, stack: string) => Report | undefined
  /** A stack that came too late for the trigger. */
  readonly add: (report: Report, stack: string) => void
}

const UNAVAILABLE = 'unavailable'
const FOLLOWS = 'follows, if it can be had'

/**
 * Makes an incident of each stall, while it lasts. Its window begins when the loop turns again, or at the cap, so that the
 * trailer can say how long the stall was.
 */
export class StallWatch {
  readonly #options: StallWatchOptions
  readonly #watchdog: Watchdog
  readonly #stop = new AbortController()
  #count = 0
  #report: Report | undefined
  #cap: Timer | undefined
  #last: { readonly ms: number; readonly pausedMs: number } | undefined

  constructor(options: StallWatchOptions) {
    this.#options = options
    const { control, clock, stallMs, beatsBefore } = options
    this.#watchdog = new Watchdog({
      clock,
      stallMs,
      beats: () => control.beats,
      beatsBefore,
      debugged: () => control.debugged,
      onStall: (ms) => void this.#stalled(ms),
      onEnd: (ms, pausedMs) => this.#ended(ms, pausedMs),
    })
    this.#watchdog.start()
  }

  /** Stalls since the beginning. */
  get count(): number {
    return this.#count
  }

  /** The app thread stops beating for good. */
  close(): void {
    this.#stop.abort()
    this.#watchdog.stop()
    this.#cap?.cancel()
  }

  async #stalled(ms: number): Promise<void> {
    const { control, clock, capMs, trigger, add } = this.#options
    this.#count++
    this.#last = undefined
    const beats = control.beats
    const stack = stackOfMainThread({
      clock,
      timeoutMs: STALL_STACK_WAIT_MS,
      stuck: () => control.beats === beats,
      signal: this.#stop.signal,
    })
    const inTime = await Promise.race([stack.then((text) => text ?? UNAVAILABLE), this.#wait()])
    if (this.#stop.signal.aborted) return
    const report = trigger(ms, inTime)
    if (report === undefined || report === this.#report) return
    // A program of many megabytes takes the engine longer; the incident does not wait for that.
    if (inTime === FOLLOWS)
      void stack.then((text) => text !== undefined && report.isOpen && add(report, text))
    report.extra = { stall: { ms: Math.round(ms), ongoing: true } }
    this.#report = report
    this.#cap = clock.after(capMs, () => this.#letGo())
    // It may have ended while the stack was asked for.
    if (this.#last !== undefined) this.#tell(this.#last)
  }

  #wait(): Promise<string> {
    return new Promise((resolve) => {
      this.#options.clock.after(STALL_STACK_WAIT_MS, () => resolve(FOLLOWS))
    })
  }

  #ended(ms: number, pausedMs: number): void {
    this.#last = { ms, pausedMs }
    this.#tell(this.#last)
  }

  #tell({ ms, pausedMs }: { readonly ms: number; readonly pausedMs: number }): void {
    if (this.#report === undefined) return
    this.#report.extra = { stall: { ms: Math.round(ms), pausedMs: Math.round(pausedMs), ongoing: false } }
    this.#letGo()
  }

  #letGo(): void {
    this.#cap?.cancel()
    const report = this.#report
    this.#report = undefined
    if (report?.isOpen === true) report.begin()
  }
}
