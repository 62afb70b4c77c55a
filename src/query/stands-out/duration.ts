import { fieldAt } from '../../event/tagged'
import { allOf, facilityTerm, fieldTerm, hasTerm, sinceTerm } from './expression'
import { type Clue, effectOfRatio, scoreOf, strengthMin } from './finding'
import { beforeTrigger, comparable, type History, type Series, timeOf } from './history'
import { median, quantile, riseIn, shiftIn, sortedCopy } from './statistics'
import { facilityText, spanText } from './wording'

/** Values on either side of a change. */
const LEAST = { before: 8, after: 4 }
/** What nobody would call slow: less than so many times as long, or less than so much longer. */
const SLOWER = [
  { ratio: 3, differenceUs: 10_000 },
  { ratio: 2, differenceUs: 100_000 },
] as const
/** Load goes up and down: slower than any earlier stretch of the same length, by so much. */
const BEYOND = 1.5
const STRETCHES = 20
/** That all are slower says more than that some are far slower. */
const PREFERRED = 1.2
/** Of some that are slow: how many there must be, which share, and how much slower. */
const SLOW = { count: 4, share: 0.08, ratio: 4, differenceUs: 20_000 }

/** Facilities that take longer than before: all that they do, or a part of it. */
export function durationClues(history: History): readonly Clue[] {
  const tried = Math.log10(Math.max(1, history.series.length))
  return history.series.flatMap((series) => {
    if (series.places.length < LEAST.before + LEAST.after) return []
    const covered = withinCoverage(history, series)
    const all = shifted(history, covered, tried)
    const some = partlySlow(history, covered, tried)
    return (some?.score ?? 0) > PREFERRED * (all?.score ?? 0) ? (some ?? []) : (all ?? [])
  })
}

/** The typical value changed. */
function shifted(history: History, series: Series, tried: number): Clue | undefined {
  const values = Float64Array.from(series.micros)
  const shift = shiftIn(values, LEAST)
  if (shift === undefined || shift.strength - tried < strengthMin(history)) return undefined
  const before = sortedCopy(values.subarray(0, shift.at))
  const typical = quantile(before, 0.5)
  const now = median(values.subarray(shift.at))
  if (!isSlower(now, Math.max(typical, 1)) || now <= quantile(before, 0.9)) return undefined
  if (now < BEYOND * longestStretch(values, shift.at)) return undefined
  const lead = beforeTrigger(history, series.places[shift.at])
  const clause = `${labelOf(series.field)} ${spanText(typical)} → ${spanText(now)} in the ${spanText(lead)} before`
  const limit = Math.sqrt(Math.max(typical, 1) * now)
  return clueOf(history, series, shift.at, limit, {
    clause,
    score: scoreOf(shift.strength - tried, effectOfRatio(now / Math.max(typical, 1)), 1),
  })
}

/** Some take far longer, as none did before: those of one route, or of one customer. */
function partlySlow(history: History, series: Series, tried: number): Clue | undefined {
  const values = Float64Array.from(series.micros)
  const early = quantile(sortedCopy(values.subarray(0, values.length >> 1)), 0.9)
  const typical = median(values)
  const limit = Math.max(SLOW.ratio * typical, 2 * early, typical + SLOW.differenceUs)
  const rise = riseIn(
    Uint8Array.from(values, (value) => (value > limit ? 1 : 0)),
    LEAST.before,
  )
  if (rise === undefined || rise.strength - tried < strengthMin(history) || rise.after.hits < SLOW.count)
    return undefined
  const share = rise.after.hits / rise.after.all
  if (share < SLOW.share || share < 4 * (rise.before.hits / rise.before.all)) return undefined
  const slow = median(values.subarray(rise.at).filter((value) => value > limit))
  const lead = beforeTrigger(history, series.places[rise.at])
  const clause = `${labelOf(series.field)} ${spanText(slow)} for ${rise.after.hits} of ${rise.after.all} in the ${spanText(lead)} before, mostly ${spanText(typical)}`
  const effect = Math.sqrt(effectOfRatio(slow / Math.max(typical, 1)) * Math.min(1, 2 * share))
  return clueOf(history, series, rise.at, limit, {
    clause,
    score: scoreOf(rise.strength - tried, effect, 1),
  })
}

function clueOf(
  history: History,
  { facility, field, unit, places, micros }: Series,
  at: number,
  limit: number,
  said: { readonly clause: string; readonly score: number },
): Clue {
  const evidence = places.filter((_, index) => index >= at && (micros[index] as number) >= limit)
  const first = history.events[evidence[0] ?? 0]
  const isNumber = first !== undefined && typeof fieldAt(first.fields, field) === 'number'
  const wanted = isNumber ? fieldTerm(field, '>=', Number((limit / unit).toPrecision(3))) : hasTerm(field)
  return {
    kind: 'duration',
    subject: facility,
    text: `${facilityText(facility)}: ${said.clause}`,
    ...said,
    evidence,
    filter: allOf(facilityTerm(facility), wanted, sinceTerm(beforeTrigger(history, places[at]))),
    since: timeOf(history, places[at]),
  }
}

function isSlower(now: number, before: number): boolean {
  return SLOWER.some(({ ratio, differenceUs }) => now >= ratio * before && now - before >= differenceUs)
}

/** The longest typical value of stretches as long as the later part, before it. */
function longestStretch(values: Float64Array, at: number): number {
  const length = Math.max(LEAST.after, values.length - at, Math.ceil(at / STRETCHES))
  let longest = 0
  for (let to = at; to >= length; to -= length)
    longest = Math.max(longest, median(values.subarray(to - length, to)))
  return longest
}

function withinCoverage(history: History, series: Series): Series {
  const places = comparable(history, series.places)
  const left = series.places.length - places.length
  return left === 0 ? series : { ...series, places, micros: series.micros.slice(left) }
}

const WAITS = /^wait(?:ed|ing)?$/i
const NAMELESS = /^(?:took|taken|elapsed|time|)$/i
/** `waitMs`, `wait_ms`, `ms`; but `hits` and `bonus` are words. */
const UNIT =
  /(?:^|[_-])(?:ms|us|ns|s|secs?|seconds|millis|micros|nanos|msec)$|(?<=[a-z\d])(?:Ms|Us|Ns|Secs?|Seconds|Millis|Micros|Nanos)$/

/** `waitMs` is a wait time, `db.tookMs` a time, `responseTime` itself. */
function labelOf(field: string): string {
  const name = field.slice(field.lastIndexOf('.') + 1).replace(UNIT, '')
  if (WAITS.test(name)) return 'wait time'
  return NAMELESS.test(name) ? 'time' : name
}
