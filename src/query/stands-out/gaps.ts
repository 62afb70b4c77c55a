import { allOf, facilityTerm, sinceTerm, untilTerm } from './expression'
import { type Clue, scoreOf } from './finding'
import { comparable, type History, timeOf } from './history'
import { facilityText, spanText } from './wording'

const EVENTS_MIN = 60
const GAP_MIN_US = 400_000
/** Gaps that may be long without being the usual: the one after them tells what is usual. */
const UNUSUAL = 3
const RATIO_MIN = 4
const STRENGTH_MIN = 6
/** For a facility: it has to have been regular, or silence says nothing. */
const REGULAR_MIN = 10

interface Gap {
  /** Place of the event after it; the number of events where it lasts to the trigger. */
  readonly to: number
  readonly micros: number
}

/** Times in which a program that logs all the time logged nothing, and facilities that have fallen silent. */
export function gapClues(history: History): readonly Clue[] {
  const places = comparable(
    history,
    history.events.map((_, place) => place),
  )
  const whole = wholeGaps(history, places)
  return [...whole, ...silences(history, whole)]
}

function wholeGaps(history: History, places: readonly number[]): readonly Clue[] {
  if (places.length < EVENTS_MIN) return []
  const gaps = gapsIn(history, places)
  const mean = (history.triggerTime - timeOf(history, places[0])) / gaps.length
  const usual = gaps.map(({ micros }) => micros).sort((one, other) => other - one)[UNUSUAL] ?? 0
  const found = gaps
    .filter(({ micros }) => micros >= GAP_MIN_US && micros >= RATIO_MIN * usual)
    .map((gap) => ({ ...gap, strength: strengthOf(gap.micros, mean, gaps.length) }))
    .filter(({ strength }) => strength >= STRENGTH_MIN)
    .sort((one, other) => other.micros - one.micros)
  const [longest] = found
  return longest === undefined ? [] : [clueOf(history, places, longest, found.length, mean)]
}

function clueOf(
  history: History,
  places: readonly number[],
  { to, micros, strength }: Gap & { readonly strength: number },
  times: number,
  mean: number,
): Clue {
  const end = history.triggerTime - (to < places.length ? timeOf(history, places[to]) : history.triggerTime)
  const when = end < 1000 ? 'until the trigger' : `until ${spanText(end)} before the trigger`
  const others = times === 1 ? '' : `, and ${times - 1} more such gaps`
  const clause = `nothing logged for ${spanText(micros)} ${when}, otherwise every ${spanText(mean)}${others}`
  return {
    kind: 'gap',
    subject: 'event loop',
    text: clause,
    clause,
    evidence: [places[to - 1], places[to]].filter((place) => place !== undefined),
    filter: allOf(sinceTerm(end + micros + 1000), end < 1000 ? '' : untilTerm(end - 1000)),
    score: scoreOf(strength, 0.5 + Math.min(0.5, micros / 4e6), 0.95),
    since: history.triggerTime - end - micros,
  }
}

function silences(history: History, whole: readonly Clue[]): readonly Clue[] {
  const clues: Clue[] = []
  const allSilentSince = whole[0]?.since ?? Number.POSITIVE_INFINITY
  for (const [facility, places] of history.facilities) {
    const gaps = gapsIn(history, places)
    const silence = gaps.pop()
    if (silence === undefined || gaps.length < REGULAR_MIN) continue
    const longest = gaps.reduce((most, { micros }) => Math.max(most, micros), 0)
    const since = history.triggerTime - silence.micros
    const mean = (since - timeOf(history, places[0])) / gaps.length
    const strength = strengthOf(silence.micros, mean, history.facilities.size)
    if (silence.micros < Math.max(GAP_MIN_US, 3 * longest) || strength < STRENGTH_MIN / 2) continue
    if (since >= allSilentSince - 1000 || since - timeOf(history, places[0]) < silence.micros) continue
    const clause = `silent in the ${spanText(silence.micros)} before, earlier every ${spanText(mean)}`
    clues.push({
      kind: 'gap',
      subject: facility,
      text: `${facilityText(facility)}: ${clause}`,
      clause,
      evidence: places.slice(-1),
      filter: facilityTerm(facility),
      score: scoreOf(strength + 2, 0.7, 0.8),
      since,
    })
  }
  return clues
}

/** Between one event and the next, the last one up to the trigger. */
function gapsIn(history: History, places: readonly number[]): Gap[] {
  const gaps: Gap[] = []
  for (let to = 1; to <= places.length; to++)
    gaps.push({ to, micros: timeOf(history, places[to]) - timeOf(history, places[to - 1]) })
  return gaps
}

/** Were events to come by chance, evenly: that one of so many gaps is so long. */
function strengthOf(micros: number, mean: number, among: number): number {
  return mean > 0 ? micros / mean / Math.LN10 - Math.log10(Math.max(1, among)) : 0
}
