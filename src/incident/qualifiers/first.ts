import { parseNumber, parseWhole } from '../../base/numbers'
import type { LogEvent } from '../../event/event'
import { fingerprintOf } from '../fingerprint'
import { eventText, type IncidentQualifier, type Qualification } from '../qualifier'
import { Scope, type ScopeOptions } from './options'

const HOUR_MS = 3_600_000

export interface FirstOccurrenceOptions extends ScopeOptions {
  /**
   * So many fingerprints last seen are remembered, 1 to 1,000,000, default 10,000; at most twice as many are
   * held.
   */
  readonly remember?: number
  /**
   * For so many milliseconds after the first event, occurrences are learned and do not qualify; default 0.
   */
  readonly learnMs?: number
}

/**
 * Qualifies the first event of each fingerprint (default: of warn and above) in the life of the process: what
 * never happened before is worth a look, however mild.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function firstOccurrence(options: FirstOccurrenceOptions = {}): IncidentQualifier {
  return new FirstOccurrenceQualifier(options)
}

class FirstOccurrenceQualifier implements IncidentQualifier {
  readonly minimumSeverity: number
  readonly #scope: Scope
  readonly #remember: number
  readonly #learnMicros: number
  /** Seen lately, and before that: when the former is full it becomes the latter, which is forgotten. */
  #lately = new Set<string>()
  #before = new Set<string>()
  #began: number | undefined

  constructor(options: FirstOccurrenceOptions) {
    this.#scope = new Scope('firstOccurrence', options, 'warn')
    this.minimumSeverity = this.#scope.minimumSeverity
    this.#remember = parseWhole('firstOccurrence.remember', options.remember ?? 10_000, 1, 1e6)
    this.#learnMicros =
      1000 * parseNumber('firstOccurrence.learnMs', options.learnMs ?? 0, 0, HOUR_MS, 'milliseconds')
  }

  qualifies(event: LogEvent): Qualification {
    if (!this.#scope.has(event)) return false
    this.#began ??= event.time
    const fingerprint = fingerprintOf(event)
    const known = this.#lately.has(fingerprint) || this.#before.has(fingerprint)
    this.#note(fingerprint)
    if (known || event.time - this.#began < this.#learnMicros) return false
    return { reason: `first ${eventText(event)} of its kind`, fingerprint }
  }

  #note(fingerprint: string): void {
    if (this.#lately.has(fingerprint)) return
    if (this.#lately.size >= this.#remember) {
      this.#before = this.#lately
      this.#lately = new Set()
    }
    this.#lately.add(fingerprint)
  }
}
