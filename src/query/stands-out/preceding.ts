import { seqTerm } from './expression'
import type { Clue } from './finding'
import { isTrouble, type Occurrences } from './first-seen'
import { type History, timeOf } from './history'
import { facilityText, messageQuoted, spanText } from './wording'

/** A message that came more often is no event of its own. */
const TIMES_MAX = 3
/** Clues at most: more are a program that says something new all the time. */
const CLUES = 2
/** More likely than that, it is chance; less likely than this, it hardly is. */
const CHANCE_MAX = 0.05
const CHANCE_SURE = 0.003
/** The first failure may be logged a moment before what it comes from. */
const AFTER_US = 200_000

/** Where something begins to go wrong, and how much that stands out. */
export interface Onset {
  readonly time: number
  readonly score: number
  /** What began: `the first of these failures`, `the trigger`. */
  readonly what: string
}

interface Rare {
  readonly shape: number
  readonly place: number
  readonly times: number
}

/**
 * Messages that are rare, and came right before something began to go wrong: a deployment, another configuration, a lock. Once
 * proves nothing by itself, so they count by how few rare messages there are, and how close it was.
 */
export function precedingClues(history: History, occurrences: Occurrences, onset: Onset): readonly Clue[] {
  const rare = rareBefore(history, occurrences, onset.time + AFTER_US)
  const start = history.events[0]?.time ?? onset.time
  const length = Math.max(1, onset.time - start)
  const clues: { readonly clue: Clue; readonly chance: number }[] = []
  for (const candidate of rare) {
    const distance = Math.max(1000, onset.time - timeOf(history, candidate.place))
    const chance = 1 - Math.exp((-Math.max(1, rare.length) * distance) / length)
    if (chance <= CHANCE_MAX && isCovered(history, candidate.place, length))
      clues.push({ chance, clue: clueOf(history, candidate, onset, chance) })
  }
  return clues
    .sort((one, other) => one.chance - other.chance)
    .slice(0, CLUES)
    .map(({ clue }) => clue)
}

/** The last occurrence of each message that came a few times at most, all before the onset. */
function rareBefore(history: History, occurrences: Occurrences, until: number): readonly Rare[] {
  const rare: Rare[] = []
  for (const [shape, places] of occurrences) {
    const place = places.at(-1)
    if (place === undefined || places.length > TIMES_MAX || timeOf(history, place) > until) continue
    if (history.events[place]?.seq === history.trigger?.seq) continue
    if (history.isAsked && isTrouble(history, places)) continue
    rare.push({ shape, place, times: places.length })
  }
  return rare
}

/** The ring of the message reaches back far enough to say that it is rare. */
function isCovered(history: History, place: number, length: number): boolean {
  const event = history.events[place]
  return event !== undefined && event.time - history.coverage.from(event) >= length / 4
}

function clueOf(history: History, { shape, place, times }: Rare, onset: Onset, chance: number): Clue {
  const { facility = '', message = '' } = history.shapes[shape] ?? {}
  const distance = onset.time - timeOf(history, place)
  const when = distance > 0 ? `${spanText(distance)} before ${onset.what}` : `with ${onset.what}`
  const said = `${messageQuoted(message)} ${when}`
  const often = times === 1 ? 'never earlier' : `only ${times} times in all`
  return {
    kind: 'first-seen',
    subject: `${facility} ${message}`,
    text: `${facilityText(facility)}: ${said}, ${often}`,
    clause: said,
    evidence: [place],
    filter: seqTerm(history.events[place]?.seq ?? 0),
    score: onset.score * Math.min(1, Math.log(chance) / Math.log(CHANCE_SURE)),
    since: timeOf(history, place),
  }
}
