import { renderPlain } from '../../../src/event/render'
import { bandIndex, severityName, severityOf } from '../../../src/event/severity'
import { fillTemplate } from '../../../src/event/template'
import type { Verdict } from '../../../src/incident/damage'
import type {
  CloseReason,
  IncidentHeader,
  IncidentTrailer,
  RewriteMark,
  SuppressedCounts,
  TriggerRecord,
} from '../../../src/incident/header'
import { errorChain } from '../../../src/query/filter/errors'
import type { RingState } from '../../../src/ring/layout'
import type { Style } from '../style'
import { clip, escapeLine } from '../terminal'
import { duration, formatTime, type TimeMode } from './time'
import { columns, count, grouped } from './words'

/** A window that used less of its time than this was ended by the count of its events: people should know. */
const SHORT_PART = 0.1
/** Of a message of an error: all of it stands below the trigger. */
const ERROR_CHARS = 200

/**
 * The lines above the events: whose incident, when, why, and how far back it goes.
 * @param mode of the times below; a relative one says nothing of when it was
 */
export function headerLines(header: IncidentHeader, style: Style, mode: TimeMode = 'utc'): string[] {
  const { service, version, versions, trigger } = header
  const rows: [string, string][] = [
    ['service', escapeLine(version === '' ? service : `${service} ${version}`)],
    ...labelled('host', placeLines(header)),
    ...labelled('versions', versionLines(versions)),
    ['when', formatTime(mode === 'relative' ? 'utc' : mode, trigger.event.time, 0)],
    ['trigger', triggerText(trigger, style)],
    ...labelled('error', errorSummary(trigger)),
    ['why', escapeLine(trigger.kind === 'event' ? trigger.reason : `${trigger.kind}: ${trigger.reason}`)],
    ...labelled('history', historyLines(header)),
    ...labelled('held back', suppressedLines(header.suppressed)),
    ...labelled(
      'changed',
      (header.rewritten ?? []).map((mark) => rewriteText(mark, mode)),
    ),
    ...labelled(
      'also',
      Object.entries(header.extra ?? {}).map(([key, value]) => `${escapeLine(key)}=${renderPlain(value)}`),
    ),
    ...(header.relatedTo === undefined
      ? []
      : [['belongs to', escapeLine(header.relatedTo)] as [string, string]]),
  ]
  return [
    `${style.bold('incident')} ${escapeLine(header.id)}`,
    ...rows.map(([label, text]) => `  ${style.dim(label.padEnd(10))} ${text}`),
  ]
}

/** `2026-11-21T20:31:05.123456Z filtered, kept: severity>=warn`. */
function rewriteText({ by, at, filter, fields, patterns }: RewriteMark, mode: TimeMode): string {
  const taken = [
    ...(fields ?? []),
    ...(patterns === undefined || patterns === 0 ? [] : [count(patterns, 'pattern')]),
  ]
  const what = {
    filter: `filtered${filter === undefined ? '' : `, kept: ${filter}`}`,
    scrub: `scrubbed${taken.length === 0 ? '' : `, taken out: ${taken.join(', ')}`}`,
    import: 'imported from Foolscap',
  }[by]
  return escapeLine(`${formatTime(mode === 'relative' ? 'utc' : mode, at, 0)} ${what ?? by}`)
}

/** `error db.pool: connection lost`. */
export function triggerText({ event }: TriggerRecord, style: Style): string {
  const message = fillTemplate(event.message, event.fields)
  const text = [event.facility, message].filter((part) => part !== '').join(': ')
  return `${style.severity(event.severity, severityName(event.severity))} ${escapeLine(text)}`.trimEnd()
}

/** The error of the trigger and where it came from, where the trigger's message does not say it. */
function errorSummary({ event }: TriggerRecord): string[] {
  const chain = errorChain(event)
  const [first] = chain
  const root = chain.at(-1)
  if (first === undefined || root === undefined) return []
  const texts = first === root ? [first] : [first, root]
  const isSaid = first === root && first.message !== '' && event.message.includes(first.message)
  if (isSaid) return []
  return [
    texts
      .map(({ name, message }) => clip(message === '' ? name : `${name}: ${message}`, ERROR_CHARS))
      .join(', caused by '),
  ]
}

/** The lines below the events: how the window ended, and what is not in the file. */
export function trailerLines(
  header: IncidentHeader | undefined,
  trailer: IncidentTrailer,
  style: Style,
): string[] {
  const { events, furtherTriggers, furtherTriggersOmitted, lost } = trailer
  const further = furtherTriggers.length + furtherTriggersOmitted
  const after = header === undefined ? undefined : trailer.closedAt - header.trigger.event.time
  return [
    `closed: ${CLOSE_REASONS[trailer.reason] ?? escapeLine(String(trailer.reason))}${after === undefined ? '' : `, ${duration(after)} after the trigger`}`,
    `${count(events.total, 'event')}: ${grouped(events.history)} up to the trigger, ${grouped(events.after)} after it${
      further === 0 ? '' : `, ${count(further, 'further trigger')}`
    }`,
    ...(lost === 0 ? [] : [style.bad(`${count(lost, 'event')} after the trigger could not be written`)]),
    ...sourceLines(trailer, style),
    ...(header === undefined || after === undefined ? [] : shortWindow(header, trailer, after)),
  ]
}

