import { isoMicros } from '../../../src/base/clock'
import type { ErrorRecord } from '../../../src/event/event'
import { toJson } from '../../../src/event/json'
import { severityName } from '../../../src/event/severity'
import { messageText } from '../../../src/event/template'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { DumpedFile, Target } from '../dump/write-parts'
import type { Output } from '../output'
import { escapeLine, jsonText } from '../terminal'

const COLUMNS = [
  'incident',
  'service',
  'seq',
  'time',
  'seconds',
  'severity',
  'facility',
  'message',
  'fields',
  'error',
  'stack',
  'trace_id',
  'span_id',
  'parent',
  'thread',
  'trigger',
] as const

/**
 * Events as CSV (RFC 4180): a line of names, then one record an event, lines ended by CR LF. `fields` is JSON; `seconds` counts
 * from the trigger. Controls are shown as escapes, except line feeds, which stay within their quotes.
 *
 * A cell that a spreadsheet would take for a formula begins with an apostrophe
 * (https://owasp.org/www-community/attacks/CSV_Injection); one that begins so by itself has one more.
 */
export function csvTarget(out: Output): Target {
  let begun = false
  const begin = (): void => {
    if (!begun) out.write(`${COLUMNS.join(',')}\r\n`)
    begun = true
  }
  return {
    header: begin,
    events(selected, file) {
      begin()
      for (const recorded of selected) out.write(`${csvRecord(recorded, file)}\r\n`)
    },
    end: begin,
  }
}

/** One cell: the text made safe, and quoted where it has to be. */
export function csvCell(text: string): string {
  const lines = text.split('\n').map(escapeLine).join('\n')
  const guarded = FORMULA.test(lines) ? `'${lines}` : lines
  return /[",\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}

/** Full-width signs too: some spreadsheets take them for the ordinary ones. */
const FORMULA = /^'*[=+\-@\t\r＝＋－＠|%]/

function csvRecord({ event, mark }: RecordedEvent, { header }: Pick<DumpedFile, 'header'>): string {
  const { error } = event
  const triggerTime = header?.trigger.event.time
  const cells: Readonly<Record<(typeof COLUMNS)[number], string | number | undefined>> = {
    incident: header?.id,
    service: header?.service,
    seq: event.seq,
    time: isoMicros(event.time),
    seconds: triggerTime === undefined ? undefined : (event.time - triggerTime) / 1e6,
    severity: severityName(event.severity),
    facility: event.facility,
    message: messageText(event),
    fields: jsonText(toJson(event.fields)),
    error: error && errorText(error),
    stack: error?.stack,
    trace_id: event.traceId,
    span_id: event.spanId,
    parent: event.parent,
    thread: event.thread,
    trigger: mark === 'trigger' ? 'true' : mark,
  }
  return COLUMNS.map((name) => {
    const value = cells[name]
    // A negative number is no formula.
    return typeof value === 'string' ? csvCell(value) : value === undefined ? '' : String(value)
  }).join(',')
}

function errorText({ name, message }: ErrorRecord): string {
  return message === '' ? name : `${name}: ${message}`
}
