import { fieldAt } from '../../event/tagged'
import { allOf, fieldTerm } from './expression'
import { fieldRole, type Scalar, visitFields } from './fields'
import { type Clue, scoreOf } from './finding'
import { type History, timeOf } from './history'
import { shareStrength } from './statistics'
import { valueText } from './wording'

/** What fails, or is slow, has it in so many cases, and so large a share of them; the rest has it far less. */
const CASES_MIN = 3
const SHARE_MIN = 0.5
const LIFT_MIN = 2.5
/** Of the others, so many must have a value of that name to compare with. */
const OTHERS_MIN = 5
const STRENGTH_MIN = 2.5
/** Failing cases that are looked at, and values that are compared with the rest: a bit each. */
const CASES_MAX = 2000
const CANDIDATES = 30
/** A longer text is no name of anything. */
const VALUE_CHARS = 120

/** A field value that most of some cases have, and few of the others. */
export interface CommonValue {
  readonly name: string
  readonly value: Scalar
  readonly cases: number
  readonly all: number
  readonly otherCases: number
  readonly others: number
  readonly strength: number
}

/** Clues that get a common value of their events, the best of them: each costs a look at all events. */
const EXPLAINED = 3

/** What the events of some clues have in common, said behind them: `route=/refund in 19 of 19`. */
export function withCommonValues(history: History, clues: readonly Clue[]): readonly Clue[] {
  const best = new Set([...clues].sort((one, other) => other.score - one.score).slice(0, EXPLAINED))
  return clues.map((clue) => {
    if (!best.has(clue)) return clue
    const [common] = commonValues(history, clue.evidence, true)
    const [found = common] = common === undefined ? commonValues(history, clue.evidence, false) : []
    if (found === undefined) return clue
    return {
      ...clue,
      text: `${clue.text}; ${valueText(found.name, found.value)} in ${found.cases} of ${found.all}`,
    }
  })
}

/** Field values over-represented among what fails since the onset: activities, where events belong to some, else events. */
export function valueClues(history: History, since: number): readonly Clue[] {
  const failed = placesFailing(history, since)
  const clues: Clue[] = []
  for (const byActivity of [true, false]) {
    const [best] = commonValues(history, failed, byActivity)
    if (best !== undefined) clues.push(clueOf(history, failed, best, byActivity))
  }
  return clues
}

/**
 * @param bad places of events; the others are all events, or activities, that have none of them
 * @returns most telling first
 */
export function commonValues(
  history: History,
  bad: readonly number[],
  byActivity: boolean,
): readonly CommonValue[] {
  const cases = new Cases(history, bad, byActivity)
  const candidates = candidatesOf(history, cases)
  if (candidates.length === 0) return []
  const seen = lookAt(history, cases, candidates, facilityOf(history, cases, bad))
  const tried = Math.log10(candidates.length)
  return candidates
    .flatMap((candidate, bit): CommonValue[] => {
      const found = tallied(candidate, seen, bit, tried)
      return isTelling(found) ? [found] : []
    })
    .sort((one, other) => other.strength - one.strength)
}

/** Tells to which case an event belongs, −1 for none, and which cases are bad. */
class Cases {
  readonly caseOf: (place: number) => number
  readonly bad = new Set<number>()

  constructor(history: History, bad: readonly number[], byActivity: boolean) {
    this.caseOf = byActivity ? (place) => history.activities[place] as number : (place) => place
    for (const place of bad) {
      const id = this.caseOf(place)
      if (id >= 0) this.bad.add(id)
      if (this.bad.size >= CASES_MAX) break
    }
  }
}

interface Candidate {
  readonly name: string
  readonly value: Scalar
}

/** The facility in which most of the bad cases went wrong first. */
function facilityOf(history: History, cases: Cases, bad: readonly number[]): string {
  const seen = new Set<number>()
  const counts = new Map<string, number>()
  for (const place of bad) {
    const id = cases.caseOf(place)
    if (seen.has(id)) continue
    seen.add(id)
    const facility = history.events[place]?.facility ?? ''
    counts.set(facility, (counts.get(facility) ?? 0) + 1)
  }
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0] as [string, number])[0]
}

