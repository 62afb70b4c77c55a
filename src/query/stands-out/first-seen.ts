import { WARN } from '../../event/severity'
import { allOf, facilityTerm, messageTerm, sinceTerm } from './expression'
import { type Clue, scoreOf, strengthMin } from './finding'
import { beforeTrigger, type History, timeOf } from './history'
import { counted, facilityText, messageQuoted, spanText } from './wording'

/** Of the time that the recording covers: what came up before that came with the start of the program. */
const PART_MAX = 0.75
const TIMES_MIN = 2

/** Occurrences of one shape: places, ascending. */
export type Occurrences = ReadonlyMap<number, readonly number[]>

export function occurrencesOf(history: History): Occurrences {
  const occurrences = new Map<number, number[]>()
  history.shapeOf.forEach((shape, place) => {
    const places = occurrences.get(shape)
    if (places === undefined) occurrences.set(shape, [place])
    else places.push(place)
  })
  return occurrences
}

/** Warnings and failures that came up more than once shortly before the trigger, and never before. */
export function firstSeenClues(history: History, occurrences: Occurrences): readonly Clue[] {
  const troubles = [...occurrences].filter(([, places]) => isTrouble(history, places))
  const tried = Math.log10(Math.max(1, troubles.length))
  const clues: Clue[] = []
  for (const [shape, places] of troubles) {
    if (places.length < TIMES_MIN) continue
    const strength = noveltyOf(history, places) - tried
    if (strength >= strengthMin(history)) clues.push(clueOf(history, shape, places, strength))
  }
  return clues
}

export function isTrouble(history: History, places: readonly number[]): boolean {
  return places.some(
    (place) => history.failing[place] === 1 || (history.events[place]?.severity ?? 0) >= WARN,
  )
}

/** Strength of all of them falling into the end of the time in which they would have been recorded. */
function noveltyOf(history: History, places: readonly number[]): number {
  const first = history.events[places[0] ?? 0]
  if (first === undefined) return 0
  const covered = history.triggerTime - history.coverage.from(first)
  const since = Math.max(1, history.triggerTime - first.time)
  if (covered <= 0 || since > PART_MAX * covered) return 0
  return momentsOf(history, places, since / 50) * Math.log10(covered / since)
}

/** Times at which it happened: what comes in one burst happened once. */
function momentsOf(history: History, places: readonly number[], apart: number): number {
  let moments = 0
  let last = Number.NEGATIVE_INFINITY
  for (const place of places) {
    const time = timeOf(history, place)
    if (time - last < apart) continue
    moments++
    last = time
  }
  return moments
}

function clueOf(history: History, shape: number, places: readonly number[], strength: number): Clue {
  const { facility, message, isConstant } = history.shapes[shape] ?? {
    facility: '',
    message: '',
    isConstant: false,
  }
  const lead = beforeTrigger(history, places[0])
  const said = `${messageQuoted(message)} first seen ${spanText(lead)} before the trigger, never earlier`
  const isTriggers = history.trigger !== undefined && places.includes(history.events.length - 1)
  const effect = 0.6 + 0.4 * Math.min(1, places.length / 10)
  return {
    kind: 'first-seen',
    subject: `${facility} ${message}`,
    text: `${facilityText(facility)}: ${said} (${counted(places.length, 'time')})`,
    clause: said,
    evidence: places,
    filter: allOf(facilityTerm(facility), messageTerm(message, isConstant), sinceTerm(lead)),
    score: scoreOf(strength + 3, effect, isTriggers ? 0.75 : 0.95),
    since: timeOf(history, places[0]),
  }
}
