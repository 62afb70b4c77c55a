/** A point in time of a filter, in microseconds: since the epoch, or from the trigger on. */
export interface Moment {
  readonly at: number
  readonly isRelative: boolean
}

/** Microseconds of each. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['us', 1],
  ['µs', 1],
  ['ms', 1e3],
  ['s', 1e6],
  ['m', 60e6],
  ['h', 3600e6],
  ['d', 86_400e6],
])

const DISTANCE = /^([+-]?(?:\d+\.?\d*|\.\d+))(us|µs|ms|s|m|h|d)?$/
const ISO = /^\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?)?$/i
const HAS_TIME = /[T ]/

/** Without sign and unit, and larger than any distance: seconds since the epoch. */
const EPOCH = /^\d{9,11}(?:\.\d+)?$/

/** What people are told to write. */
export const MOMENT = 'a time: -12s, +500ms or 2m from the trigger, or 2026-11-21T20:31:05'

/**
 * `-12s`, `+500ms`, `0`: from the trigger on, in seconds where no unit is named. `2026-11-21`, `2026-11-21T20:31:05.123Z`: a
 * time, local where it names no zone. `1795293065`, `1795293065.123456`: seconds since the epoch. Undefined for anything else.
 */
export function parseMoment(text: string): Moment | undefined {
  if (EPOCH.test(text)) return { at: Math.round(Number(text) * 1e6), isRelative: false }
  const distance = DISTANCE.exec(text)
  if (distance !== null) {
    return { at: Number(distance[1]) * (UNITS.get(distance[2] ?? 's') ?? 1), isRelative: true }
  }
  if (!ISO.test(text)) return undefined
  // A date alone is midnight in London to Date.parse, and midnight here to people.
  const ms = Date.parse(HAS_TIME.test(text) ? text.replace(',', '.') : `${text.padEnd(10, '-01')}T00:00`)
  return Number.isNaN(ms) ? undefined : { at: ms * 1000 + microsecondsIn(text), isRelative: false }
}

/** What is finer than a millisecond, which Date does not keep. */
function microsecondsIn(text: string): number {
  const digits = /[.,]\d{3}(\d{1,3})/.exec(text)?.[1]
  return digits === undefined ? 0 : Number(digits.padEnd(3, '0'))
}
