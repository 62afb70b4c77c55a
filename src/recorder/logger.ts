import type { EventExtras } from '../codec/encoder'
import { isError } from '../codec/flat'
import { thrownText } from '../codec/hostile'
import { currentContext } from '../event/context'
import { facilityName } from '../event/facility'
import { DEBUG, ERROR, FATAL, INFO, parseSeverity, type SeverityName, TRACE, WARN } from '../event/severity'
import type { Capture, Stamp } from './capture'

/** Fields of one event: an object, or an Error, which becomes the event's error. */
export type Fields = object | undefined

export interface ChildOptions {
  /** Dotted name of the part that logs; replaces the parent's. */
  readonly facility?: string
  /** Fields of all its events, laid over the parent's; what they hold is read when an event is logged. */
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
    try {
      const { severity, message, fields } = event
      const facility = event.facility === undefined ? this.facility : facilityName(event.facility)
      const stamp = this.#stampOf(event)
      const number = severityNumber(severity)
      return this.events.record(number, message, facility, fields, this.#extrasOf(event), stamp)
    } catch (error) {
      return this.events.record(WARN, 'an event could not be read', this.facility, undefined, { error })
    }
  }

  /** Time and place in the order now, for {@link record} later. Each stamp belongs to exactly one event. */
  stamp(): Stamp {
    return this.events.stamp()
  }

  /** A logger of the same recorder. Fields that cannot be read are left out. */
  child(options: ChildOptions): Logger {
    const { facility, fields } = given(options)
    const name = facility === undefined ? this.facility : facilityName(facility)
    const bound = fields === undefined ? undefined : laidOver(this.#extras?.bound, fields)
    return new Logger(this.events, name, bound === undefined ? this.#extras : { ...this.#extras, bound })
  }

  #write(severity: number, message: unknown, fields: Fields): number {
    if (typeof message === 'object' && fields === undefined && isError(message)) {
      return this.#writeError(severity, message)
    }
    return this.events.record(severity, message, this.facility, fields, this.#around())
  }

  /** `logger.error(error)`: the message is the error's. */
  #writeError(severity: number, error: Error): number {
    const extras = { ...this.#around(), error }
    return this.events.record(severity, error, this.facility, undefined, extras)
  }

  /** What the logger and the running activity add to each event. */
  #around(): EventExtras | undefined {
    const context = currentContext()
    if (context === undefined) return this.#extras
    const { traceId, spanId, parent, fields } = given(context)
    const own = this.#extras?.bound
    const bound = fields === undefined ? own : own === undefined ? fields : laidOver(fields, own)
    return bound === undefined ? { traceId, spanId, parent } : { traceId, spanId, parent, bound }
  }

  #extrasOf({ error, traceId, spanId, parent }: EventInput): EventExtras | undefined {
    const around = this.#around()
    if (error === undefined && traceId === undefined && spanId === undefined && parent === undefined)
      return around
    return {
      ...around,
      ...(error !== undefined && { error }),
      ...(traceId !== undefined && { traceId }),
      ...(spanId !== undefined && { spanId }),
      ...(parent !== undefined && { parent }),
    }
  }

  /** An event without a place in the order would spoil the order of all. */
  #stampOf({ stamp, time }: EventInput): Stamp | undefined {
    if (stamp !== undefined && Number.isSafeInteger(stamp.seq) && stamp.seq >= 0 && isTime(stamp.time))
      return stamp
    return isTime(time) ? { ...this.events.stamp(), time: Math.round(time) } : undefined
  }
}

const NOTHING: Readonly<Record<string, never>> = Object.freeze({})

/** What somebody passed for an object. */
function given<T extends object>(value: T | null | undefined): Partial<T> {
  return typeof value === 'object' && value !== null ? value : (NOTHING as Partial<T>)
}

/** The fields of both, of equal names the upper ones, without those that cannot be read. */
function laidOver(
  lower: EventExtras['bound'],
  upper: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  try {
    return { ...lower, ...upper }
  } catch {
    const both: Record<string, unknown> = {}
    for (const fields of [lower ?? NOTHING, upper]) {
      for (const name of namesOf(fields)) takeField(both, name, fields)
    }
    return both
  }
}

function namesOf(fields: object): readonly string[] {
  try {
    return Object.keys(fields)
  } catch {
    return []
  }
}

function takeField(
  into: Record<string, unknown>,
  name: string,
  from: Readonly<Record<string, unknown>>,
): void {
  try {
    into[name] = from[name]
  } catch (error) {
    into[name] = `[threw ${thrownText(error)}]`
  }
}

/** Microseconds since the epoch. */
function isTime(time: unknown): time is number {
  return typeof time === 'number' && time >= 0 && time < Number.MAX_SAFE_INTEGER
}

function severityNumber(severity: unknown): number {
  if (typeof severity === 'number' && severity >= 1 && severity <= 24) return Math.trunc(severity)
  try {
    return parseSeverity('severity', severity)
  } catch {
    return INFO
  }
}
