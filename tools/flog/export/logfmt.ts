import { isoMicros } from '../../../src/base/clock'
import type { Plain } from '../../../src/event/event'
import { toJson } from '../../../src/event/json'
import { severityName } from '../../../src/event/severity'
import { meaningOf } from '../../../src/event/tagged'
import { messageText } from '../../../src/event/template'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { DumpedFile, Target } from '../dump/write-parts'
import type { Output } from '../output'
import { jsonText } from '../terminal'

/** Keys that are the event's own; a field of that name gets `fields.` before it. */
const OWN_KEYS: ReadonlySet<string> = new Set(
  'time level facility msg seq service trigger error stack trace_id span_id parent thread cut'.split(' '),
)
/** What nobody takes for syntax. */
const BARE = /^[\w./:@+%,;~*-]+$/

/**
 * Events as logfmt, one a line: `time=… level=error msg="checkout failed" orderId=7`. Values with blanks, quotes or controls
 * are JSON texts; lists and maps are JSON in such a text. Header and trailer have no place in it.
 */
export function logfmtTarget(out: Output): Target {
  return {
    events(selected, file) {
      for (const recorded of selected) out.line(logfmtLine(recorded, file))
    },
  }
}

function logfmtLine({ event, mark }: RecordedEvent, { header }: Pick<DumpedFile, 'header'>): string {
  const { error, traceId, spanId, parent, thread, cut } = event
  const pairs: string[] = []
  const pair = (key: string, value: string | number | undefined): void => {
    if (value !== undefined) pairs.push(`${key}=${quoted(String(value))}`)
  }
  pair('time', isoMicros(event.time))
  pair('level', severityName(event.severity))
  if (event.facility !== '') pair('facility', event.facility)
  pair('msg', messageText(event))
  for (const [key, value] of Object.entries(event.fields)) pair(keyText(key), valueText(value))
  pair('error', error && (error.message === '' ? error.name : `${error.name}: ${error.message}`))
  pair('stack', error?.stack)
  pair('trace_id', traceId)
  pair('span_id', spanId)
  pair('parent', parent)
  pair('thread', thread)
  pair('cut', cut)
  pair('trigger', mark === 'trigger' ? 'true' : mark)
  pair('seq', event.seq)
  pair('service', header?.service === '' ? undefined : header?.service)
  return pairs.join(' ')
}

/** Keys have no blanks, quotes, equals signs or controls; there is no way to quote them. */
function keyText(key: string): string {
  const safe = key.replace(/[^\w.@/-]/gu, '_').slice(0, 64)
  return OWN_KEYS.has(safe) || !/^[A-Za-z_]/.test(safe) ? `fields.${safe}` : safe
}

function valueText(value: Plain): string {
  const meaning = meaningOf(value)
  if (meaning.kind === 'literal') return typeof meaning.value === 'string' ? meaning.value : String(value)
  const json = toJson(value)
  return typeof json === 'string' ? json : JSON.stringify(json)
}

function quoted(text: string): string {
  return BARE.test(text) ? text : jsonText(text)
}
