import { storableText } from './storable'

/** Counts by name, in the order of their names. */
export type Stats = Readonly<Record<string, number>>

/** Sums up counts of a run. */
export class Counts {
  readonly #counts = new Map<string, number>()

  /** What is no number counts as none. */
  add(n: number, name: string): void {
    const storable = storableText(name)
    this.#counts.set(storable, (this.#counts.get(storable) ?? 0) + (Number.isFinite(n) ? n : 0))
  }

  all(): Stats {
    return sorted(this.#counts)
  }
}

/** What two have together. A count that is no number (somebody else wrote it) counts as none. */
export function sum(a: Stats, b: Stats): Stats {
  const counts = new Map<string, number>()
  for (const [name, n] of [...Object.entries(a), ...Object.entries(b)]) {
    counts.set(name, (counts.get(name) ?? 0) + (Number.isFinite(n) ? n : 0))
  }
  return sorted(counts)
}

function sorted(counts: ReadonlyMap<string, number>): Stats {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
