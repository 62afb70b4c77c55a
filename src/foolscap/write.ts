import type { ErrorRecord, LogEvent, Plain, PlainObject } from '../event/event'
import { toJson } from '../event/json'
import { foolscapSeverity } from '../event/severity'
import { meaningOf } from '../event/tagged'
import { messageText } from '../event/template'
import type { IncidentHeader } from '../incident/header'
import { Float, type Value } from './json'
import { levelOf } from './levels'
import { MAGIC } from './magic'
import { formatPercent, textOfPieces } from './percent'
import { UNJSONABLE_TEXT } from './plain'

/** What the lines of one flogfile have in common. */
export interface FlogfileOrigin {
  readonly incarnation: string
  /** The events were Foolscap's before: some of their fields go back to where they came from. */
  readonly isForeign: boolean
  /** Microseconds: when the events came, for those that do not say; absent where each came when it was logged. */
  readonly receivedAt?: number
}

/**
 * First two lines of a flogfile: magic and header. A log that Foolscap kept keeps its type; all else is an incident.
 * @param header absent where it could not be read
 */
export function openingLines(header: IncidentHeader | undefined, origin: FlogfileOrigin): string {
  return `${MAGIC}${jsonText(new Map([['header', headerValue(header, origin)]]))}\n`
}

/** Whether a header is that of a log which Foolscap kept, and which no event set off. */
export function isLog({ trigger, extra }: IncidentHeader): boolean {
  return trigger.kind === 'manual' && typeof extra?.['foolscap'] === 'string'
}

/** The line of an event. */
export function eventLine(event: LogEvent, origin: FlogfileOrigin): string {
  const { from, rx_time: rxTime } = origin.isForeign ? event.fields : NO_FIELDS
  const received = typeof rxTime === 'number' ? rxTime : (origin.receivedAt ?? event.time) / 1e6
  const line = new Map<string, Value>([
    ['from', typeof from === 'string' ? from : 'local'],
    ['rx_time', new Float(received)],
    ['d', eventValue(event, origin)],
  ])
  return `${jsonText(line)}\n`
}

export function originOf(header: IncidentHeader | undefined): FlogfileOrigin {
  if (header === undefined) return { incarnation: '0000000000000000', isForeign: false }
  const { incarnation, openedAt, extra } = header
  return typeof extra?.['foolscap'] === 'string'
    ? { incarnation, isForeign: true, receivedAt: openedAt }
    : { incarnation, isForeign: false }
}

const NO_FIELDS: PlainObject = {}

function headerValue(header: IncidentHeader | undefined, origin: FlogfileOrigin): Value {
  const type = header?.extra?.['foolscap']
  if (header === undefined || isLog(header))
    return logHeader(header, typeof type === 'string' ? type : 'log-file-observer')
  const { trigger, versions, pid, extra, service, version } = header
  const apps = service === '' || service in versions ? {} : { [service]: version }
  return new Map<string, Value>([
    ['type', 'incident'],
    ['trigger', eventValue(trigger.event, origin)],
    ['versions', new Map(Object.entries({ ...versions, ...apps }))],
    ['pid', pid],
    ...extraEntries(extra),
  ])
}

function logHeader(header: IncidentHeader | undefined, type: string): Value {
  const { versions = {}, pid = 0, extra } = header ?? {}
  return new Map<string, Value>([
    ['type', type],
    ...(Object.keys(versions).length === 0
      ? []
      : [['versions', new Map(Object.entries(versions))] as [string, Value]]),
    ...(pid === 0 ? [] : [['pid', pid] as [string, Value]]),
    ...extraEntries(extra),
  ])
}

const HEADER_KEYS = ['type', 'trigger', 'versions', 'pid', 'foolscap']

function extraEntries(extra: PlainObject | undefined): [string, Value][] {
  return Object.entries(extra ?? {})
    .filter(([key]) => !HEADER_KEYS.includes(key))
    .map(([key, value]) => [key, pythonValue(value)])
}

/** Keys that mean something to Foolscap; a field of that name gets another one. */
const RESERVED = new Set([
  ...['num', 'time', 'incarnation', 'level', 'facility', 'message', 'format', 'args', 'parent'],
  ...['failure', 'isError', 'stacktrace'],
])
/** Fields that reading a flogfile has made of what has a place of its own there. */
const ENVELOPE = ['from', 'rx_time', 'level', 'incarnation']

/** An event as `log.msg` would have it: its own entries and its fields side by side. */
function eventValue(event: LogEvent, origin: FlogfileOrigin): Value {
  const { seq, severity, facility, error, parent, traceId, spanId, thread, cut, fields } = event
  const values = new Map<string, Value>()
  for (const [key, value] of Object.entries(fields)) {
    if (!origin.isForeign || !ENVELOPE.includes(key))
      values.set(freeName(key, value, values), pythonValue(value))
  }
  if (parent !== undefined) values.set('parent', parent)
  if (facility !== '') values.set('facility', facility)
  const others = { traceId, spanId, thread, cut }
  for (const [key, value] of Object.entries(others)) if (value !== undefined) values.set(key, value)
  if (error !== undefined) values.set('failure', failureOf(error)).set('isError', 1)
  values.set('num', seq)
  values.set('level', levelFor(severity, origin.isForeign ? fields['level'] : undefined))
  values.set('time', new Float(event.time / 1e6))
  values.set('incarnation', [
    incarnationFor(origin.isForeign ? fields['incarnation'] : undefined, origin),
    null,
  ])
  return new Map([...messageEntry(event, values), ...values])
}

