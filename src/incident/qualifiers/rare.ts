import { parseNumber, parseWhole } from '../../base/numbers'
import type { LogEvent } from '../../event/event'
import { renderPlain } from '../../event/render'
import { fieldAt } from '../../event/tagged'
import { fingerprintOfText } from '../fingerprint'
import { fromText, type IncidentQualifier, type Qualification } from '../qualifier'
import { parseField, Scope, type ScopeOptions } from './options'

/** At most 64 characters are held for each. */
const MAX_WINDOW = 100_000
const VALUE_CHARS = 64
/**
 * A field with more different values than one in so many events is an id: every value of it is rare, so none
 * is.
 */
const EVENTS_PER_VALUE = 10

export interface RareValueOptions extends ScopeOptions {
  /** Field, by name or dotted path; events that lack it are not looked at. */
  readonly field: string
  /** The newest so many values are compared; 10 to 100,000, default 1000. */
  readonly windowEvents?: number
  /** A value that made up at most this share of them is rare; 0 (never seen) to 1, default 0.001. */
  readonly share?: number
  /** Nothing qualifies before so many values were seen; up to `windowEvents`, default half of that. */
  readonly minimumEvents?: number
}

/**
 * Qualifies an event whose field has a value that was rare or never seen among the values before: a status
 * 500 where all were 200. Looks at events of debug and above unless told otherwise. A field with ever new
 * values never qualifies.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function rareValue(options: RareValueOptions): IncidentQualifier {
  return new RareValueQualifier(options)
}

class RareValueQualifier implements IncidentQualifier {
  readonly minimumSeverity: number
  readonly #scope: Scope
  readonly #field: string
  readonly #window: number
  readonly #share: number
  readonly #minimumEvents: number
  /** The newest values, as a ring, and how often each is in it. */
  readonly #values: string[] = []
  readonly #counts = new Map<string, number>()
  #next = 0

  constructor(options: RareValueOptions) {
    this.#window = parseWhole('rareValue.windowEvents', options.windowEvents ?? 1000, 10, MAX_WINDOW)
    const fewest = options.minimumEvents ?? Math.ceil(this.#window / 2)
    this.#scope = new Scope('rareValue', options, 'debug')
    this.minimumSeverity = this.#scope.minimumSeverity
    this.#field = parseField('rareValue.field', options.field)
    this.#share = parseNumber('rareValue.share', options.share ?? 0.001, 0, 1)
    this.#minimumEvents = parseWhole('rareValue.minimumEvents', fewest, 1, this.#window)
  }

  qualifies(event: LogEvent): Qualification {
    if (!this.#scope.has(event)) return false
    const field = fieldAt(event.fields, this.#field)
    if (field === undefined) return false
    const value = renderPlain(field, VALUE_CHARS)
    const seen = this.#values.length
    const before = this.#counts.get(value) ?? 0
    const tooMany = this.#counts.size * EVENTS_PER_VALUE > seen
    this.#add(value)
    if (seen < this.#minimumEvents || tooMany || before > seen * this.#share) return false
    return {
      reason: `${this.#field} ${value}${fromText(event.facility)} was ${before} of the ${seen} values before`,
      fingerprint: fingerprintOfText('rareValue', this.#field, event.facility, value),
    }
  }

  #add(value: string): void {
    const oldest = this.#values[this.#next]
    if (oldest !== undefined) this.#forget(oldest)
    this.#values[this.#next] = value
    this.#next = (this.#next + 1) % this.#window
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1)
  }

  #forget(value: string): void {
    const count = this.#counts.get(value) ?? 0
    if (count > 1) this.#counts.set(value, count - 1)
    else this.#counts.delete(value)
  }
}
