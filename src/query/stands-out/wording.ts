import { renderPlain } from '../../event/render'

const NAME_CHARS = 60
const MESSAGE_CHARS = 80
const VALUE_CHARS = 60

/** A span of time in two digits: `4 ms`, `4.9 s`, `38 s`, `12 min`, `3.1 h`. */
export function spanText(micros: number): string {
  const us = Math.abs(micros)
  if (us < 999.5) return `${short(us)} µs`
  if (us < 999_500) return `${short(us / 1000)} ms`
  if (us < 119_500_000) return `${short(us / 1e6)} s`
  if (us < 7_170_000_000) return `${short(us / 60e6)} min`
  return `${short(us / 3600e6)} h`
}

/** `12 MiB` */
export function bytesText(bytes: number): string {
  return bytes < 1024 ** 3 ? `${short(bytes / 1024 ** 2)} MiB` : `${short(bytes / 1024 ** 3)} GiB`
}

/** `0.3/s`, `40/s`, `7/min` */
export function rateText(perSecond: number): string {
  return perSecond >= 0.1 ? `${short(perSecond)}/s` : `${short(perSecond * 60)}/min`
}

/** A number in two digits, more where it is larger. */
export function short(value: number): string {
  if (value >= 9.95 || value === 0) return String(Math.round(value))
  const digits = value >= 0.0995 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** `1 event`, `3 events` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

export function facilityText(facility: string): string {
  return facility === '' ? 'events without a facility' : cut(facility, NAME_CHARS)
}

/** `"lease {id} not returned"`; one line. */
export function messageQuoted(message: string): string {
  return `"${cut(message.replace(/\s+/g, ' ').trim(), MESSAGE_CHARS)}"`
}

/** `route=/refund` */
export function valueText(name: string, value: string | number | boolean): string {
  return `${cut(name, NAME_CHARS)}=${renderPlain(value, VALUE_CHARS)}`
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
