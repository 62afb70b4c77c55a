/**
 * Times as programs write them. Anything that is not certainly a time of day on a day is left alone.
 */
export interface TimeText {
  /** Microseconds since the epoch. */
  readonly time: number
  /** Characters that it took. */
  readonly length: number
}

const ISO =
  /^(\d{4})([-/])(\d\d)\2(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|GMT)\b| ?([+-])(\d\d):?(\d\d)\b)?/

/**
 * A date and time at the start of a text: ISO 8601 and its common relatives (a space for the T, a comma before the
 * fraction, slashes in the date). Without a zone it is local time, as loggers that leave it out write it.
 */
export function timeAtStart(text: string): TimeText | undefined {
  const match = ISO.exec(text)
  if (match === null) return undefined
  const [whole, year, , month, day, hour, minute, second, fraction = '', utc, sign, zoneHour, zoneMinute] =
    match
  const parts = [year, month, day, hour, minute, second].map(Number) as DateParts
  const zoned = utc !== undefined || sign !== undefined
  const ms = zoned ? utcMs(parts) : localMs(parts)
  if (ms === undefined) return undefined
  const offset = sign === undefined ? 0 : Number(`${sign}1`) * (Number(zoneHour) * 60 + Number(zoneMinute))
  const micros = Number(fraction.padEnd(6, '0').slice(0, 6))
  return { time: (ms - offset * 60_000) * 1000 + micros, length: whole.length }
}

/**
 * A time that a program put into a JSON member: a number of seconds, milliseconds, microseconds or nanoseconds since the
 * epoch, told apart by size (each unit from 1973 to 2286), or text.
 */
export function timeOfValue(value: unknown): number | undefined {
  if (typeof value === 'number') return timeOfNumber(value)
  if (typeof value !== 'string') return undefined
  if (/^\d{9,19}(?:\.\d+)?$/.test(value)) return timeOfNumber(Number(value))
  const found = timeAtStart(value)
  return found?.length === value.length ? found.time : undefined
}

type DateParts = [year: number, month: number, day: number, hour: number, minute: number, second: number]

function timeOfNumber(value: number): number | undefined {
  if (value >= 1e8 && value < 1e10) return Math.round(value * 1e6)
  if (value >= 1e11 && value < 1e13) return Math.round(value * 1e3)
  if (value >= 1e14 && value < 1e16) return Math.round(value)
  return value >= 1e17 && value < 1e19 ? Math.round(value / 1e3) : undefined
}

function utcMs([year, month, day, hour, minute, second]: DateParts): number | undefined {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  return inRange(month, day, hour, minute, second) ? ms : undefined
}

function localMs([year, month, day, hour, minute, second]: DateParts): number | undefined {
  const ms = new Date(year, month - 1, day, hour, minute, second).getTime()
  return inRange(month, day, hour, minute, second) ? ms : undefined
}

/** A leap second is a second. */
function inRange(month: number, day: number, hour: number, minute: number, second: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60
}
