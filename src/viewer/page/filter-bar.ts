import { html, nothing, render } from 'lit/html.js'
import { after } from './browser'
import { type Suggestion, suggest, termAt, type Vocabulary } from './completion'
import { element } from './element'
import type { Store } from './store'
import { visible } from './text'

export interface FilterBarHost {
  onFilter(text: string): void
  /** The list gets the focus back. */
  onDone(): void
}

/** Writing goes on while the list is being filtered; every letter by itself would be too much. */
const PAUSE_MS = 120

/** The filter line, with suggestions below it. */
export class FilterBar {
  readonly #host: FilterBarHost
  readonly #input: HTMLInputElement
  readonly #menu: HTMLElement
  #vocabulary: Vocabulary | undefined
  #store: Store | undefined
  #suggestions: readonly Suggestion[] = []
  #chosen = -1
  #writes = 0

  constructor(input: HTMLInputElement, menu: HTMLElement, host: FilterBarHost) {
    this.#host = host
    this.#input = input
    this.#menu = menu
    input.addEventListener('input', () => this.#written())
    input.addEventListener('click', () => this.#suggest())
    input.addEventListener('keydown', (event) => this.#pressed(event))
    input.addEventListener('blur', () => this.#close())
    element('clear').addEventListener('click', () => {
      this.replace('')
      this.#finish()
    })
  }

  /** Shows a filter that was made elsewhere; what somebody is writing is left alone. */
  show(text: string, error: string | undefined): void {
    if (this.#input.value !== text && document.activeElement !== this.#input) this.#input.value = text
    this.#input.setAttribute('aria-invalid', String(error !== undefined))
    element('wrong').textContent = error ?? ''
    element('clear').hidden = text === ''
  }

  /** Shows a filter, whatever is being written. */
  replace(text: string): void {
    this.#writes++
    this.#input.value = text
    this.#close()
  }

  learn(store: Store, vocabulary: Vocabulary): void {
    this.#store = store
    this.#vocabulary = vocabulary
  }

  focus(): void {
    this.#input.focus()
    this.#input.select()
  }

  #written(): void {
    const write = ++this.#writes
    this.#suggest()
    after(PAUSE_MS, () => {
      if (write === this.#writes) this.#host.onFilter(this.#input.value)
    })
  }

  #suggest(): void {
    const { value, selectionStart } = this.#input
    const cursor = selectionStart ?? value.length
    const { from } = termAt(value, cursor)
    this.#suggestions =
      this.#vocabulary === undefined || this.#store === undefined
        ? []
        : suggest(value.slice(from, cursor), this.#vocabulary, this.#store)
    this.#chosen = -1
    this.#draw()
  }

  #pressed(event: KeyboardEvent): void {
    const { key } = event
    const count = this.#suggestions.length
    if (key === 'Escape') {
      event.stopPropagation()
      if (count > 0) this.#close()
      else this.#finish()
    } else if ((key === 'ArrowDown' || key === 'ArrowUp') && count > 0) {
      event.preventDefault()
      const step = key === 'ArrowDown' ? 1 : -1
      this.#chosen = (this.#chosen + step + count + (this.#chosen === -1 && step === -1 ? 1 : 0)) % count
      this.#draw()
    } else if (key === 'Tab' && !event.shiftKey && count > 0 && this.#input.value !== '') {
      event.preventDefault()
      this.#take(this.#suggestions[Math.max(0, this.#chosen)])
    } else if (key === 'Enter') {
      event.preventDefault()
      if (this.#chosen >= 0) this.#take(this.#suggestions[this.#chosen])
      else this.#finish()
    }
  }

  #finish(): void {
    this.#writes++
    this.#close()
    this.#host.onFilter(this.#input.value)
    this.#host.onDone()
  }

  #take(suggestion: Suggestion | undefined): void {
    if (suggestion === undefined) return
    const { value, selectionStart } = this.#input
    const { from, to } = termAt(value, selectionStart ?? value.length)
    const isOpen = /[:=]$/.test(suggestion.term)
    const before = `${value.slice(0, from)}${suggestion.term}${isOpen ? '' : ' '}`
    this.#input.value = before + value.slice(to).trimStart()
    this.#input.setSelectionRange(before.length, before.length)
    if (isOpen) this.#suggest()
    else this.#close()
    this.#writes++
    this.#host.onFilter(this.#input.value)
  }

  #close(): void {
    this.#suggestions = []
    this.#chosen = -1
    this.#draw()
  }

  #draw(): void {
    const isOpen = this.#suggestions.length > 0
    this.#menu.hidden = !isOpen
    this.#input.setAttribute('aria-expanded', String(isOpen))
    if (this.#chosen === -1) this.#input.removeAttribute('aria-activedescendant')
    else this.#input.setAttribute('aria-activedescendant', `suggestion-${this.#chosen}`)
    render(
      isOpen
        ? this.#suggestions.map(
            (suggestion, index) =>
              html`<li id="suggestion-${index}" role="option" aria-selected=${index === this.#chosen} @pointerdown=${(
                event: Event,
              ) => {
                event.preventDefault()
                this.#take(suggestion)
              }}><span>${visible(suggestion.term)}</span> <span class="dim">${suggestion.note}</span></li>`,
          )
        : nothing,
      this.#menu,
    )
  }
}