/** A copy of a damaged file is whole itself. */
function sourceLines({ source }: IncidentTrailer, style: Style): string[] {
  if (source === undefined || source.state === 'whole' || source.state === 'open') return []
  const lost =
    source.lost === undefined
      ? 'nobody knows how many events it lacks'
      : `it lacks ${count(source.lost, 'event')}`
  return [style.bad(`made of a file that was ${source.state}: ${lost}`)]
}

/** What a file is worth, in a line. */
export function verdictLine(verdict: Verdict, style: Style, header?: IncidentHeader): string {
  const events = count(verdict.events, 'event')
  switch (verdict.state) {
    case 'whole':
      return style.good(`whole: ${events}`)
    case 'open':
      return isForeign(header)
        ? `${events}; a log of Foolscap says nowhere that it is complete`
        : `open: ${events} so far; it is being written, or its process died (flog recover DIR finishes it)`
    case 'truncated':
      return style.bad(`truncated: the file ends too early; ${events} could be read, ${lostText(verdict)}`)
    case 'corrupt':
      return style.bad(`corrupt: ${events} could be read, ${lostText(verdict)}`)
  }
}

/** Read as what another program wrote; what was imported has all that our own files have. */
function isForeign(header: IncidentHeader | undefined): boolean {
  return header?.extra?.['foolscap'] !== undefined && header.rewritten === undefined
}

function lostText({ eventsLost }: Verdict): string {
  if (eventsLost === undefined) return 'nobody knows how many are lost'
  return eventsLost === 0 ? 'none is lost' : `${grouped(eventsLost)} ${eventsLost === 1 ? 'is' : 'are'} lost`
}

const CLOSE_REASONS: Readonly<Record<CloseReason, string>> = {
  events: 'the window was full',
  time: 'the window was over',
  cap: 'further triggers had extended the window to its limit',
  closed: 'the recorder was closed',
  exit: 'the process ended',
  adopted: 'the process died; another one finished the file',
  'no-window': 'no window was asked for',
}

function shortWindow({ postTrigger }: IncidentHeader, { reason }: IncidentTrailer, after: number): string[] {
  if (reason !== 'events' || after > postTrigger.ms * 1000 * SHORT_PART) return []
  return [
    `the window ended by count, ${duration(after)} of ${duration(postTrigger.ms * 1000)}: to see more of what comes after ` +
      `a trigger, raise reporter.postTrigger.events (${grouped(postTrigger.events)})`,
  ]
}

/** Logs of other programs may not say where they are from. */
function placeLines({ host, pid, label = '' }: IncidentHeader): string[] {
  const parts = [host, pid === 0 ? '' : `pid ${pid}`, label].filter((part) => part !== '')
  return parts.length === 0 ? [] : [escapeLine(parts.join(', '))]
}

function versionLines(versions: Readonly<Record<string, string>>): string[] {
  const texts = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return texts.length === 0 ? [] : [escapeLine(texts.join(', '))]
}

function historyLines({ rings, trigger, extra }: IncidentHeader): string[] {
  const used = mergeThreads(rings)
    .filter((ring) => ring.events + ring.evicted > 0)
    .sort((a, b) => rank(a) - rank(b))
  const rows = used.map((ring) => [
    escapeLine(ring.facility === '' ? ring.severity : `${ring.severity} ${ring.facility}`),
    count(ring.events, 'event'),
    reachText(ring, trigger),
    ring.evicted === 0 ? '' : `${grouped(ring.evicted)} older ones were overwritten`,
  ])
  if (rows.length > 0) return columns(rows, new Set([1]))
  // How much Foolscap kept is not in its files, though events are.
  return extra?.['foolscap'] === undefined ? ['none'] : []
}

function reachText({ events, oldest }: RingState, { event }: TriggerRecord): string {
  if (events === 0) return ''
  return events === 1 && oldest === event.time
    ? 'the trigger itself'
    : `back to ${duration(event.time - oldest)} before`
}

/** Threads have rings of their own; the reader wants to know how far back each severity goes. */
function mergeThreads(rings: readonly RingState[]): RingState[] {
  const merged = new Map<string, RingState>()
  for (const ring of rings) {
    const key = `${ring.severity} ${ring.facility}`
    const other = merged.get(key)
    merged.set(key, other === undefined ? ring : together(other, ring))
  }
  return [...merged.values()]
}

function together(a: RingState, b: RingState): RingState {
  const oldest = a.events === 0 ? b.oldest : b.events === 0 ? a.oldest : Math.min(a.oldest, b.oldest)
  return { ...a, events: a.events + b.events, evicted: a.evicted + b.evicted, oldest }
}

function rank({ severity }: RingState): number {
  return bandIndex(severityOf(severity) ?? 1)
}

function suppressedLines({ perHour, perFingerprint, coolDown }: SuppressedCounts): string[] {
  const total = perHour + perFingerprint + coolDown
  if (total === 0) return []
  const parts = [
    [perHour, 'by the limit per hour'],
    [perFingerprint, 'as the same trouble again'],
    [coolDown, 'right after another incident'],
  ] as const
  const reasons = parts.filter(([number]) => number > 0).map(([number, why]) => `${grouped(number)} ${why}`)
  return [`${count(total, 'incident')} before this one: ${reasons.join(', ')}`]
}

function labelled(label: string, lines: readonly string[]): [string, string][] {
  return lines.map((line, index) => [index === 0 ? label : '', line])
}
