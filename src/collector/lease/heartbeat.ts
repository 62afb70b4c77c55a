import type { Clock, Timer } from '../../base/clock'
import { LEASE_MARGIN_MAX_MS } from '../../base/limits'
import type { Random } from '../../base/random'

export interface HeartbeatOptions {
  readonly clock: Clock
  readonly random: Random
  readonly intervalMs: number
  /** Moves the deadline in the database. False: there is nothing left to move. */
  readonly poke: () => Promise<boolean>
  /** Called once, when the lease can no longer be counted on. */
  readonly onLost: (why: string, cause: unknown) => void
}

/**
 * Keeps a lease alive, and knows how long it can be counted on.
 *
 * ```
 *  sent ── interval/3 ── sent ── interval/3 ── sent ✗ ─ /10 ─ sent ✗ ─ /10 ─ …          given up
 *   └──────────────────── confirmed until sent + interval − margin ─────────────────────────┘
 * ```
 * Only an answer of the database extends the time, counted from before the question was sent, by the monotonic clock: so
 * whoever is asked here stops before the database lets somebody else begin. An answer that does not come counts as none.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #marginMs: number
  #confirmedUntil: number
  #lastError: unknown
  #next: Timer | undefined
  #end: Timer | undefined
  #stopped = false

  /** @param sentAt monotonic time before the statement was sent that made the lease */
  constructor(options: HeartbeatOptions, sentAt: number) {
    this.#options = options
    this.#marginMs = Math.min(options.intervalMs / 10, LEASE_MARGIN_MAX_MS)
    this.#confirmedUntil = sentAt + options.intervalMs - this.#marginMs
    this.#plan(sentAt + options.intervalMs / 3)
    this.#watchEnd()
  }

  /** Monotonic milliseconds up to which the lease can be counted on. */
  get confirmedUntil(): number {
    return this.#confirmedUntil
  }

  /** Looks at the clock itself, for a timer may come late: to a thread that was busy, or stopped. */
  check(): boolean {
    if (!this.#stopped && this.#options.clock.monotonic() >= this.#confirmedUntil) {
      this.#lose('the database confirmed nothing in time')
    }
    return !this.#stopped
  }

  /** Asks the database at once. */
  beatNow(): void {
    void this.#poke()
  }

  stop(): void {
    this.#stopped = true
    this.#next?.cancel()
    this.#end?.cancel()
  }

  #lose(why: string): void {
    if (this.#stopped) return
    this.stop()
    this.#options.onLost(why, this.#lastError)
  }

  async #poke(): Promise<void> {
    if (!this.check()) return
    const { clock, intervalMs, poke, random } = this.#options
    const sentAt = clock.monotonic()
    // Whatever becomes of this one, the next is sent then: a question that is never answered must not be the last one.
    this.#plan(sentAt + intervalMs / 3)
    try {
      if (!(await poke())) return this.#lose('its row is gone, has ended or has expired')
      this.#confirm(sentAt)
    } catch (error) {
      this.#lastError = error
      this.#plan(clock.monotonic() + (intervalMs / 10) * (0.5 + random.fraction()))
    }
  }

  #confirm(sentAt: number): void {
    if (!this.check()) return
    const { intervalMs } = this.#options
    this.#lastError = undefined
    this.#confirmedUntil = Math.max(this.#confirmedUntil, sentAt + intervalMs - this.#marginMs)
    this.#plan(sentAt + intervalMs / 3)
    this.#watchEnd()
  }

  #plan(at: number): void {
    if (this.#stopped) return
    this.#next?.cancel()
    this.#next = this.#options.clock.after(this.#until(at), () => void this.#poke())
  }

  #watchEnd(): void {
    this.#end?.cancel()
    this.#end = this.#options.clock.after(this.#until(this.#confirmedUntil), () => {
      if (this.check()) this.#watchEnd()
    })
  }

  #until(at: number): number {
    return Math.max(0, Math.ceil(at - this.#options.clock.monotonic()))
  }
}
