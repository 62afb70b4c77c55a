import { REMOTE_BACKOFF_FIRST_MS, REMOTE_BACKOFF_MAX_MS } from '../base/limits'
import type { Random } from '../base/random'

export interface BackoffOptions {
  /** Bound of the first wait, in ms; default 250. */
  readonly firstMs?: number
  /** Bound of every wait, in ms; default 30,000. */
  readonly maxMs?: number
}

/**
 * How long to wait before the next attempt: a random time below a bound that doubles with each failure ("full
 * jitter"), so that a thousand clients that lost one server do not come back in step.
 */
export class Backoff {
  readonly #random: Random
  readonly #firstMs: number
  readonly #maxMs: number
  #failures = 0

  constructor(random: Random, options: BackoffOptions = {}) {
    this.#random = random
    this.#firstMs = options.firstMs ?? REMOTE_BACKOFF_FIRST_MS
    this.#maxMs = options.maxMs ?? REMOTE_BACKOFF_MAX_MS
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const bound = Math.min(this.#maxMs, this.#firstMs * 2 ** this.#failures)
    if (bound < this.#maxMs) this.#failures++
    return this.#random.fraction() * bound
  }

  /** After a success that lasted. */
  reset(): void {
    this.#failures = 0
  }
}
