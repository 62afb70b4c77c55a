import { allOf, facilityTerm, sinceTerm } from './expression'
import { type Clue, scoreOf, strengthMin } from './finding'
import { beforeTrigger, type History, isFailure, timeOf } from './history'
import { type Rise, riseIn } from './statistics'
import { facilityText, spanText } from './wording'

/** Failures that make a change, events before them to compare with, and what is too little to speak of. */
const FAILURES = 4
const EVENTS_BEFORE = 8
const SHARE_MIN = 0.05
const RATIO_MIN = 3

/** Facilities of which a larger share fails than before. */
export function errorClues(history: History): readonly Clue[] {
  const clues: Clue[] = []
  const tried = Math.log10(Math.max(1, history.facilities.size))
  for (const [facility, places] of history.facilities) {
    const rise = riseIn(
      Uint8Array.from(places, (place) => history.failing[place] as number),
      EVENTS_BEFORE,
    )
    if (rise === undefined || !isChange(rise)) continue
    const strength = rise.strength - tried
    if (strength >= strengthMin(history)) clues.push(clueOf(history, facility, places, rise, strength))
  }
  return clues
}

function isChange({ before, after }: Rise): boolean {
  const [share, shareBefore] = [after.hits / after.all, before.hits / before.all]
  return after.hits >= FAILURES && share - shareBefore >= SHARE_MIN && share >= RATIO_MIN * shareBefore
}

function clueOf(
  history: History,
  facility: string,
  places: readonly number[],
  { at, before, after }: Rise,
  strength: number,
): Clue {
  const lead = beforeTrigger(history, places[at])
  const clause = `${after.hits} of ${after.all} failed in the ${spanText(lead)} before, earlier ${before.hits} of ${before.all}`
  const effect = 0.4 + 0.6 * (after.hits / after.all - before.hits / before.all)
  return {
    kind: 'errors',
    subject: facility,
    text: `${facilityText(facility)}: ${clause}`,
    clause,
    evidence: places.slice(at).filter((place) => isFailure(history, place)),
    filter: allOf(facilityTerm(facility), sinceTerm(lead)),
    score: scoreOf(strength, effect, 0.95),
    since: timeOf(history, places[at]),
  }
}
