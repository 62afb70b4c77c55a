import type { Random } from '../../base/random'

export interface BackoffOptions {
  /** Milliseconds before the first restart. */
  readonly errorDelayMs: number
  /** By what each further failure multiplies it; at least 1. */
  readonly backoffFactor: number
  /** Milliseconds that are never exceeded, also not by jitter. */
  readonly maxDelayMs: number
  /** The share by which a delay is lengthened or shortened at random, 0 to 1, so that parts do not restart in step. */
  readonly jitter: number
}

/** @param failures in a row, this one included @returns whole milliseconds before the restart */
export function restartDelay(options: BackoffOptions, failures: number, random: Random): number {
  const { errorDelayMs, backoffFactor, maxDelayMs, jitter } = options
  // A power that is too large for a number is Infinity, which the smaller of the two leaves out.
  const grown = Math.min(errorDelayMs * backoffFactor ** Math.max(0, failures - 1), maxDelayMs)
  const fuzz = 1 + jitter * (2 * random.fraction() - 1)
  return Math.round(Math.min(grown * fuzz, maxDelayMs))
}

/** How many earlier failures still count after a run of `ranMs` (undefined: it never started), however that ended. */
export function failuresAfter(failures: number, ranMs: number | undefined, resetMs: number): number {
  return ranMs !== undefined && ranMs >= resetMs ? 0 : failures
}
