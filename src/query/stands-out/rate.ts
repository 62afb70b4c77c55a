import { allOf, facilityTerm, sinceTerm } from './expression'
import { type Clue, effectOfRatio, scoreOf } from './finding'
import { type History, timeOf } from './history'
import { quantile, sortedCopy } from './statistics'
import { facilityText, rateText, spanText } from './wording'

/** Parts of the time that are looked at, each against as many spans of the same length before it as there are. */
const PARTS = [1 / 4, 1 / 6, 1 / 9, 1 / 14, 1 / 20, 1 / 30]
const RATIO_MIN = 3
/** Events in a span: with fewer, a ratio says little. */
const EVENTS_MIN = 15
/** More, or fewer, than in any span before, by so much. */
const BEYOND = 1.8
/** A facility that only follows all others has no change of its own. */
const OTHERS_RATIO = 2

interface Change {
  /** In the last span, and typically before: events. */
  readonly now: number
  readonly before: number
  readonly spans: number
  readonly micros: number
}

/**
 * Facilities that log far more, or far less, than in any span of the same length before. Programs log in bursts, so that counts
 * spread more than chance alone would have them; each is held against its own past, not against a distribution.
 */
export function rateClues(history: History): readonly Clue[] {
  const everything = history.events.map((_, place) => place)
  const clues: Clue[] = []
  for (const [facility, places] of history.facilities) {
    if (places.length < EVENTS_MIN) continue
    const change = changeOf(history, places, startOf(history, places))
    if (change === undefined) continue
    const isAll = places.length > 0.8 * everything.length
    if (!isAll && followsOthers(history, everything, places, change)) continue
    clues.push(clueOf(history, facility, places, change))
  }
  return clues
}

/** The largest change among spans of several lengths. */
function changeOf(history: History, places: readonly number[], start: number): Change | undefined {
  let best: Change | undefined
  const length = history.triggerTime - start
  for (const part of PARTS) {
    const micros = length * part
    const counts = countsOf(history, places, micros, Math.floor(1 / part))
    const now = counts[0] ?? 0
    const earlier = sortedCopy(counts.slice(1))
    const change = { now, before: quantile(earlier, 0.5), spans: earlier.length, micros }
    if (!isChange(change, earlier)) continue
    if (best === undefined || ratioOf(change) > ratioOf(best)) best = change
  }
  return best
}

function isChange({ now, before }: Change, earlier: Float64Array): boolean {
  const most = earlier.at(-1) ?? 0
  const least = earlier[0] ?? 0
  if (now > before) return now >= EVENTS_MIN && now >= RATIO_MIN * before && now >= BEYOND * most
  return least >= EVENTS_MIN && before >= RATIO_MIN * now && least >= BEYOND * Math.max(1, now)
}

function ratioOf({ now, before }: Change): number {
  const ratio = Math.max(0.5, now) / Math.max(0.5, before)
  return Math.max(ratio, 1 / ratio)
}

/** Events in spans of equal length, the last one first. */
function countsOf(
  history: History,
  places: readonly number[],
  micros: number,
  spans: number,
): readonly number[] {
  const counts = new Array<number>(spans).fill(0)
  let end = places.length
  for (let span = 0; span < spans; span++) {
    const start = firstAfter(history, places, history.triggerTime - (span + 1) * micros)
    counts[span] = end - start
    end = start
  }
  return counts
}

/** How many of the places come at that time or before. */
function firstAfter(history: History, places: readonly number[], time: number): number {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (timeOf(history, places[middle]) <= time) low = middle + 1
    else high = middle
  }
  return low
}

function followsOthers(
  history: History,
  everything: readonly number[],
  places: readonly number[],
  change: Change,
): boolean {
  const spans = change.spans + 1
  const own = countsOf(history, places, change.micros, spans)
  const others = countsOf(history, everything, change.micros, spans).map(
    (count, span) => count - (own[span] ?? 0),
  )
  const before = quantile(sortedCopy(others.slice(1)), 0.5)
  if (before < EVENTS_MIN) return false
  const ratio = Math.max(0.5, others[0] ?? 0) / before
  const ownRatio = Math.max(0.5, change.now) / Math.max(0.5, change.before)
  return Math.max(ownRatio / ratio, ratio / ownRatio) < OTHERS_RATIO
}

/** From when on all events of these kinds are there. */
function startOf(history: History, places: readonly number[]): number {
  let start = history.events[0]?.time ?? 0
  const seen = new Set<number>()
  for (const place of places) {
    const event = history.events[place]
    if (event === undefined || seen.has(event.severity)) continue
    seen.add(event.severity)
    start = Math.max(start, Math.min(history.coverage.from(event), event.time))
  }
  return start
}

function clueOf(history: History, facility: string, places: readonly number[], change: Change): Clue {
  const { now, before, micros, spans } = change
  const rate = (count: number) => rateText((count / micros) * 1e6)
  const clause = `${rate(before)} → ${rate(now)} in the last ${spanText(micros)}`
  const since = history.triggerTime - micros
  const evidence = places.filter((place) => timeOf(history, place) >= since)
  return {
    kind: 'rate',
    subject: facility,
    text: `${facilityText(facility)}: ${clause}`,
    clause,
    evidence,
    filter: allOf(facilityTerm(facility), sinceTerm(micros)),
    score: scoreOf(Math.min(12, 2 * spans), effectOfRatio(ratioOf(change)), 0.8),
    since,
  }
}
