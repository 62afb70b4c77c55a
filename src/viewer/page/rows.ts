import { messageText } from '../../event/template'
import type { EventFilter } from '../../query/filter'
import { Slices } from './browser'
import type { Store } from './store'

/** Lines of the list, in columns: there may be a million. */
export interface Rows {
  /** Index of the event in the store. */
  readonly events: Int32Array
  /** How many equal events in a row the line stands for. */
  readonly repeats: Int32Array
  /** How far a line is indented, in a tree. */
  readonly depths: Uint8Array
  /** Events that match, by band. */
  readonly bandCounts: readonly number[]
  readonly matches: number
}

export const NO_ROWS: Rows = {
  events: new Int32Array(0),
  repeats: new Int32Array(0),
  depths: new Uint8Array(0),
  bandCounts: [0, 0, 0, 0, 0, 0],
  matches: 0,
}

export interface RowOptions {
  readonly filter: EventFilter | undefined
  readonly tree: boolean
  readonly fold: boolean
}

/** The lines that a filter leaves, made in slices. @returns undefined when `isStale` said so meanwhile */
export async function makeRows(
  store: Store,
  options: RowOptions,
  isStale: () => boolean,
): Promise<Rows | undefined> {
  const { filter, tree, fold } = options
  const matching = await matchingEvents(store, filter, isStale)
  if (matching === undefined) return undefined
  const bandCounts = [0, 0, 0, 0, 0, 0]
  for (const index of matching) {
    const band = store.bands[index] ?? 0
    bandCounts[band] = (bandCounts[band] ?? 0) + 1
  }
  const counts = { bandCounts, matches: matching.length }
  if (tree) return { ...(await asTree(store, matching)), ...counts }
  if (!fold) return { ...plain(matching), ...counts }
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
    if ((index & 63) !== 0 || !slices.due) continue
    await slices.turn()
    if (isStale()) return undefined
  }
  return all.subarray(0, length)
}

function plain(events: Int32Array): Pick<Rows, 'events' | 'repeats' | 'depths'> {
  return { events, repeats: new Int32Array(events.length).fill(1), depths: new Uint8Array(events.length) }
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
    if ((at & 255) !== 0 || !slices.due) continue
    await slices.turn()
    if (isStale()) return undefined
  }
  return {
    events: events.subarray(0, length),
    repeats: repeats.subarray(0, length),
    depths: new Uint8Array(length),
  }
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

const MAX_DEPTH = 12

/**
 * Events below what caused them: below their parent; else below the first event of their span; else below the first of their
 * trace. In the order of the roots, then of the process.
 */
async function asTree(store: Store, matching: Int32Array) {
  const slices = new Slices()
  const firstOf = new Map<string, number>()
  const children = new Map<number, number[]>()
  const roots: number[] = []
  const isShown = new Set(matching)
  for (const index of matching) {
    const parent = parentOf(store, index, firstOf, isShown)
    if (parent === undefined) roots.push(index)
    else {
      const siblings = children.get(parent)
      if (siblings === undefined) children.set(parent, [index])
      else siblings.push(index)
    }
    if (slices.due) await slices.turn()
  }
  const rows = plain(new Int32Array(matching.length))
  let length = 0
  const stack = roots.reverse().map((index) => ({ index, depth: 0 }))
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    rows.events[length] = next.index
    rows.depths[length++] = next.depth
    const below = children.get(next.index) ?? []
    const depth = Math.min(MAX_DEPTH, next.depth + 1)
    for (let at = below.length - 1; at >= 0; at--) stack.push({ index: below[at] as number, depth })
  }
  return rows
}

function parentOf(
  store: Store,
  index: number,
  firstOf: Map<string, number>,
  isShown: ReadonlySet<number>,
): number | undefined {
  const event = store.at(index)?.event
  if (event === undefined) return undefined
  const span = event.spanId === undefined ? undefined : `s${event.traceId ?? ''}/${event.spanId}`
  const trace = event.traceId === undefined ? undefined : `t${event.traceId}`
  const before = [span, trace].map((key) => (key === undefined ? undefined : firstOf.get(key)))
  for (const key of [span, trace]) if (key !== undefined && !firstOf.has(key)) firstOf.set(key, index)
  if (event.parent !== undefined) {
    const parent = store.indexOf(event.parent)
    // A parent comes before its child, or the file is wrong: nothing may be its own ancestor.
    if (parent !== -1 && parent < index && isShown.has(parent)) return parent
  }
  return before.find((found) => found !== undefined)
}
