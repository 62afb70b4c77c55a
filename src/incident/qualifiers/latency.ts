import { parseNumber, parseWhole } from '../../base/numbers'
import type { LogEvent } from '../../event/event'
import { fieldAt } from '../../event/tagged'
import { fingerprintOfText } from '../fingerprint'
import { fromText, type IncidentQualifier, type Qualification } from '../qualifier'
import { parseField, Scope, type ScopeOptions } from './options'
import { SlidingPercentile } from './percentile'

/** Eight bytes are held twice for each; inserting one moves half of them. */
const MAX_WINDOW = 10_000

export interface LatencyOptions extends ScopeOptions {
  /** Numeric field, by name or dotted path; events that lack it are not looked at. */
  readonly field: string
  /** 1 to 100, default 99. */
  readonly percentile?: number
  /** So many of the newest values are what is usual; 10 to 10,000, default 1000. */
  readonly windowEvents?: number
  /** A value so many times the percentile qualifies; at least 1, default 3. */
  readonly factor?: number
  /** Values up to this never qualify, in the field's own unit; default 0. */
  readonly floor?: number
  /** Nothing qualifies before so many values were seen; up to `windowEvents`, default a tenth of that. */
  readonly minimumEvents?: number
}

/**
 * Qualifies an event whose number is far above what was usual: more than `factor` times the `percentile`th
 * percentile of the `windowEvents` values before it. Looks at events of debug and above unless told
 * otherwise.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function latency(options: LatencyOptions): IncidentQualifier {
  return new LatencyQualifier(options)
}

class LatencyQualifier implements IncidentQualifier {
  readonly minimumSeverity: number
  readonly #scope: Scope
  readonly #field: string
  readonly #percentile: number
  readonly #factor: number
  readonly #floor: number
  readonly #minimumEvents: number
  readonly #usual: SlidingPercentile

  constructor(options: LatencyOptions) {
    const window = parseWhole('latency.windowEvents', options.windowEvents ?? 1000, 10, MAX_WINDOW)
    const fewest = options.minimumEvents ?? Math.ceil(window / 10)
    this.#scope = new Scope('latency', options, 'debug')
    this.minimumSeverity = this.#scope.minimumSeverity
    this.#field = parseField('latency.field', options.field)
    this.#percentile = parseNumber('latency.percentile', options.percentile ?? 99, 1, 100)
    this.#factor = parseNumber('latency.factor', options.factor ?? 3, 1, 1e6)
    this.#floor = parseNumber('latency.floor', options.floor ?? 0, 0, Infinity)
    this.#minimumEvents = parseWhole('latency.minimumEvents', fewest, 1, window)
    this.#usual = new SlidingPercentile(window)
  }

  qualifies(event: LogEvent): Qualification {
    if (!this.#scope.has(event)) return false
    const value = fieldAt(event.fields, this.#field)
    if (typeof value !== 'number' || !Number.isFinite(value)) return false
    const seen = this.#usual.size
    const usual = this.#usual.at(this.#percentile)
    this.#usual.add(value)
    if (seen < this.#minimumEvents || value <= this.#floor || value <= usual * this.#factor) return false
    return {
      reason:
        `${this.#field} ${short(value)}${fromText(event.facility)} is over ${this.#factor} times ${short(usual)}, ` +
        `percentile ${this.#percentile} of the ${seen} before`,
      fingerprint: fingerprintOfText('latency', this.#field, event.facility),
    }
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}
