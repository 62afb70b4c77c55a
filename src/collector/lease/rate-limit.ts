import type { Clock } from '../../base/clock'
import { invalidOption } from '../../base/errors'
import { parseNumber, parseWhole } from '../../base/numbers'

/** How often something may be done: one each `everyMs`, and up to `burst` at once after a pause. */
export interface RateLimit {
  readonly everyMs: number
  readonly burst: number
}

/**
 * A rate as text, `250 ms, burst 8`, or as an object.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseRate(option: string, given: string | RateLimit): RateLimit {
  const { everyMs, burst } = typeof given === 'string' ? fromText(option, given) : given
  return {
    everyMs: parseNumber(`${option}.everyMs`, everyMs, 0, 3_600_000, 'milliseconds'),
    burst: parseWhole(`${option}.burst`, burst, 1, 100_000),
  }
}

function fromText(option: string, text: string): RateLimit {
  const [, amount, unit, burst] = /^\s*([\d.]+)\s*(ms|s)\s*(?:,\s*(?:burst\s+)?(\d+)\s*)?$/.exec(text) ?? []
  if (amount === undefined) throw invalidOption(option, 'a rate such as `250 ms, burst 8`', text)
  return { everyMs: Number(amount) * (unit === 's' ? 1000 : 1), burst: Number(burst ?? 1) }
}

/** A bucket of tokens: it begins full, and gets one back each `everyMs`. */
export class Rate {
  readonly #limit: RateLimit
  readonly #clock: Clock
  /** When the bucket is full again, on the monotonic clock: all that has to be remembered. */
  #fullAt: number

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
    this.#fullAt = clock.monotonic()
  }

  /** Takes a token, which there may be none of yet. @returns milliseconds to wait before doing what it is for */
  take(): number {
    const { everyMs, burst } = this.#limit
    const now = this.#clock.monotonic()
    this.#fullAt = Math.max(this.#fullAt, now) + everyMs
    return Math.max(0, this.#fullAt - now - burst * everyMs)
  }
}
