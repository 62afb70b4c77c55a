import { LEASE_BACKOFF_JITTER, LEASE_BACKOFF_MAX_MS, LEASE_BACKOFF_MIN_MS } from '../../base/limits'
import { checkNames } from '../../base/names'
import { parseNumber, parseWhole } from '../../base/numbers'
import type { Random } from '../../base/random'

/** How long a subject is left alone after a process failed on it. */
export interface Backoff {
  /** Milliseconds after the first failure; at least one second, which is also the default. */
  readonly initialMs?: number
  /** The longest interval; default one hour. One that is below `initialMs` counts as `initialMs`. */
  readonly maximumMs?: number
  /** What the interval grows by at each further failure; default 1, no growth, as is anything below it. */
  readonly exponent?: number
  /** Share of the interval, 0 to 1, by which the moment of the next attempt may lie off it; default 0.1. */
  readonly jitter?: number
  /** Failures in a row after which nothing is tried any more until somebody says so; default Infinity. */
  readonly maxAttempts?: number
}

/**
 * The interval to wait after one more failure, whole milliseconds, before jitter.
 * @param previousMs the interval after the failure before, undefined after the first
 */
export function nextBackoff(backoff: Backoff | undefined, previousMs: number | undefined): number {
  const last = Math.max(previousMs ?? 0, LEASE_BACKOFF_MIN_MS)
  if (backoff === undefined) return Math.ceil(last)
  const initial = Math.max(backoff.initialMs ?? 0, LEASE_BACKOFF_MIN_MS)
  const maximum = Math.max(backoff.maximumMs ?? LEASE_BACKOFF_MAX_MS, initial)
  const exponent = backoff.exponent ?? 1
  // Without growth it is the same interval each time; an exponent that would shrink it means "no growth" as well.
  if (previousMs === undefined || exponent === 0 || exponent === 1)
    return Math.min(Math.ceil(initial), maximum)
  if (exponent < 1) return Math.min(Math.ceil(last), maximum)
  return Math.min(Math.max(wholeMs(last * exponent), last + 1), maximum)
}

/** Where the next attempt lies when `intervalMs` are to be waited: off by at most its jitter. */
export function jittered(backoff: Backoff | undefined, intervalMs: number, random: Random): number {
  const share = backoff?.jitter ?? LEASE_BACKOFF_JITTER
  return Math.max(0, Math.round(intervalMs * (1 + share * (2 * random.fraction() - 1))))
}

/** Whether a process has no attempts left after so many failures in a row. */
export function isDead(backoff: Backoff | undefined, attempts: number): boolean {
  return attempts >= (backoff?.maxAttempts ?? Infinity)
}

/**
 * Backoff of an option, checked.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseBackoff(option: string, given: Backoff): Backoff {
  checkNames(option, given, ['initialMs', 'maximumMs', 'exponent', 'jitter', 'maxAttempts'])
  const { initialMs, maximumMs, exponent, jitter, maxAttempts } = given
  if (initialMs !== undefined) parseNumber(`${option}.initialMs`, initialMs, 0, Number.MAX_SAFE_INTEGER)
  if (maximumMs !== undefined) parseNumber(`${option}.maximumMs`, maximumMs, 0, Number.MAX_SAFE_INTEGER)
  if (exponent !== undefined) parseNumber(`${option}.exponent`, exponent, 0, 1000)
  if (jitter !== undefined) parseNumber(`${option}.jitter`, jitter, 0, 1)
  if (maxAttempts !== undefined) parseWhole(`${option}.maxAttempts`, maxAttempts, 1, Infinity)
  return given
}

/** Rounds up, but not for what only floating point added: 60,000 × 1.1 is 66,000. */
function wholeMs(value: number): number {
  return Math.ceil(value * (1 - 1e-12))
}
