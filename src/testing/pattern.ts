import { isDeepStrictEqual } from 'node:util'
import { decodeEvent } from '../codec/decode'
import { EventEncoder } from '../codec/encoder'
import type { ErrorRecord, LogEvent, PlainObject } from '../event/event'
import { facilityMatches } from '../event/facility'
import { toJson } from '../event/json'
import { Redactor } from '../event/redact'
import { INFO, parseSeverity, type SeverityName } from '../event/severity'
import { messageText } from '../event/template'

/** What an event should have; what is not named may be anything. */
export interface EventPattern {
  readonly severity?: SeverityName | number
  /** Text: the message as it was logged or filled in, whole. RegExp: found in the one or the other. */
  readonly message?: string | RegExp
  /** This facility, or one below it. */
  readonly facility?: string
  /**
   * Fields that it has among others, and inside objects likewise. Values are compared as they are recorded: a Date is the
   * same as a Date of that time. A RegExp is looked for in the field's text.
   */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Text: the error's name or message, whole. RegExp: found in the one or the other. */
  readonly error?: string | RegExp
  readonly traceId?: string
  readonly parent?: number
}

/** @throws FlogError FLOG_OPTION_INVALID for a severity that is none */
export function matchesEvent(event: LogEvent, pattern: EventPattern): boolean {
  const { severity, message, facility, fields, error, traceId, parent } = pattern
  return (
    (severity === undefined || event.severity === parseSeverity('severity', severity)) &&
    (message === undefined ||
      [event.message, messageText(event)].some((text) => matchesText(text, message))) &&
    (facility === undefined || facilityMatches(facility, event.facility)) &&
    (fields === undefined || matchesFields(event.fields, fields)) &&
    (error === undefined || matchesError(event.error, error)) &&
    (traceId === undefined || event.traceId === traceId) &&
    (parent === undefined || event.parent === parent)
  )
}

function matchesText(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : text.search(wanted) >= 0
}

function matchesError(error: ErrorRecord | undefined, wanted: string | RegExp): boolean {
  return error !== undefined && [error.name, error.message].some((text) => matchesText(text, wanted))
}

function matchesFields(fields: PlainObject, wanted: Readonly<Record<string, unknown>>): boolean {
  const [patterns, values] = partition(Object.entries(wanted))
  const found = toJson(fields) as Readonly<Record<string, unknown>>
  return (
    patterns.every(([name, pattern]) => name in found && matchesText(textOf(found[name]), pattern)) &&
    includes(found, toJson(asRecorded(Object.fromEntries(values))))
  )
}

type Field<T> = readonly [name: string, value: T]

function partition(wanted: readonly Field<unknown>[]): [patterns: Field<RegExp>[], values: Field<unknown>[]] {
  const patterns: Field<RegExp>[] = []
  const values: Field<unknown>[] = []
  for (const [name, value] of wanted) {
    if (value instanceof RegExp) patterns.push([name, value])
    else values.push([name, value])
  }
  return [patterns, values]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The fields as an event of them would have them. */
function asRecorded(fields: object): PlainObject {
  const encoder = new EventEncoder(new Redactor({ defaults: false }))
  const length = encoder.encode(0, INFO, '', '', fields)
  return decodeEvent(encoder.bytes.slice(0, length)).fields
}

/** Whether `found` is `wanted`, or an object that has all of it. */
function includes(found: unknown, wanted: unknown): boolean {
  if (!isRecord(found) || !isRecord(wanted)) return isDeepStrictEqual(found, wanted)
  return Object.keys(wanted).every((name) => name in found && includes(found[name], wanted[name]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
