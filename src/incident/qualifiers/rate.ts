import { parseNumber, parseWhole } from '../../base/numbers'
import type { LogEvent } from '../../event/event'
import { fingerprintOfText } from '../fingerprint'
import type { IncidentQualifier, Qualification } from '../qualifier'
import { Scope, type ScopeOptions } from './options'

/** Eight bytes are held for each. */
const MAX_COUNT = 100_000
const DAY_MS = 86_400_000

export interface RateOptions extends ScopeOptions {
  /** So many events within the window qualify; 1 to 100,000. */
  readonly count: number
  /** Milliseconds of the events' own time, up to a day. */
  readonly windowMs: number
}

/**
 * Qualifies when `count` events (default: warn or above) fall within `windowMs`: ten warnings in a second are
 * an incident though none of them is. It then begins to count anew, so that a long burst qualifies once every
 * `count` events.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function rateAbove(options: RateOptions): IncidentQualifier {
  return new RateQualifier(options)
}

class RateQualifier implements IncidentQualifier {
  readonly minimumSeverity: number
  readonly #scope: Scope
  readonly #windowMicros: number
  readonly #fingerprint: string
  /**
   * Times of the newest events, as a ring: `#next` is where the next one goes, which is where the oldest one
   * is.
   */
  readonly #times: Float64Array
  #next = 0
  #counted = 0

  constructor(options: RateOptions) {
    const count = parseWhole('rateAbove.count', options.count, 1, MAX_COUNT)
    const windowMs = parseNumber('rateAbove.windowMs', options.windowMs, 1, DAY_MS, 'milliseconds')
    this.#scope = new Scope('rateAbove', options, 'warn')
    this.minimumSeverity = this.#scope.minimumSeverity
    this.#times = new Float64Array(count)
    this.#windowMicros = windowMs * 1000
    this.#fingerprint = fingerprintOfText('rateAbove', `${this.#scope}`, `${count}`, `${windowMs}`)
  }

  qualifies(event: LogEvent): Qualification {
    if (!this.#scope.has(event)) return false
    const count = this.#times.length
    this.#times[this.#next] = event.time
    this.#next = (this.#next + 1) % count
    this.#counted++
    if (this.#counted < count) return false
    // Absolute: after the wall clock was set back, what came before it is far away too.
    const span = Math.abs(event.time - (this.#times[this.#next] ?? 0))
    if (span > this.#windowMicros) return false
    this.#counted = 0
    return { reason: `${count} ${this.#scope} within ${durationText(span)}`, fingerprint: this.#fingerprint }
  }
}

function durationText(micros: number): string {
  return micros < 1e6 ? `${Math.round(micros / 1000)} ms` : `${Number((micros / 1e6).toFixed(1))} s`
}
