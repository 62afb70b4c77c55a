import type { LogEvent, Plain, PlainObject } from '../event/event'
import { foolscapSeverity } from '../event/severity'
import { FORMAT_MAJOR, FORMAT_MINOR, type IncidentHeader, type TriggerRecord } from '../incident/header'
import { incidentId } from '../incident/name'
import { type Common, countOf, eventOf, incarnationOf, microsOf, secondsOf } from './event'
import type { Dict, Value } from './json'
import { levelText } from './levels'
import { record } from './plain'
import { isDict, pythonStr } from './python'

/** A file's header, and what is needed to read its events. */
export interface Opening {
  readonly header: IncidentHeader
  readonly common: Common
  /** What identifies the trigger among the events; absent in a log that no event set off. */
  readonly trigger?: { readonly num: Value | undefined; readonly incarnation: string | undefined }
}

/** Type of a flogfile that was begun by an event. All other types are logs that somebody kept. */
const INCIDENT = 'incident'
const KNOWN_KEYS = ['type', 'trigger', 'versions', 'pid']
/** What Foolscap records after a trigger, unless its program says otherwise. */
const POST_TRIGGER = { events: 100, ms: 5000 }

/**
 * The header of an incident for a flogfile. What such a header says and Foolscap's does not is left empty; what Foolscap's
 * says besides is under `extra`.
 * @param told the file's own header; absent where it has none
 * @param first the line of the first event; absent where there is none
 */
export function openingOf(
  told: Dict | undefined,
  first: Dict | undefined,
  fingerprint: (event: LogEvent) => string,
): Opening {
  const type = told?.get('type')
  const triggerDict = told?.get('trigger')
  const firstEvent = dictOf(first?.get('d'))
  const isIncident = type === INCIDENT && isDict(triggerDict)
  const incarnation = idOf(isIncident ? triggerDict : firstEvent, [told, first])
  const common: Common = {
    incarnation,
    rxTime: isIncident && first?.get('from') === 'local' ? secondsOf(first.get('rx_time')) : undefined,
  }
  const trigger = isIncident
    ? incidentTrigger(triggerDict, common, fingerprint)
    : logTrigger(told, firstEvent, fingerprint)
  const header = headerOf(told, trigger, common)
  if (!isIncident) return { header, common }
  const identity = { num: triggerDict.get('num'), incarnation: incarnationOf(triggerDict) }
  return { header, common, trigger: identity }
}

function headerOf(told: Dict | undefined, trigger: TriggerRecord, common: Common): IncidentHeader {
  const versions = versionsOf(told?.get('versions'))
  const pid = countOf(told?.get('pid')) ?? 0
  const number = trigger.kind === 'event' ? Math.min(trigger.event.seq, 1e15) + 1 : 1
  return {
    type: 'incident',
    format: `${FORMAT_MAJOR}.${FORMAT_MINOR}`,
    id: incidentId(common.incarnation, number),
    incarnation: common.incarnation,
    number,
    openedAt: common.rxTime === undefined ? trigger.event.time : Math.round(common.rxTime * 1e6),
    trigger,
    ...serviceOf(versions),
    host: '',
    pid,
    process: { bootId: '', pidNamespace: '', pid, startTime: '' },
    versions,
    rings: [],
    suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
    postTrigger: POST_TRIGGER,
    extra: extraOf(told),
  }
}

function incidentTrigger(
  trigger: Dict,
  common: Common,
  fingerprint: (event: LogEvent) => string,
): TriggerRecord {
  const event = eventOf(new Map(), trigger, common, 0)
  const level = secondsOf(trigger.get('level'))
  const reason = level === undefined ? 'Foolscap declared an incident' : `logged at level ${levelText(level)}`
  return { kind: 'event', reason, fingerprint: fingerprint(event), event }
}

/** Nothing set a log off; what readers count their seconds from is its start. */
function logTrigger(
  told: Dict | undefined,
  first: Dict | undefined,
  fingerprint: (event: LogEvent) => string,
): TriggerRecord {
  const reason = 'a log that Foolscap kept, not an incident: no event set it off'
  const event: LogEvent = {
    seq: countOf(first?.get('num')) ?? 0,
    time: microsOf(told?.get('start')) ?? microsOf(first?.get('time')) ?? 0,
    severity: foolscapSeverity(20),
    message: `start of a Foolscap log (${typeText(told)})`,
    facility: '',
    fields: {},
  }
  return { kind: 'manual', reason, fingerprint: fingerprint(event), event }
}

function typeText(told: Dict | undefined): string {
  const type = told?.get('type')
  return typeof type === 'string' ? type.toWellFormed() : 'without a header'
}

function extraOf(told: Dict | undefined): PlainObject {
  const rest = [...(told ?? [])].filter(([key]) => !KNOWN_KEYS.includes(key))
  const extra: Record<string, Plain> = { ...record(rest) }
  return { ...extra, foolscap: typeText(told) }
}

function versionsOf(value: Value | undefined): Readonly<Record<string, string>> {
  const versions: Record<string, string> = Object.create(null)
  if (isDict(value)) {
    for (const [name, version] of value) versions[name.toWellFormed()] = pythonStr(version).toWellFormed()
  }
  return versions
}

/** The application that gave its version; Foolscap itself where none did. */
function serviceOf(versions: Readonly<Record<string, string>>): {
  readonly service: string
  readonly version: string
} {
  const [own] = Object.keys(versions).filter((name) => name !== 'foolscap' && name !== 'twisted')
  const service = own ?? 'foolscap'
  return { service, version: versions[service] ?? '' }
}

const INCARNATION = /^[0-9a-f]{16}$/

/** Foolscap's incarnations look like ours. Of anything else one is made that is the same whenever the file is read. */
function idOf(event: Dict | undefined, lines: readonly (Dict | undefined)[]): string {
  const incarnation = event === undefined ? undefined : incarnationOf(event)
  if (incarnation !== undefined && INCARNATION.test(incarnation)) return incarnation
  return hashOf(lines.map((line) => (line === undefined ? '' : pythonStr(line))).join('\n'))
}

/** FNV-1a, 64 bits (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv). */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text.slice(0, HASHED_CHARS)))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(16).padStart(16, '0')
}

const HASHED_CHARS = 4096

function dictOf(value: Value | undefined): Dict | undefined {
  return isDict(value) ? value : undefined
}
