import { invalidOption } from '../../base/errors'
import type { LogEvent } from '../../event/event'
import { facilityMatches } from '../../event/facility'
import { parseSeverity, type SeverityName, severityName, TRACE } from '../../event/severity'
import { fromText } from '../qualifier'

/** Which events a qualifier looks at. */
export interface ScopeOptions {
  /** This severity or above. */
  readonly severity?: SeverityName | number
  /** This facility and all that lies under it; default all. */
  readonly facility?: string
}

/** The events that a qualifier looks at, and how to say so. */
export class Scope {
  readonly minimumSeverity: number
  readonly #facility: string

  /** @throws FlogError FLOG_OPTION_INVALID */
  constructor(qualifier: string, options: ScopeOptions, severity: SeverityName) {
    this.minimumSeverity = parseSeverity(`${qualifier}.severity`, options.severity ?? severity)
    this.#facility =
      options.facility === undefined ? '' : parseFacility(`${qualifier}.facility`, options.facility)
  }

  has(event: LogEvent): boolean {
    if (event.severity < this.minimumSeverity) return false
    // An event is decoded when its facility is asked for, so it is not asked for in vain.
    return this.#facility === '' || facilityMatches(this.#facility, event.facility)
  }

  /** `events of db.pool at warn or above` */
  toString(): string {
    const above = this.minimumSeverity === TRACE ? '' : ` at ${severityName(this.minimumSeverity)} or above`
    return `events${fromText(this.#facility)}${above}`
  }
}

/** @throws FlogError FLOG_OPTION_INVALID for what is no text, or empty */
export function parseFacility(option: string, facility: unknown): string {
  if (typeof facility === 'string' && facility !== '') return facility
  throw invalidOption(option, 'a facility such as "db.pool"', facility)
}

/** @throws FlogError FLOG_OPTION_INVALID for what is no text, or empty */
export function parseField(option: string, field: unknown): string {
  if (typeof field === 'string' && field !== '') return field
  throw invalidOption(option, 'the name of a field, such as "http.status"', field)
}
