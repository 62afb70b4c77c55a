import type { LogEvent, Plain } from '../../../src/event/event'
import { renderPlain } from '../../../src/event/render'
import { severityName } from '../../../src/event/severity'
import type { Style } from '../style'
import { escapeLine, escapeLines } from '../terminal'
import { styledErrorLines } from './error-text'
import { MessageText } from './message-text'
import { grouped } from './words'

export type EventMark = 'trigger' | 'further'

const SEVERITY_WIDTH = 6
const FACILITY_MIN_WIDTH = 8
const FACILITY_MAX_WIDTH = 24
/** What stands before the lines below the first: no logged text can look like an event of its own. */
const RAIL = '│ '
/** Facilities, and names of fields, of which the text is remembered. */
const REMEMBERED = 1000
const NO_LINES: readonly string[] = []

/**
 * Events as text for people: time, severity, facility, message, what the message does not say of the fields; the error with
 * its stack and causes below. Every logged character is made safe for a terminal.
 *
 * A million of them are printed in a breath: what repeats is remembered, and texts of plain ASCII, which are nearly all, are
 * seen to be safe by one look.
 */
export class EventText {
  readonly #style: Style
  readonly #timeOf: (event: LogEvent) => string
  readonly #messages = new MessageText()
  readonly #severities: string[] = []
  readonly #facilities = new Map<string, string>()
  readonly #keys = new Map<string, string>()
  #facilityWidth = FACILITY_MIN_WIDTH

  constructor(style: Style, timeOf: (event: LogEvent) => string) {
    this.#style = style
    this.#timeOf = timeOf
  }

  /** Makes room for the facilities of events that come next, so that they are aligned from the first on. */
  widen(events: Iterable<LogEvent>): void {
    for (const { facility } of events) this.#widenTo(facility.length)
  }

  /**
   * The event's lines, each with its line end.
   * @param branch what stands before the message, to show what it belongs to
   * @param below the same for the lines below the first
   */
  render(event: LogEvent, mark?: EventMark, branch = '', below = ''): string {
    const time = this.#timeOf(event)
    const shape = this.#messages.shapeOf(event.message)
    const message = this.#messages.fill(event, shape)
    let first = message
    let more = NO_LINES
    if (!PLAIN_LINE.test(message)) [first = '', ...more] = escapeLines(message)
    const details = this.#details(event, shape)
    const { dim, alarm } = this.#style
    const head = `${mark === 'trigger' ? alarm(time) : dim(time)} ${this.#severity(event.severity)} ${this.#facility(event.facility)} ${branch}${this.#message(event, first, mark)}`
    let text =
      details === '' && mark === undefined
        ? head.trimEnd()
        : `${head}${details === '' ? '' : `  ${dim(details)}`}`
    if (mark !== undefined) text += `  ${alarm(mark === 'trigger' ? '◀ TRIGGER' : '◀ further trigger')}`
    text += '\n'
    if (more.length === 0 && event.error === undefined) return text
    const rail = `${' '.repeat(time.length + 1)}${below}${dim(RAIL)}`
    for (const line of more) text += `${`${rail}${line}`.trimEnd()}\n`
    if (event.error !== undefined)
      for (const line of styledErrorLines(event.error, this.#style)) text += `${`${rail}${line}`.trimEnd()}\n`
    return text
  }

  /** `key=value` of what the message does not show, separated by blanks. */
  #details(event: LogEvent, { shown, positional }: ReturnType<MessageText['shapeOf']>): string {
    const { fields, traceId, spanId, parent, thread, cut } = event
    let text = ''
    for (const key in fields) {
      if (shown.has(key)) continue
      const value = fields[key] as Plain
      if (positional && key === 'args' && Array.isArray(value)) continue
      text +=
        key === '$' && typeof value === 'number'
          ? ` … (+${grouped(value)} more fields)`
          : ` ${this.#key(key)}${valueText(value)}`
    }
    if (traceId !== undefined) text += ` trace=${escapeLine(traceId)}`
    if (spanId !== undefined) text += ` span=${escapeLine(spanId)}`
    if (parent !== undefined) text += ` parent=#${parent}`
    if (thread !== undefined) text += ` thread=${thread}`
    if (cut !== undefined) text += ` (${grouped(cut)} bytes were cut)`
    return text.slice(1)
  }

  #message(event: LogEvent, text: string, mark: EventMark | undefined): string {
    if (mark === 'trigger') return this.#style.bold(text)
    return event.severity >= 13 ? this.#style.severity(event.severity, text) : text
  }

  #severity(severity: number): string {
    const known = this.#severities[severity]
    if (known !== undefined) return known
    const text = this.#style.severity(severity, severityName(severity).padEnd(SEVERITY_WIDTH))
    this.#severities[severity] = text
    return text
  }

  #facility(facility: string): string {
    const known = this.#facilities.get(facility)
    if (known !== undefined) return known
    const text = escapeLine(facility)
    this.#widenTo(text.length)
    const column = this.#style.key(text.padEnd(this.#facilityWidth))
    if (this.#facilities.size >= REMEMBERED) this.#facilities.clear()
    this.#facilities.set(facility, column)
    return column
  }

  /** The column widens with what was seen so far, so that it is neither wide nor ragged. */
  #widenTo(width: number): void {
    const wider = Math.min(width, FACILITY_MAX_WIDTH)
    if (wider <= this.#facilityWidth) return
    this.#facilityWidth = wider
    this.#facilities.clear()
  }

  /** `key=`; keys that consist of `$` alone are stored with one more. */
  #key(key: string): string {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const text = `${escapeLine(/^\$+$/.test(key) ? key.slice(1) : key)}=`
    if (this.#keys.size >= REMEMBERED) this.#keys.clear()
    this.#keys.set(key, text)
    return text
  }
}

/** Nothing but printable ASCII: safe for any terminal. */
const PLAIN_LINE = /^[\x20-\x7e]*$/
/** Texts that are shown as they are, unless they would read as a value of another kind. */
const BARE = /^[A-Za-z/_][\w./:@#+$%&*~-]*$/
const WORD = /^(?:infinity|nan|true|false|null|undefined)$/i
const LONGEST_WORD = 9

/** As `renderPlain` has it, which is asked for whatever is neither a number nor a short word. */
function valueText(value: Plain): string {
  if (typeof value === 'number') return value === 0 ? renderPlain(value) : String(value)
  if (typeof value === 'string' && value.length <= 1000 && BARE.test(value))
    if (value.length > LONGEST_WORD || !WORD.test(value)) return value
  return renderPlain(value)
}
