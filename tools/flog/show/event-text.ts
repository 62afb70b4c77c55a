import type { ErrorRecord, LogEvent, Plain, PlainObject } from '../../../src/event/event'
import { renderPlain } from '../../../src/event/render'
import { severityName } from '../../../src/event/severity'
import { fillTemplate } from '../../../src/event/template'
import type { Style } from '../style'
import { escapeLine, escapeLines } from '../terminal'
import { grouped } from './words'

export type EventMark = 'trigger' | 'further'

const SEVERITY_WIDTH = 6
const FACILITY_MIN_WIDTH = 8
const FACILITY_MAX_WIDTH = 24
/** What stands before the lines below the first: no logged text can look like an event of its own. */
const RAIL = '│ '
const CAUSE_DEPTH = 16

/**
 * Events as text for people: time, severity, facility, message, what the message does not say of the fields; the error with
 * its stack and causes below. Every logged character is made safe for a terminal.
 */
export class EventText {
  readonly #style: Style
  readonly #timeOf: (event: LogEvent) => string
  #facilityWidth = FACILITY_MIN_WIDTH

  constructor(style: Style, timeOf: (event: LogEvent) => string) {
    this.#style = style
    this.#timeOf = timeOf
  }

  /** Makes room for the facilities of events that come next, so that they are aligned from the first on. */
  widen(events: Iterable<LogEvent>): void {
    for (const { facility } of events) this.#widenTo(facility.length)
  }

  /** The event's lines, each with its line end. */
  render(event: LogEvent, mark?: EventMark): string {
    const { dim, alarm } = this.#style
    const time = this.#timeOf(event)
    const [first = '', ...more] = escapeLines(fillTemplate(event.message, event.fields))
    const details = [...remainingFields(event), ...contextOf(event)].join(' ')
    const head = [
      mark === 'trigger' ? alarm(time) : dim(time),
      this.#style.severity(event.severity, severityName(event.severity).padEnd(SEVERITY_WIDTH)),
      this.#facility(event.facility),
      this.#message(event, first, mark),
    ].join(' ')
    const tail = details === '' ? '' : `  ${dim(details)}`
    const marked =
      mark === undefined ? '' : `  ${alarm(mark === 'trigger' ? '◀ TRIGGER' : '◀ further trigger')}`
    const indent = ' '.repeat(time.length + 1)
    const below = [...more, ...(event.error === undefined ? [] : errorLines(event.error))]
    return [`${head}${tail}${marked}`, ...below.map((line) => `${indent}${dim(RAIL)}${line}`)]
      .map((line) => `${line.trimEnd()}\n`)
      .join('')
  }

  #message(event: LogEvent, text: string, mark: EventMark | undefined): string {
    if (mark === 'trigger') return this.#style.bold(text)
    return event.severity >= 13 ? this.#style.severity(event.severity, text) : text
  }

  /** The column widens with what was seen so far, so that it is neither wide nor ragged. */
  #facility(facility: string): string {
    const text = escapeLine(facility)
    this.#widenTo(text.length)
    return this.#style.key(text.padEnd(this.#facilityWidth))
  }

  #widenTo(width: number): void {
    this.#facilityWidth = Math.max(this.#facilityWidth, Math.min(width, FACILITY_MAX_WIDTH))
  }
}

/** An error as lines: its stack, or name and message, then code and fields, then what caused it. */
export function errorLines(error: ErrorRecord, depth = CAUSE_DEPTH): string[] {
  const lines = escapeLines(error.stack ?? headline(error))
  const message = escapeLines(error.message)[0] ?? ''
  if (error.stack !== undefined && !lines.some((line) => line.includes(message)))
    lines.unshift(...escapeLines(headline(error)))
  const extra = [
    ...(error.code === undefined ? [] : [`code=${escapeLine(String(error.code))}`]),
    ...Object.entries(error.fields ?? {}).map(([key, value]) => `${escapeLine(key)}=${renderPlain(value)}`),
  ]
  if (extra.length > 0) lines.push(`  ${extra.join(' ')}`)
  if (depth === 0) return lines
  for (const one of error.errors ?? []) lines.push(...nested('one of: ', one, depth))
  if (error.cause !== undefined) lines.push(...nested('caused by: ', error.cause, depth))
  return lines
}

function nested(label: string, value: Plain, depth: number): string[] {
  const error = asError(value)
  const [first = '', ...rest] = error === undefined ? [renderPlain(value)] : errorLines(error, depth - 1)
  return [`${label}${first}`, ...rest]
}

/** A nested error is a plain object with the tag `error`. */
function asError(value: Plain): ErrorRecord | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value))
    return undefined
  const { message, name } = value as PlainObject
  if (typeof message !== 'string') return undefined
  return { ...(value as unknown as ErrorRecord), name: typeof name === 'string' ? name : 'Error', message }
}

function headline({ name, message }: ErrorRecord): string {
  return message === '' ? name : `${name}: ${message}`
}

const PLACEHOLDER = /\{([^{}\s"',:]{1,128})\}/g

/** `key=value` of the fields that the message did not show. */
function remainingFields({ message, fields }: LogEvent): string[] {
  const shown = new Set(Array.from(message.matchAll(PLACEHOLDER), (match) => match[1]))
  if (Array.isArray(fields['args']) && message.includes('%')) shown.add('args')
  return Object.entries(fields)
    .filter(([key]) => !shown.has(key))
    .map(([key, value]) => fieldText(key, value))
}

function fieldText(key: string, value: Plain): string {
  if (key === '$' && typeof value === 'number') return `… (+${grouped(value)} more fields)`
  return `${escapeLine(/^\$+$/.test(key) ? key.slice(1) : key)}=${renderPlain(value)}`
}

function contextOf(event: LogEvent): string[] {
  const { traceId, spanId, parent, thread, cut } = event
  return [
    ...(traceId === undefined ? [] : [`trace=${escapeLine(traceId)}`]),
    ...(spanId === undefined ? [] : [`span=${escapeLine(spanId)}`]),
    ...(parent === undefined ? [] : [`parent=#${parent}`]),
    ...(thread === undefined ? [] : [`thread=${thread}`]),
    ...(cut === undefined ? [] : [`(${grouped(cut)} bytes were cut)`]),
  ]
}
