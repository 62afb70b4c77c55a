import { ERROR } from '../../event/severity'
import { messageText } from '../../event/template'
import type { EventFilter } from '../../query/filter'
import { Slices } from './browser'
import type { Store } from './store'
import { type TreeRows, treeRows } from './tree'

/** Lines of the list, in columns: there may be a million. */
export interface Rows {
  /** Index of the event in the store. */
  readonly events: Int32Array
  /** How many equal events in a row the line stands for. */
  readonly repeats: Int32Array
  /** Of a tree; absent in a list. */
  readonly tree?: Tree
  /** Indexes of all events that match, in their order. */
  readonly matching: Int32Array
  /** Events that match, by band. */
  readonly bandCounts: readonly number[]
}

/** What the lines of a tree have besides. */
export type Tree = Omit<TreeRows, 'events'>

export const NO_ROWS: Rows = {
  events: new Int32Array(0),
  repeats: new Int32Array(0),
  matching: new Int32Array(0),
  bandCounts: [0, 0, 0, 0, 0, 0],
}

export interface RowOptions {
  readonly filter: EventFilter | undefined
  readonly tree: boolean
  /** `seq` of events below which a tree shows nothing. */
  readonly collapsed: ReadonlySet<number>
  readonly fold: boolean
}

/** The lines that a filter leaves, made in slices. @returns undefined when `isStale` said so meanwhile */
export async function makeRows(
  store: Store,
  options: RowOptions,
  isStale: () => boolean,
): Promise<Rows | undefined> {
  const { filter, tree, fold, collapsed } = options
  const matching = await matchingEvents(store, filter, isStale)
  if (matching === undefined) return undefined
  const bandCounts = [0, 0, 0, 0, 0, 0]
  for (const index of matching) {
    const band = store.bands[index] ?? 0
    bandCounts[band] = (bandCounts[band] ?? 0) + 1
  }
  const counts = { bandCounts, matching }
  if (tree) {
    const rows = await treeRows(store, matching, collapsed, isStale)
    return rows && { events: rows.events, repeats: once(rows.events.length), tree: rows, ...counts }
  }
  if (!fold) return { events: matching, repeats: once(matching.length), ...counts }
  const folded = await foldedRows(store, matching, isStale)
  return folded && { ...folded, ...counts }
}

/** Of several terms the one without which most events would match, where no event does. */
export async function costliestTerm(
  store: Store,
  filter: EventFilter,
  isStale: () => boolean,
): Promise<{ readonly term: string; readonly matches: number } | undefined> {
  const without = new Array<number>(filter.terms.length).fill(0)
  const context = contextOf(store)
  const slices = new Slices()
  for (const { event, mark } of store.events) {
    let failed = -1
    for (const [index, term] of filter.terms.entries()) {
      if (term.matches(event, mark === undefined ? context : { ...context, mark })) continue
      failed = failed === -1 ? index : -2
      if (failed === -2) break
    }
    if (failed >= 0) without[failed] = (without[failed] ?? 0) + 1
    if (!slices.due) continue
    await slices.turn()
    if (isStale()) return undefined
  }
  const matches = Math.max(0, ...without)
  const term = filter.terms[without.indexOf(matches)]
  return term === undefined || matches === 0 ? undefined : { term: term.text, matches }
}

/** The row whose event is nearest to a time, or -1. @param time microseconds */
export function rowNearest({ events }: Rows, { times }: Store, time: number): number {
  let [best, distance] = [-1, Number.POSITIVE_INFINITY]
  for (const [row, index] of events.entries()) {
    const off = Math.abs((times[index] ?? 0) - time)
    if (off < distance) [best, distance] = [row, off]
  }
  return best
}

/** The next row with an error before or behind a row, or -1. */
export function rowOfError({ events }: Rows, store: Store, from: number, step: 1 | -1): number {
  for (let row = from + step; row >= 0 && row < events.length; row += step)
    if ((store.at(events[row] ?? -1)?.event.severity ?? 0) >= ERROR) return row
  return -1
}

function contextOf(store: Store): { readonly triggerTime?: number } {
  return store.triggerTime === undefined ? {} : { triggerTime: store.triggerTime }
}

async function matchingEvents(
  store: Store,
  filter: EventFilter | undefined,
  isStale: () => boolean,
): Promise<Int32Array | undefined> {
  const all = new Int32Array(store.length)
  if (filter === undefined) return all.map((_, index) => index)
  const context = contextOf(store)
  const slices = new Slices()
  let length = 0
  for (let index = 0; index < all.length; index++) {
    const recorded = store.at(index)
    if (recorded === undefined) break
    const { event, mark } = recorded
    if (filter.matches(event, mark === undefined ? context : { ...context, mark })) all[length++] = index
    if ((index & 511) !== 0 || !slices.due) continue
    await slices.turn()
    if (isStale()) return undefined
  }
  return all.subarray(0, length)
}

function once(length: number): Int32Array {
  return new Int32Array(length).fill(1)
}

async function foldedRows(store: Store, matching: Int32Array, isStale: () => boolean) {
  const events = new Int32Array(matching.length)
  const repeats = new Int32Array(matching.length)
  const slices = new Slices()
  let length = 0
  for (let at = 0; at < matching.length; at++) {
    const index = matching[at] as number
    if (length > 0 && isRepeat(store, events[length - 1] as number, index)) {
      repeats[length - 1] = (repeats[length - 1] as number) + 1
    } else {
      events[length] = index
      repeats[length++] = 1
    }
    if ((at & 1023) !== 0 || !slices.due) continue
    await slices.turn()
    if (isStale()) return undefined
  }
  return { events: events.subarray(0, length), repeats: repeats.subarray(0, length) }
}

/** The same line again; what set it off, and errors, always have a line of their own. */
function isRepeat(store: Store, first: number, second: number): boolean {
  const [one, other] = [store.at(first), store.at(second)]
  if (one === undefined || other === undefined || one.mark !== undefined || other.mark !== undefined)
    return false
  if (one.event.message !== other.event.message || one.event.facility !== other.event.facility) return false
  if (one.event.severity !== other.event.severity || other.event.error !== undefined) return false
  return one.event.error === undefined && messageText(one.event) === messageText(other.event)
}
