import { html, nothing, render } from 'lit/html.js'
import type { EventFilter } from '../../query/filter'
import { element } from './element'
import { costliestTerm, type Rows } from './rows'
import type { Store } from './store'
import { counted, visible } from './text'

/** Where the list has nothing to show: why, and what would help. */
export async function emptyView(
  store: Store,
  rows: Rows,
  filter: EventFilter | undefined,
  isStale: () => boolean,
  withoutTerm: (term: string) => void,
): Promise<void> {
  const place = element('empty')
  if (rows.matching.length > 0) return void render(nothing, place)
  if (store.length === 0) return void render(html`<p>There is no event in this recording.</p>`, place)
  if (filter === undefined) return void render(nothing, place)
  render(html`<p>None of ${counted(store.length, 'event')} matches.</p>`, place)
  const costliest = await costliestTerm(store, filter, isStale)
  if (isStale()) return
  const advice =
    costliest === undefined
      ? html`<p>No single term is to blame: each two of them exclude everything.</p>`
      : html`<p>Without <button @click=${() => withoutTerm(costliest.term)}>${visible(costliest.term)}</button> it would be ${counted(costliest.matches, 'event')}.</p>`
  render(html`<p>None of ${counted(store.length, 'event')} matches.</p>${advice}`, place)
}
