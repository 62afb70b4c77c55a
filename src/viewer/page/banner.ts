import { html, nothing, render } from 'lit/html.js'
import { element } from './element'
import type { LiveState } from './live'
import type { Store } from './store'
import { clockTime, counted, fullTime, visible } from './text'

/** What is to be known about the recording as such. */
export type BannerState =
  | { readonly kind: 'verdict'; readonly store: Store; readonly isFollowed: boolean }
  | { readonly kind: 'problem'; readonly text: string; readonly store?: Store }
  | { readonly kind: 'live'; readonly state: LiveState }

export function banner(state: BannerState): void {
  render(bannerView(state), element('banner'))
}

function bannerView(state: BannerState) {
  switch (state.kind) {
    case 'verdict':
      return verdictView(state.store, state.isFollowed)
    case 'problem':
      return html`<p class="bad">${visible(state.text)}${savedText(state.store)}</p>`
    case 'live':
      return liveView(state.state)
  }
}

function savedText(store: Store | undefined): string {
  return store === undefined || store.length === 0
    ? ''
    : ` – ${counted(store.length, 'event')} that came before are shown`
}

function verdictView(store: Store, isFollowed: boolean) {
  const { verdict, damage, header } = store
  if (verdict === undefined || verdict.state === 'whole') return nothing
  if (verdict.state === 'open' && isFollowed)
    return html`<p class="note live">still recording: the page follows</p>`
  if (verdict.state === 'open')
    return html`<p class="note">still recording when this copy was made: more may have come</p>`
  const [first] = damage
  const last = store.at(store.length - 1)?.event
  const saved = store.length === 0 ? 'nothing could be saved' : `${counted(store.length, 'event')} saved`
  const lost =
    verdict.eventsLost === undefined
      ? 'more may be missing'
      : `${counted(verdict.eventsLost, 'event')} missing`
  const where =
    verdict.state === 'truncated'
      ? `the file ends early${last === undefined ? '' : `, after ${fullTime(last.time, 'utc')}`}`
      : `a part of the file is damaged: ${first?.damage.message ?? ''}`
  return html`<p>${visible(where)} – ${saved}, ${lost}${header === undefined ? '; its header is lost' : ''}</p>`
}

function liveView(state: LiveState) {
  const missed = state.missed === 0 ? '' : ` – ${counted(state.missed, 'event')} missed`
  if (state.kind === 'following') {
    const at = state.restartedAt
    const anew = at === undefined ? '' : ` – the process began anew at ${clockTime(at, 'local')}`
    return html`<p class="note live">following${anew}${missed}</p>`
  }
  return html`<p class="bad">connection lost at ${clockTime(state.since, 'local')}: ${visible(state.reason)}${missed}; it is tried again</p>`
}
