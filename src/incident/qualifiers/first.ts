import { parseNumber, parseWhole } from '../../base/numbers'
import type { LogEvent } from '../../event/event'
import { fingerprintOf } from '../fingerprint'
import { eventText, type IncidentQualifier, type Qualification } from '../qualifier'
import { Scope, type ScopeOptions } from './options'

const HOUR_MS = 3_600_000

export interface FirstOccurrenceOptions extends ScopeOptions {
  /** Fingerprints that are remembered, 1 to 1,000,000, default 10,000; the one not seen for longest is forgotten. */
  readonly remember?: number
  /** For so many milliseconds after the first event, occurrences are learned and do not qualify; default 0. */
  readonly learnMs?: number
}

/**
 * Qualifies the first event of each fingerprint (default: of warn and above) in the life of the process: what never
 * happened before is worth a look, however mild.
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
  /** In the order in which they were last seen. */
  readonly #seen = new Set<string>()
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
    const known = this.#seen.delete(fingerprint)
    this.#seen.add(fingerprint)
    if (this.#seen.size > this.#remember) this.#forgetOldest()
    if (known || event.time - this.#began < this.#learnMicros) return false
    return { reason: `first ${eventText(event)} of its kind`, fingerprint }
  }

  #forgetOldest(): void {
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest)
      return
    }
  }
}
