import type { LogEvent, Plain } from '../event/event'
import { foolscapSeverity } from '../event/severity'
import { errorOfFailure } from './failure'
import { type Dict, Float, type Value } from './json'
import { levelOf } from './levels'
import { messageOfEvent } from './message'
import { record } from './plain'
import { isList } from './python'

/** What is the same for most events of a file, and is then told once, in its header. */
export interface Common {
  readonly incarnation: string
  /** Seconds; of a local incident the time at which all of its history was written. */
  readonly rxTime: number | undefined
}

export const OPERATIONAL = 20
/** 2255-06-05, and what a whole number of microseconds can hold. */
const LAST_TIME = Number.MAX_SAFE_INTEGER

/**
 * An event of a flogfile as one of ours.
 *
 * `num` is `seq`, `level` the severity, `failure` the error; `format`, `message` and `args` make the message. All else are
 * fields: what the program gave, `from` and `rx_time` of the file where they say something, and whatever part of the event
 * does not fit its place.
 * @param wrapper the line: `from`, `rx_time`, and the event `d`
 * @param order for an event without a number
 */
export function eventOf(wrapper: Dict, d: Dict, common: Common, order: number): LogEvent {
  const seq = countOf(d.get('num'))
  const time = microsOf(d.get('time'))
  const parent = countOf(d.get('parent'))
  const failure = d.get('failure')
  const error = failure === undefined || failure === null ? undefined : errorOfFailure(failure)
  const taken = new Set(['failure'])
  if (seq !== undefined) taken.add('num')
  if (time !== undefined) taken.add('time')
  if (parent !== undefined || d.get('parent') === null) taken.add('parent')
  if (error !== undefined && d.get('isError') === 1) taken.add('isError')
  if (d.get('why') === null) taken.add('why')
  if (incarnationOf(d) === common.incarnation) taken.add('incarnation')
  const facility = d.get('facility')
  if (facility === null || typeof facility === 'string') taken.add('facility')
  const severity = severityOf(d.get('level'), taken)
  const rest = [...envelope(wrapper, common), ...[...d].filter(([key]) => !taken.has(key))]
  const all = record(rest)
  const { message, used, literal } = messageOfEvent(d, all, error)
  const fields: Record<string, Plain> = Object.create(null)
  for (const key of Object.keys(all)) if (!used.includes(key)) fields[key] = all[key] as Plain
  if (literal !== undefined) fields[literal.name] = literal.text
  return {
    seq: seq ?? order,
    time: time ?? microsOf(wrapper.get('rx_time')) ?? 0,
    severity,
    message,
    facility: typeof facility === 'string' ? facility.toWellFormed() : '',
    fields,
    ...(error !== undefined && { error }),
    ...(parent !== undefined && { parent }),
  }
}

/** Identity of the process that logged: 16 hexadecimal digits in files that Foolscap wrote. */
export function incarnationOf(d: Dict): string | undefined {
  const incarnation = d.get('incarnation')
  if (!isList(incarnation) || incarnation.slice(1).some((part) => part !== null)) return undefined
  const [id] = incarnation
  return typeof id === 'string' ? id : undefined
}

/** A number that is 0 or more and safe. */
export function countOf(value: Value | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

/** Seconds since the epoch as whole microseconds; undefined where they are no time of ours. */
export function microsOf(value: Value | undefined): number | undefined {
  const seconds = secondsOf(value)
  if (seconds === undefined) return undefined
  const micros = Math.round(seconds * 1e6)
  return micros >= 0 && micros <= LAST_TIME ? micros : undefined
}

export function secondsOf(value: Value | undefined): number | undefined {
  if (value instanceof Float) return value.value
  return typeof value === 'number' ? value : undefined
}

/** The level itself is kept where the severity does not tell it. */
function severityOf(level: Value | undefined, taken: Set<string>): number {
  const number = secondsOf(level)
  if (number === undefined) {
    if (level === undefined) taken.add('level')
    return foolscapSeverity(OPERATIONAL)
  }
  const severity = foolscapSeverity(number)
  if (levelOf(severity) === number) taken.add('level')
  return severity
}

/** Who sent the event and when it came, unless that is the file's own process at the usual time. */
function envelope(wrapper: Dict, { rxTime }: Common): readonly (readonly [string, Value])[] {
  const from = wrapper.get('from')
  const isLocal = from === undefined || from === 'local'
  const rx = wrapper.get('rx_time')
  const isUsual = rx === undefined || (isLocal && rxTime !== undefined && secondsOf(rx) === rxTime)
  return [...(isLocal ? [] : [['from', from] as const]), ...(isUsual ? [] : [['rx_time', rx] as const])]
}
