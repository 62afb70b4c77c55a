/**
 * ```
 * item   register ─▶ active ──unregister──▶ cleanup ──cleaned──▶ dropped ──after 7 d──▶ gone
 *                      ▲                       │                    │
 *                      └──────register─────────┴────────register────┘
 *        on `active` its state is: new ─▶ active ─▶ completed | incomplete | aborted ─▶ active …
 *
 * run    active ─▶ completed    all items were done
 *               ─▶ incomplete   some failed, or the run was interrupted
 *               ─▶ aborted      more errors than a run may have
 *               ─▶ lost         its owner died, or came to a standstill: another instance found it
 * ```
 */
export type ItemList = 'active' | 'cleanup' | 'dropped'
export type ItemState = 'new' | 'active' | 'aborted' | 'incomplete' | 'completed'
export type RunState = 'active' | 'aborted' | 'incomplete' | 'completed' | 'lost'
/** What an item is called outside. */
export type ItemViewState = 'queued' | Exclude<ItemState, 'new'> | 'cleanup' | 'dropped' | 'purged'

/** How processing an item ended. No success makes up for too many errors. */
export function itemStateAfter(ended: { readonly spent: boolean; readonly errors: number }): ItemState {
  if (ended.spent) return 'aborted'
  return ended.errors > 0 ? 'incomplete' : 'completed'
}

/** How a run ended whose owner lives. */
export function runStateAfter(ended: {
  readonly spent: boolean
  readonly interrupted: boolean
  readonly errors: number
}): RunState {
  if (ended.spent) return 'aborted'
  return ended.interrupted || ended.errors > 0 ? 'incomplete' : 'completed'
}

/** @param purgeable whether a dropped item has been kept for as long as it is to be */
export function viewState(list: ItemList, state: ItemState, purgeable: boolean): ItemViewState {
  if (list === 'cleanup') return 'cleanup'
  if (list === 'dropped') return purgeable ? 'purged' : 'dropped'
  return state === 'new' ? 'queued' : state
}
