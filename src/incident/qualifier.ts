import { invalidOption } from '../base/errors'
import { parseNumber } from '../base/numbers'
import type { LogEvent } from '../event/event'
import { bandName } from '../event/severity'

/**
 * What a qualifier says of an event: whether an incident begins with it; why, for people; and, where the
 * incident is not about this one event, a fingerprint that incidents of the same trouble share.
 */
export type Qualification = boolean | { readonly reason: string; readonly fingerprint?: string }

/**
 * Decides, at each event, whether an incident begins. A subclass, or any object of this shape, will do.
 *
 * `qualifies` is called synchronously within the call that logged, so it must be quick. One that throws never
 * breaks logging: the recorder reports it and goes on. Incident limits stand behind every qualifier, so it
 * need not count what it let through.
 */
export abstract class IncidentQualifier {
  /**
   * A promise that events below this severity never qualify and need not be shown: the recorder does not even
   * look at them. Without it every event is decoded and shown, which costs a few microseconds each.
   */
  declare readonly minimumSeverity?: number
  /**
   * A promise that the answer depends on the event alone, not on earlier ones; `all` and `not` look at fewer
   * then.
   */
  declare readonly stateless?: boolean

  abstract qualifies(event: LogEvent): Qualification
}

/** What the option `qualifier` takes. */
export type QualifierOption = IncidentQualifier | ((event: LogEvent) => Qualification)

/**
 * The qualifier of an option.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function toQualifier(option: string, given: unknown): IncidentQualifier {
  if (typeof given === 'function') return { qualifies: given as (event: LogEvent) => Qualification }
  if (!isQualifier(given))
    throw invalidOption(option, 'a qualifier such as severityAtLeast("error"), or a function', given)
  if (given.minimumSeverity !== undefined)
    parseNumber(`${option}.minimumSeverity`, given.minimumSeverity, 1, 25)
  return given
}

/** An event that qualified. */
export interface Qualified {
  readonly reason: string
  readonly fingerprint?: string
}

/** What a qualification means: undefined where the event does not qualify; a bare `true` gets a reason. */
export function qualified(qualification: Qualification, event: LogEvent): Qualified | undefined {
  if (typeof qualification === 'object' && qualification !== null) return qualification
  return qualification === true ? { reason: eventText(event) } : undefined
}

/** `error event of db.pool` */
export function eventText(event: LogEvent): string {
  return `${bandName(event.severity)} event${fromText(event.facility)}`
}

/** ` of db.pool`, or nothing where no facility is given. */
export function fromText(facility: string): string {
  return facility === '' ? '' : ` of ${facility}`
}

function isQualifier(given: unknown): given is IncidentQualifier {
  return (
    typeof given === 'object' &&
    given !== null &&
    'qualifies' in given &&
    typeof given.qualifies === 'function'
  )
}
