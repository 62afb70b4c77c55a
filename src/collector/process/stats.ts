import { PROCESS_STATS_NAME_CHARS, PROCESS_STATS_NAMES } from '../../base/limits'
import { storableText } from '../store/storable'

/** Counts by name, in the order of their names. */
export type Stats = Readonly<Record<string, number>>

/** Names that workers chose begin with it in what is counted of a run. */
export const OF_WORKERS = 'work.'

/** Sums up counts of a run, or of an item. */
export class Counts {
  readonly #prefix: string
  readonly #counts = new Map<string, number>()

  /** @param prefix of names that workers chose, which may be many */
  constructor(prefix = OF_WORKERS) {
    this.#prefix = prefix
  }

  /** What is no number counts as none. */
  add(n: number, name: string): void {
    addTo(this.#counts, this.#prefix, storableText(name.slice(0, PROCESS_STATS_NAME_CHARS)), n)
  }

  all(): Stats {
    return sorted(this.#counts)
  }
}

/** What two have together. A count that is no number (somebody else wrote it) counts as none. */
export function sum(a: Stats, b: Stats): Stats {
  const counts = new Map<string, number>()
  for (const [name, n] of [...Object.entries(a), ...Object.entries(b)]) {
    addTo(counts, OF_WORKERS, name, n)
  }
  return sorted(counts)
}

/** Names without end would make the row of the process grow with each run. */
function addTo(counts: Map<string, number>, prefix: string, name: string, n: number): void {
  const isKept = !name.startsWith(prefix) || counts.has(name) || counts.size < PROCESS_STATS_NAMES
  const kept = isKept ? name : `${prefix}other`
  counts.set(kept, (counts.get(kept) ?? 0) + (Number.isFinite(n) ? n : 0))
}

function sorted(counts: ReadonlyMap<string, number>): Stats {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