function freeName(key: string, value: Plain, values: ReadonlyMap<string, Value>): string {
  if (key === 'stacktrace' && Array.isArray(value)) return key
  let name = /^\$+$/.test(key) && key.length > 1 ? key.slice(1) : key
  while (RESERVED.has(name) || values.has(name)) name += '_'
  return name
}

function levelFor(severity: number, level: Plain | undefined): Value {
  if (typeof level === 'number' && foolscapSeverity(level) === severity) return numberOf(level)
  return numberOf(levelOf(severity))
}

/** Of events of several processes, as gatherers collect them. */
function incarnationFor(field: Plain | undefined, origin: FlogfileOrigin): string {
  const first: unknown = Array.isArray(field) ? field[0] : undefined
  return typeof first === 'string' ? first : origin.incarnation
}

/** A template becomes a format as far as Foolscap then shows the same text; else the text as it is. */
function messageEntry(event: LogEvent, values: ReadonlyMap<string, Value>): readonly [string, Value][] {
  const text = messageText(event).toWellFormed()
  const format = formatOf(event.message)
  if (format !== undefined) {
    const pieces = formatPercent(format, values)
    if (pieces !== undefined && textOfPieces(pieces) === text) return [['format', format]]
  }
  return [['message', text]]
}

const TOKEN = /\{\{|\}\}|\{([^{}\s"',:()]{1,128})\}/g

function formatOf(template: string): string | undefined {
  let hasName = false
  const format = template.replaceAll('%', '%%').replace(TOKEN, (token, name: string | undefined) => {
    if (name === undefined) return token.slice(1)
    hasName = true
    return `%(${name.replaceAll('%%', '%')})s`
  })
  return hasName ? format : undefined
}

/** flogtool shows `str`, its page too; `traceback` is what a Failure has beside. */
function failureOf(error: ErrorRecord): Value {
  const headline = error.message === '' ? error.name : `${error.name}: ${error.message}`
  const stack = error.stack ?? headline
  const causes = [...(error.errors ?? []), ...(error.cause === undefined ? [] : [error.cause])]
  const below = causes.map((cause) => `\ncaused by: ${causeText(cause)}`).join('')
  const others = [
    ...(error.code === undefined ? [] : [['code', error.code] as [string, Value]]),
    ...(error.fields === undefined ? [] : [['fields', pythonValue(error.fields)] as [string, Value]]),
  ]
  return new Map<string, Value>([
    ['@', 'Failure'],
    ['str', `[Failure instance: ${stack.toWellFormed()}${below}\n]`],
    ['repr', `<twisted.python.failure.Failure ${headline.toWellFormed()}>`],
    ['traceback', `${stack.toWellFormed()}${below}\n`],
    ...others,
  ])
}

function causeText(cause: Plain): string {
  const meaning = meaningOf(cause)
  if (meaning.kind !== 'error') return JSON.stringify(toJson(cause)) ?? ''
  const { name, message, stack } = meaning.parts
  return String(stack ?? `${String(name)}: ${String(message)}`).toWellFormed()
}

/** What a program in Python would have logged. */
function pythonValue(value: Plain): Value {
  const meaning = meaningOf(value)
  switch (meaning.kind) {
    case 'literal':
      return typeof meaning.value === 'number' ? numberOf(meaning.value) : meaning.value
    case 'bigint':
      return /^-?\d{1,4000}$/.test(meaning.text) ? BigInt(meaning.text) : meaning.text
    case 'list':
      return meaning.missing > 0 ? jsonValue(toJson(value)) : meaning.items.map(pythonValue)
    case 'record':
      return meaning.missing > 0 ? jsonValue(toJson(value)) : dictOf(meaning.entries)
    default:
      return jsonValue(toJson(value))
  }
}

/** What stood for an object in Foolscap's file gets its explanation back. */
function dictOf(entries: readonly (readonly [string, Plain])[]): Value {
  const dict = new Map(entries.map(([key, item]) => [key, pythonValue(item)]))
  if (dict.get('@') === 'UnJSONable' && !dict.has('message')) dict.set('message', UNJSONABLE_TEXT)
  return dict
}

function jsonValue(value: unknown): Value {
  if (typeof value === 'number') return numberOf(value)
  if (Array.isArray(value)) return value.map(jsonValue)
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([key, item]) => [key, jsonValue(item)]))
  return typeof value === 'string' || typeof value === 'boolean' ? value : null
}

function numberOf(value: number): Value {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : new Float(value)
}

/** As `json.dumps` writes it: ASCII only, NaN and infinities as words. */
function jsonText(value: Value): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return textJson(value)
  if (value instanceof Float) return floatJson(value.value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, item]) => `${textJson(String(key))}: ${jsonText(item as Value)}`)
    return `{${entries.join(', ')}}`
  }
  return `[${(value as readonly Value[]).map(jsonText).join(', ')}]`
}

function textJson(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function floatJson(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}
