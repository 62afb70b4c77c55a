import type { EventExtras } from '../codec/encoder'
import { currentContext } from '../event/context'
import { facilityName } from '../event/facility'
import { DEBUG, ERROR, FATAL, INFO, parseSeverity, type SeverityName, TRACE, WARN } from '../event/severity'
import type { Capture, Stamp } from './capture'

/** Fields of one event: an object, or an Error, which becomes the event's error. */
export type Fields = object | undefined

export interface ChildOptions {
  /** Dotted name of the part that logs; replaces the parent's. */
  readonly facility?: string
  /** Fields of all its events, taken by value now; laid over the parent's. */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** One event with everything that can be said of it. */
export interface EventInput {
  readonly severity: number | SeverityName
  readonly message: unknown
  readonly fields?: unknown
  readonly facility?: string
  readonly error?: unknown
  readonly traceId?: string
  readonly spanId?: string
  readonly parent?: number
  /** Microseconds since the epoch; default now. For lines that say themselves when they were written. */
  readonly time?: number
  /** From {@link Logger.stamp}: where and when in the order the event was logged. */
  readonly stamp?: Stamp
}

/**
 * Logs into a recorder, under a facility and with fields of its own. No method throws, whatever it is given, and none
 * waits: except for the one whose event begins an incident, which returns when the incident's history is written.
 */
export class Logger {
  /** @internal */
  readonly events: Capture
  readonly facility: string
  readonly #extras: EventExtras | undefined

  /** @internal */
  constructor(capture: Capture, facility = '', extras?: EventExtras) {
    this.events = capture
    this.facility = facility
    this.#extras = extras
  }

  /** @returns the event's `seq`, for `parent` */
  trace(message: unknown, fields?: Fields): number {
    return this.#write(TRACE, message, fields)
  }

  debug(message: unknown, fields?: Fields): number {
    return this.#write(DEBUG, message, fields)
  }

  info(message: unknown, fields?: Fields): number {
    return this.#write(INFO, message, fields)
  }

  warn(message: unknown, fields?: Fields): number {
    return this.#write(WARN, message, fields)
  }

  error(message: unknown, fields?: Fields): number {
    return this.#write(ERROR, message, fields)
  }

  fatal(message: unknown, fields?: Fields): number {
    return this.#write(FATAL, message, fields)
  }

  /** @param severity 1–24 or a name; anything else is recorded as info */
  log(severity: number | SeverityName, message: unknown, fields?: Fields): number {
    return this.#write(severityNumber(severity), message, fields)
  }

  /** Records an event of which more is known than message and fields. */
  record(event: EventInput): number {
    const { error, traceId, spanId, parent } = event
    const around = this.#around()
    const special = error !== undefined || traceId !== undefined || spanId !== undefined || parent !== undefined
    const extras = special ? overlay(around, { error, traceId, spanId, parent }) : around
    let { stamp } = event
    if (stamp === undefined && event.time !== undefined) stamp = { ...this.events.stamp(), time: event.time }
    const facility = event.facility === undefined ? this.facility : facilityName(event.facility)
    return this.events.record(severityNumber(event.severity), event.message, facility, event.fields, extras, stamp)
  }

  /** Time and place in the order now, for {@link record} later. Each stamp belongs to exactly one event. */
  stamp(): Stamp {
    return this.events.stamp()
  }

  child(options: ChildOptions): Logger {
    const fields = options.fields === undefined ? undefined : { ...this.#extras?.bound, ...options.fields }
    const extras = fields === undefined ? this.#extras : { ...this.#extras, bound: fields }
    const facility = options.facility === undefined ? this.facility : facilityName(options.facility)
    return new Logger(this.events, facility, extras)
  }

  #write(severity: number, message: unknown, fields: Fields): number {
    if (message instanceof Error && fields === undefined) {
      return this.#writeError(severity, message)
    }
    return this.events.record(severity, message, this.facility, fields, this.#around())
  }

  /** `logger.error(error)`: the message is the error's. */
  #writeError(severity: number, error: Error): number {
    const extras = overlay(this.#around(), { error })
    return this.events.record(severity, error, this.facility, undefined, extras)
  }

  /** What the logger and the running activity add to each event. */
  #around(): EventExtras | undefined {
    const context = currentContext()
    if (context === undefined) return this.#extras
    const { fields, ...ids } = context
    const bound = this.#extras?.bound
    if (fields === undefined) return { ...this.#extras, ...ids }
    return { ...this.#extras, ...ids, bound: bound === undefined ? fields : { ...fields, ...bound } }
  }
}

function overlay(base: EventExtras | undefined, extras: EventExtras): EventExtras {
  const given = Object.entries(extras).filter(([, value]) => value !== undefined)
  return { ...base, ...Object.fromEntries(given) }
}

function severityNumber(severity: unknown): number {
  if (typeof severity === 'number' && severity >= 1 && severity <= 24) return Math.trunc(severity)
  try {
    return parseSeverity('severity', severity)
  } catch {
    return INFO
  }
}
