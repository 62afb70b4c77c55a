import { Slices } from './browser'
import type { Store } from './store'

/** Lines of a tree, in columns. */
export interface TreeRows {
  /** Index of the event in the store. */
  readonly events: Int32Array
  readonly depths: Uint8Array
  /** Events below the line's event, at any depth, shown or not. */
  readonly below: Int32Array
  /** What is below the line is not shown. */
  readonly collapsed: Uint8Array
}

const MAX_DEPTH = 12

/**
 * Events below what caused them: below their parent; else below the first event of their span; else below the first of their
 * trace. In the order of the roots, then of the process.
 * @param matching indexes, in order
 * @param collapsed `seq` of events below which nothing is shown
 */
export async function treeRows(
  store: Store,
  matching: Int32Array,
  collapsed: ReadonlySet<number>,
  isStale: () => boolean,
): Promise<TreeRows | undefined> {
  const family = await familyOf(store, matching, isStale)
  if (family === undefined) return undefined
  const all = inOrder(family, matching.length)
  return withoutHidden(all, (index) => collapsed.has(store.at(index)?.event.seq ?? -1))
}

interface Family {
  readonly roots: readonly number[]
  readonly children: ReadonlyMap<number, readonly number[]>
}

async function familyOf(
  store: Store,
  matching: Int32Array,
  isStale: () => boolean,
): Promise<Family | undefined> {
  const slices = new Slices()
  const firstOf = new Map<string, number>()
  const children = new Map<number, number[]>()
  const roots: number[] = []
  const isShown = new Set(matching)
  for (const [at, index] of matching.entries()) {
    const parent = parentOf(store, index, firstOf, isShown)
    if (parent === undefined) roots.push(index)
    else {
      const siblings = children.get(parent)
      if (siblings === undefined) children.set(parent, [index])
      else siblings.push(index)
    }
    if ((at & 511) !== 0 || !slices.due) continue
    await slices.turn()
    if (isStale()) return undefined
  }
  return { roots, children }
}

/** All of them, each above what is below it. */
function inOrder({ roots, children }: Family, length: number): TreeRows {
  const events = new Int32Array(length)
  const depths = new Uint8Array(length)
  const below = new Int32Array(length)
  const parents = new Int32Array(length)
  const stack = roots.toReversed().map((index) => ({ index, depth: 0, parent: -1 }))
  let row = 0
  for (let next = stack.pop(); next !== undefined; next = stack.pop(), row++) {
    events[row] = next.index
    depths[row] = Math.min(MAX_DEPTH, next.depth)
    parents[row] = next.parent
    const own = children.get(next.index) ?? []
    for (const index of own.toReversed()) stack.push({ index, depth: next.depth + 1, parent: row })
  }
  for (let at = length - 1; at >= 0; at--) {
    const parent = parents[at] ?? -1
    if (parent !== -1) below[parent] = (below[parent] ?? 0) + (below[at] ?? 0) + 1
  }
  return { events, depths, below, collapsed: new Uint8Array(length) }
}

function withoutHidden(all: TreeRows, isCollapsed: (index: number) => boolean): TreeRows {
  const rows = {
    events: new Int32Array(all.events.length),
    depths: new Uint8Array(all.events.length),
    below: new Int32Array(all.events.length),
    collapsed: new Uint8Array(all.events.length),
  }
  let length = 0
  for (let at = 0; at < all.events.length; at++, length++) {
    const [index = 0, below = 0] = [all.events[at], all.below[at]]
    rows.events[length] = index
    rows.depths[length] = all.depths[at] ?? 0
    rows.below[length] = below
    if (below === 0 || !isCollapsed(index)) continue
    rows.collapsed[length] = 1
    at += below
  }
  return {
    events: rows.events.subarray(0, length),
    depths: rows.depths.subarray(0, length),
    below: rows.below.subarray(0, length),
    collapsed: rows.collapsed.subarray(0, length),
  }
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
