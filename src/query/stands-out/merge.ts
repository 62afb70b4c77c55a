import type { Clue, Finding } from './finding'
import type { History } from './history'

const FINDINGS = 10
const EVIDENCE = 1000
/** Clauses behind the first: more would not be one line any more. */
const CLAUSES = 2
/** Of the smaller evidence, that two clues have in common. */
const SHARED = 0.8
/** What began first is nearer to the cause. */
const EARLINESS = 0.15

/** One line for each cause: clues of the same subject, or of the same events, go into the best of them. */
export function findingsOf(history: History, clues: readonly Clue[]): readonly Finding[] {
  const lines: Line[] = []
  for (const clue of byWorth(history, clues)) {
    const line = lines.find((line) => line.isAbout(clue))
    if (line === undefined) lines.push(new Line(clue))
    else line.add(clue)
  }
  return lines.slice(0, FINDINGS).map((line) => line.finding(history))
}

class Line {
  readonly #clue: Clue
  readonly #clauses: string[] = []
  readonly #kinds: Set<string>
  readonly #places: ReadonlySet<number>

  constructor(clue: Clue) {
    this.#clue = clue
    this.#kinds = new Set([clue.kind])
    this.#places = new Set(clue.evidence)
  }

  isAbout(clue: Clue): boolean {
    if (this.#clue.subject === clue.subject) return true
    const least = Math.min(this.#places.size, clue.evidence.length)
    if (least === 0) return false
    const shared = clue.evidence.reduce((sum, place) => sum + (this.#places.has(place) ? 1 : 0), 0)
    return shared >= SHARED * least
  }

  /** A second clue of one kind says the same with other numbers. */
  add({ kind, clause }: Clue): void {
    if (clause === undefined || this.#kinds.has(kind) || this.#clauses.length === CLAUSES) return
    this.#kinds.add(kind)
    this.#clauses.push(clause)
  }

  finding({ events }: History): Finding {
    const { kind, text, evidence, seqs = [], filter, score } = this.#clue
    const shown = evidence.slice(0, EVIDENCE).map((place) => events[place]?.seq ?? 0)
    return {
      kind,
      text: [text, ...this.#clauses].join('; '),
      evidence: [...shown, ...seqs].slice(0, EVIDENCE),
      count: evidence.length + seqs.length,
      ...(filter !== undefined && filter !== '' && { filter }),
      score: Math.round(score * 10) / 10,
    }
  }
}

function byWorth(history: History, clues: readonly Clue[]): readonly Clue[] {
  const first = clues.reduce((time, { since }) => Math.min(time, since ?? time), history.triggerTime)
  const span = Math.max(1, history.triggerTime - first)
  return clues
    .map((clue) => {
      const earliness = clue.since === undefined ? 1 : (history.triggerTime - clue.since) / span
      return { ...clue, score: clue.score * (1 - EARLINESS + EARLINESS * Math.max(0, earliness)) }
    })
    .sort((one, other) => other.score - one.score)
}
