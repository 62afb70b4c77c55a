import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { Action } from './keys'
import { grouped, TIME_MODES, type TimeMode } from './text'

export interface Switches {
  readonly tree: boolean
  readonly fold: boolean
  readonly time: TimeMode
  readonly isZoomed: boolean
  readonly onlyTrace: boolean
  readonly hasTrace: boolean
  readonly isLoading: boolean
  readonly matches: number
  readonly total: number
}

/** What stands behind the filter line. */
export function switchesView(
  shown: Switches,
  act: (action: Action) => void,
  onTime: (mode: TimeMode) => void,
): TemplateResult {
  const box = (action: Action, text: string | TemplateResult, isOn: boolean, isOff = false) =>
    html`<label><input type="checkbox" .checked=${isOn} ?disabled=${isOff} @change=${() => act(action)}>${text}</label>`
  return html`
    ${box('onlyTrace', html`<span><span class="wide">only </span>this trace</span>`, shown.onlyTrace, !shown.hasTrace && !shown.onlyTrace)}
    ${box('tree', 'tree', shown.tree)}
    ${box('fold', 'fold', shown.fold)}
    <select aria-label="times" @change=${(event: Event) => onTime((event.target as HTMLSelectElement).value as TimeMode)}>
      ${TIME_MODES.map((mode) => html`<option value=${mode} ?selected=${mode === shown.time}>${mode === 'utc' ? 'UTC' : mode}</option>`)}
    </select>
    ${shown.isZoomed ? html`<button @click=${() => act('zoomAll')}>all of the time</button>` : nothing}
    <span class="matches" role="status">${shown.isLoading ? html`reading … ${grouped(shown.total)}` : shown.matches === shown.total ? grouped(shown.total) : html`${grouped(shown.matches)} of ${grouped(shown.total)}`}</span>
    <button @click=${() => act('help')} title="keys" aria-label="Help: the keys">?</button>
  `
}