/** Values that at least half of the bad cases have that have a value of that name. */
function candidatesOf(history: History, cases: Cases): readonly Candidate[] {
  if (cases.bad.size < CASES_MIN) return []
  const named = new Map<string, Set<number>>()
  const tallies = new Map<string, Map<Scalar, Set<number>>>()
  history.events.forEach((event, place) => {
    const id = cases.caseOf(place)
    if (id < 0 || !cases.bad.has(id)) return
    visitFields(event, (name, value) => {
      if (!mayExplain(name, value)) return
      entry(named, name, () => new Set<number>()).add(id)
      const values = entry(tallies, name, () => new Map<Scalar, Set<number>>())
      if (values.size < CASES_MAX) entry(values, value, () => new Set<number>()).add(id)
    })
  })
  const found: (Candidate & { readonly cases: number })[] = []
  for (const [name, values] of tallies)
    for (const [value, { size }] of values)
      if (size >= CASES_MIN && size >= SHARE_MIN * (named.get(name)?.size ?? 0))
        found.push({ name, value, cases: size })
  return found.sort((one, other) => other.cases - one.cases).slice(0, CANDIDATES)
}

/** What comes of failing, takes time, or names one activity does not explain why it failed. */
function mayExplain(name: string, value: Scalar): boolean {
  if (fieldRole(name).kind !== 'plain') return false
  return typeof value !== 'string' || (value.length > 0 && value.length <= VALUE_CHARS)
}

/** Bits by case: which names it has, and which of the values. */
interface Seen {
  readonly names: ReadonlyMap<number, number>
  readonly values: ReadonlyMap<number, number>
  readonly bad: ReadonlySet<number>
  readonly involved: ReadonlySet<number>
}

/** @param facility those that had nothing to do with it say nothing of what went wrong there */
function lookAt(history: History, cases: Cases, candidates: readonly Candidate[], facility: string): Seen {
  const names = new Map<number, number>()
  const values = new Map<number, number>()
  const involved = new Set<number>()
  history.events.forEach((event, place) => {
    const id = cases.caseOf(place)
    if (id < 0) return
    if (event.facility === facility) involved.add(id)
    let [has, is] = [0, 0]
    for (let bit = 0; bit < candidates.length; bit++) {
      const { name, value } = candidates[bit] as Candidate
      const given = fieldAt(event.fields, name)
      if (given === undefined) continue
      has |= 1 << bit
      if (given === value) is |= 1 << bit
    }
    if (has !== 0) names.set(id, (names.get(id) ?? 0) | has)
    if (is !== 0) values.set(id, (values.get(id) ?? 0) | is)
  })
  return { names, values, involved, bad: cases.bad }
}

function tallied({ name, value }: Candidate, seen: Seen, bit: number, tried: number): CommonValue {
  let [cases, all, otherCases, others] = [0, 0, 0, 0]
  const mask = 1 << bit
  for (const [id, names] of seen.names) {
    if ((names & mask) === 0) continue
    const has = ((seen.values.get(id) ?? 0) & mask) === 0 ? 0 : 1
    if (seen.bad.has(id)) {
      all++
      cases += has
    } else if (seen.involved.has(id)) {
      others++
      otherCases += has
    }
  }
  const strength = shareStrength(cases, all, otherCases, others) - tried
  return { name, value, cases, all, otherCases, others, strength }
}

function isTelling({ cases, all, otherCases, others, strength }: CommonValue): boolean {
  if (others < OTHERS_MIN || cases < CASES_MIN || strength < STRENGTH_MIN) return false
  return cases / all >= SHARE_MIN && cases / all >= LIFT_MIN * (otherCases / others)
}

/** From then on; where nothing changed, those like the trigger. */
function placesFailing(history: History, since: number): readonly number[] {
  const places: number[] = []
  const isTriggers = (place: number) => history.shapeOf[place] === history.shapeOf.at(-1)
  history.failing.forEach((failed, place) => {
    if (failed === 0 || timeOf(history, place) < since) return
    if (since > Number.NEGATIVE_INFINITY || isTriggers(place)) places.push(place)
  })
  return places
}

function clueOf(history: History, failed: readonly number[], common: CommonValue, byActivity: boolean): Clue {
  const { name, value, cases, all, otherCases, others, strength } = common
  const what = byActivity ? 'failing traces' : 'failing events'
  const clause = `${valueText(name, value)} in ${cases} of ${all}`
  const evidence = byActivity ? failed : failed.filter((place) => hasValue(history, place, common))
  return {
    kind: 'value',
    subject: `value ${name}=${value}`,
    text: `${clause} ${what}, in ${otherCases} of ${others} others`,
    clause,
    evidence,
    filter: allOf(fieldTerm(name, '=', value)),
    score: scoreOf(strength + 2, 0.3 + 0.7 * (cases / all - otherCases / others), 0.9),
    since: timeOf(history, failed[0]),
  }
}

function hasValue(history: History, place: number, { name, value }: Candidate): boolean {
  const event = history.events[place]
  return event !== undefined && fieldAt(event.fields, name) === value
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
