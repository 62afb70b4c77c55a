import { join } from 'node:path'
import type { IncidentSummary } from './header'
import type { IncidentFileName } from './name'
import { readSummary } from './summary'

/** What happened to an incident. Each is opened at most once and closed at most once, in this order. */
export type IncidentNotice =
  | { readonly kind: 'opened'; readonly id: string; readonly summary: IncidentSummary }
  | { readonly kind: 'closed'; readonly id: string; readonly summary: IncidentSummary }
  | { readonly kind: 'removed'; readonly id: string }

/** Looks at a file that cannot be read, until it is no longer taken for one that is just being written. */
const LOOKS_AT_UNREADABLE = 40

/**
 * What changed in an incident directory between two looks at it. A file that appears half-made, under two names or twice
 * makes no false notice:
 * - a file counts once its header can be read;
 * - an incident whose files are all missing is removed only if the next look misses them too, for the first may have
 *   fallen between two names of a file that was being renamed.
 */
export class IncidentChanges {
  readonly #directory: string
  /** Incident of each file that was read. */
  readonly #files = new Map<string, string>()
  readonly #told = new Map<string, 'opened' | 'closed'>()
  readonly #missing = new Set<string>()
  /** Files that cannot be read, with the number of looks so far. */
  readonly #unreadable = new Map<string, number>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Files are there that could not be read; a change of one of them may be news. */
  get hasUnreadable(): boolean {
    return this.#unreadable.size > 0
  }

  /** Another look soon may see more than this one. */
  get unsettled(): boolean {
    return (
      this.#missing.size > 0 || [...this.#unreadable.values()].some((looks) => looks < LOOKS_AT_UNREADABLE)
    )
  }

  /** @param files all that are there now; looks must not overlap */
  async *since(files: readonly IncidentFileName[]): AsyncGenerator<IncidentNotice, void, void> {
    const visible = files.filter((file) => file.kind !== 'temporary').sort(finishedFirst)
    this.#forgetAllBut(new Set(visible.map((file) => file.name)))
    for (const file of visible) {
      if (this.#files.has(file.name)) continue
      const notice = await this.#takeIn(file)
      if (notice !== undefined) yield notice
    }
    yield* this.#removed()
  }

  async #takeIn(file: IncidentFileName): Promise<IncidentNotice | undefined> {
    const summary = await this.#read(file.name)
    if (summary === undefined) return undefined
    const { id } = summary
    const kind = file.kind === 'gzip' ? 'closed' : 'opened'
    this.#files.set(file.name, id)
    if (this.#told.get(id) === 'closed' || this.#told.get(id) === kind) return undefined
    this.#told.set(id, kind)
    return { kind, id, summary }
  }

  async #read(name: string): Promise<IncidentSummary | undefined> {
    try {
      const summary = await readSummary(join(this.#directory, name))
      this.#unreadable.delete(name)
      return summary
    } catch {
      this.#unreadable.set(name, (this.#unreadable.get(name) ?? 0) + 1)
      return undefined
    }
  }

  *#removed(): Generator<IncidentNotice, void, void> {
    const present = new Set(this.#files.values())
    for (const id of this.#told.keys()) {
      if (present.has(id)) this.#missing.delete(id)
      else if (!this.#missing.delete(id)) this.#missing.add(id)
      else {
        this.#told.delete(id)
        yield { kind: 'removed', id }
      }
    }
  }

  #forgetAllBut(names: ReadonlySet<string>): void {
    for (const name of this.#unreadable.keys()) if (!names.has(name)) this.#unreadable.delete(name)
    for (const name of this.#files.keys()) if (!names.has(name)) this.#files.delete(name)
  }
}

/** An incident of which both files are there has been closed; that it was opened is no news any more. */
function finishedFirst(one: IncidentFileName, other: IncidentFileName): number {
  return Number(other.kind === 'gzip') - Number(one.kind === 'gzip')
}
