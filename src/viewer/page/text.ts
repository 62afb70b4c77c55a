import type { LogEvent } from '../../event/event'
import { messageText } from '../../event/template'

/** How times are shown: from the trigger, or as wall time. */
export const TIME_MODES = ['relative', 'local', 'utc'] as const
export type TimeMode = (typeof TIME_MODES)[number]

/** What has no shape of its own, moves a cursor, hides text or turns its direction. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Logged text, on one line, with what cannot be seen made visible: `\n`, `\u001b`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped)
}

/** As {@link visible}, but lines and tabs stay. */
export function visibleLines(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(UNSEEN, (found) => (found === '\n' || found === '\t' ? found : escaped(found)))
}

/** The message with its values, on one line. */
export function messageLine(event: LogEvent): string {
  return visible(messageText(event))
}

/** `−12.041`, `−2:05.123`, `+3:02:05.000`: from the trigger. @param micros may be negative */
export function relativeTime(micros: number): string {
  const ms = Math.round(Math.abs(micros) / 1000)
  const sign = ms === 0 ? '' : micros < 0 ? '−' : '+'
  const seconds = `${Math.floor(ms / 1000) % 60}`
  const rest = `.${String(ms % 1000).padStart(3, '0')}`
  const minutes = Math.floor(ms / 60_000)
  if (minutes === 0) return `${sign}${seconds}${rest}`
  const tail = `${seconds.padStart(2, '0')}${rest}`
  if (minutes < 60) return `${sign}${minutes}:${tail}`
  const hours = Math.floor(minutes / 60)
  const clock = `${hours % 24}:${String(minutes % 60).padStart(2, '0')}:${tail}`
  return hours < 24 ? `${sign}${clock}` : `${sign}${Math.floor(hours / 24)} d ${clock}`
}

/** For the labels of an axis: `−12 s`, `+0.5 s`, `−2:05`. @param micros from the trigger */
export function axisTime(micros: number): string {
  const text = relativeTime(micros).replace(/\.?0+$/, '')
  return text.includes(':') ? text : `${text} s`
}

/** `20:31:05.123`. @param micros since the epoch */
export function clockTime(micros: number, zone: 'local' | 'utc'): string {
  return isoLike(micros, zone).slice(11)
}

/** `2026-11-21 20:31:05.123456 UTC`, or with the offset of this machine. */
export function fullTime(micros: number, zone: 'local' | 'utc'): string {
  const rest = String(((micros % 1000) + 1000) % 1000).padStart(3, '0')
  return `${isoLike(micros, zone)}${rest} ${zone === 'utc' ? 'UTC' : offsetText(micros)}`
}

export function eventTime(micros: number, triggerTime: number | undefined, mode: TimeMode): string {
  if (mode !== 'relative') return clockTime(micros, mode)
  return triggerTime === undefined ? clockTime(micros, 'local') : relativeTime(micros - triggerTime)
}

/** A length of time in one unit: `12 s`, `3 d`. */
export function roughly(micros: number): string {
  const seconds = Math.abs(micros) / 1e6
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** `86,412` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 event`, `2 events` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function escaped(character: string): string {
  const short = SHORT.get(character)
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}

function isoLike(micros: number, zone: 'local' | 'utc'): string {
  const ms = Math.floor(micros / 1000)
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.6e15) return 'invalid time'
  const shifted = zone === 'utc' ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000
  return new Date(shifted).toISOString().replace('T', ' ').replace('Z', '')
}

function offsetText(micros: number): string {
  const minutes = -new Date(micros / 1000).getTimezoneOffset()
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? '−' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`
}
