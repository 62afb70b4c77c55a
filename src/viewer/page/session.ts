import { html, nothing, render } from 'lit/html.js'
import { FlogError, messageOf } from '../../base/errors'
import { quoteText } from '../../query/filter'
import { App } from './app'
import { banner } from './banner'
import { after } from './browser'
import { differencesOf } from './compare'
import { element } from './element'
import { followLive } from './live'
import { embeddedBytes, fetchedBytes, loadInto } from './load'
import { differencesView, type Group, headlineView, pickerView } from './panels'
import { askIncident, askSource, previousOf, type SourceAnswer } from './server'
import { Store } from './store'
import { fullTime, visible } from './text'
import { findingsOf } from './worker'

/** An incident that is being written, or a directory, is looked at so often. */
const POLL_MS = 2000

/** What the page shows, and where it gets it: from itself, or from its server. */
export class Session {
  readonly #app: App
  #source: SourceAnswer | undefined
  #shown = ''
  #loads = 0

  constructor() {
    this.#app = new App({
      onIncident: (id) => void this.#open(id),
      onCompare: () => void this.#compare(),
    })
  }

  async start(): Promise<void> {
    const embedded = document.getElementById('flog-recording')?.textContent
    if (embedded !== undefined && embedded !== null) {
      await this.#load('', embeddedBytes(embedded.trim()))
      return
    }
    try {
      const source = await askSource()
      this.#source = source
      document.title = `${visible(source.name)} – flog`
      if (source.kind === 'live') this.#follow()
      else await this.#open(this.#app.view.id)
      if (source.kind !== 'live') this.#poll()
    } catch (error) {
      banner({ kind: 'problem', text: messageOf(error) })
    }
  }

  async #open(asked: string): Promise<void> {
    const id = asked === '' ? (this.#source?.opens ?? '') : asked
    if (id === '') return this.#pick()
    element('picker').hidden = true
    try {
      const response = await askIncident(id)
      await this.#load(asked, fetchedBytes(response))
    } catch (error) {
      banner({ kind: 'problem', text: messageOf(error) })
    }
  }

  #pick(): void {
    const source = this.#source
    if (source === undefined) return
    element('incident').hidden = true
    element('picker').hidden = false
    render(nothing, element('head'))
    render(
      pickerView(source.name, source.incidents, source.unreadable, (id) => {
        location.hash = `incident=${encodeURIComponent(id)}`
      }),
      element('picker'),
    )
  }

  async #load(id: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const load = ++this.#loads
    const store = new Store()
    const chunks: Uint8Array[] = []
    this.#app.begin(store, id)
    this.#app.showFindings('looking')
    let problem: string | undefined
    try {
      const onProgress = (): void => {
        if (load !== this.#loads) return
        this.#head(store)
        this.#app.progressed()
      }
      await loadInto(store, kept(bytes, chunks), onProgress, this.#source?.maxPlainBytes)
    } catch (error) {
      if (!FlogError.is(error) && !(error instanceof TypeError)) throw error
      problem = problemOf(error)
    }
    if (load !== this.#loads) return
    this.#shown = this.#entry(store)?.id ?? ''
    this.#head(store)
    const isFollowed = this.#source !== undefined
    banner(
      problem === undefined
        ? { kind: 'verdict', store, isFollowed }
        : { kind: 'problem', text: problem, store },
    )
    // Of what cannot be read at all there is nothing to show but why.
    if (problem !== undefined && store.header === undefined && store.length === 0) {
      element('incident').hidden = true
      return
    }
    await this.#app.loaded()
    const findings = await findingsOf(chunks, this.#source?.maxPlainBytes)
    if (load === this.#loads) this.#app.showFindings(findings)
  }

  #head(store: Store): void {
    const { header } = store
    if (header === undefined) return
    document.title = `${visible(header.service)}: ${visible(header.trigger.event.message).slice(0, 80)}`
    render(
      headlineView(header, this.#app.view.time, this.#group(store), () => void this.#compare()),
      element('head'),
    )
  }

  #entry(store: Store) {
    return this.#source?.incidents.find(({ id }) => id === store.header?.id)
  }

  #group(store: Store): Group | undefined {
    const entry = this.#entry(store)
    if (entry === undefined || this.#source === undefined) return undefined
    const like = this.#source.incidents.filter(({ fingerprint }) => fingerprint === entry.fingerprint)
    const first = Math.min(...like.map(({ openedAt }) => openedAt))
    const hasPrevious = previousOf(this.#source.incidents, entry) !== undefined
    return { count: like.length, firstAge: entry.openedAt - first, hasPrevious }
  }

  async #compare(): Promise<void> {
    const here = this.#app.store
    const entry = this.#entry(here)
    const previous = entry && previousOf(this.#source?.incidents ?? [], entry)
    if (previous === undefined) return
    const over = element('over')
    const show = (differences: Parameters<typeof differencesView>[0]): void => {
      over.hidden = false
      const close = (): void => {
        over.hidden = true
        element('list').focus({ preventScroll: true })
      }
      render(
        html`${differencesView(
          differences,
          fullTime(previous.openedAt, 'local').slice(0, 19),
          (one) => {
            close()
            const facility = one.facility === '' ? '' : ` facility:${quoteText(one.facility)}`
            this.#app.setFilter(`message=${quoteText(one.message)}${facility}`)
          },
          close,
        )}`,
        over,
      )
    }
    show('looking')
    const there = new Store()
    try {
      const bytes = fetchedBytes(await askIncident(previous.id))
      await loadInto(there, bytes, () => undefined, this.#source?.maxPlainBytes)
      show(await differencesOf(here, there))
    } catch (error) {
      over.hidden = true
      banner({ kind: 'problem', text: messageOf(error), store: here })
    }
  }

  #follow(): void {
    const begin = (): Store => {
      const store = new Store()
      this.#app.begin(store, '')
      return store
    }
    render(html`<h1>${visible(this.#source?.name ?? '')}</h1>`, element('head'))
    followLive(begin(), {
      onRestarted: begin,
      onEvents: () => void this.#app.followed(),
      onState: (state) => banner({ kind: 'live', state }),
    })
  }

  /** While an incident is being written it is read again when it has grown; a list grows too. */
  #poll(): void {
    after(POLL_MS, () => {
      void this.#lookAgain().finally(() => this.#poll())
    })
  }

  async #lookAgain(): Promise<void> {
    if (document.hidden) return
    const before = this.#source?.incidents.find(({ id }) => id === this.#shown)
    try {
      const source = await askSource()
      const isSame = JSON.stringify(source) === JSON.stringify(this.#source)
      this.#source = source
      if (isSame) return
      const now = source.incidents.find(({ id }) => id === this.#shown)
      if (!element('picker').hidden) this.#pick()
      else if (
        before !== undefined &&
        now !== undefined &&
        before.bytes !== now.bytes &&
        before.state === 'open'
      )
        await this.#open(this.#app.view.id)
      else this.#head(this.#app.store)
    } catch (error) {
      banner({
        kind: 'problem',
        text: `the server of this page is gone: ${messageOf(error)}`,
        store: this.#app.store,
      })
    }
  }
}

/** Where the limit can be raised, how. */
function problemOf(error: unknown): string {
  if (!FlogError.is(error, 'FLOG_FILE_TOO_LARGE')) return messageOf(error)
  return `the incident holds more than this page reads; to raise the limit: flog view --max-size <size>`
}

/** Passes pieces on, and keeps them for the second thread. */
async function* kept(
  bytes: AsyncIterable<Uint8Array>,
  chunks: Uint8Array[],
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of bytes) {
    chunks.push(chunk)
    yield chunk
  }
}
