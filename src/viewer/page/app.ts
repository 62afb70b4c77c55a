import { html, nothing, render } from 'lit/html.js'
import type { Finding } from '../../query/stands-out'
import { addressOf, FIRST_VIEW, parseAddress, type View } from './address'
import { Branches } from './branches'
import { monotonicMs } from './browser'
import { vocabularyOf } from './completion'
import { detailView } from './detail'
import { element } from './element'
import { emptyView } from './empty'
import { FilterBar } from './filter-bar'
import { type Action, actionOf } from './keys'
import { EventList } from './list'
import { bandsView, findingsView, helpView } from './panels'
import { makeRows, NO_ROWS, type Rows, rowNearest, rowOfError } from './rows'
import { Store } from './store'
import { switchesView } from './switches'
import { isOfTrace, readFilter, traceToggled, withoutTerms, withTerm } from './terms'
import { eventTime, fullTime, TIME_MODES } from './text'
import { type Range, wholeRange } from './time-range'
import { Timeline } from './timeline'

export interface AppHost {
  /** Another incident was asked for by the address. */
  onIncident(id: string): void
  onCompare(): void
}

/** While a file is read what there is is shown so often. */
const PROGRESS_MS = 400

/** The page with one recording in it: what is shown follows from the store and the view. */
export class App {
  readonly #host: AppHost
  readonly #list: EventList
  readonly #timeline: Timeline
  readonly #filterBar: FilterBar
  readonly #branches: Branches
  #store = new Store()
  #view: View = FIRST_VIEW
  #rows: Rows = NO_ROWS
  #filterError: string | undefined
  #work = 0
  #isLoading = true
  #isFollowing = false
  #shownAt = 0

  constructor(host: AppHost) {
    this.#host = host
    this.#list = new EventList(element('list'), {
      look: (index) => this.#look(index),
      onSelect: (index, open) => this.select(index, open || this.#view.detail),
      onBranch: (index) => this.#branches.toggle(index),
      onScroll: (first, last) => this.#scrolled(first, last),
    })
    this.#branches = new Branches(this.#list, {
      seqOf: (index) => this.#store.at(index)?.event.seq ?? -1,
      onChange: () => void this.#refilter(),
      onGo: (index) => this.select(index, this.#view.detail, 'nearest'),
      selected: () => this.#selectedIndex,
    })
    this.#timeline = new Timeline(element('timeline') as HTMLCanvasElement, {
      onZoom: (zoom) => this.#change({ zoom }),
      onPick: (time) => this.#goToTime(time),
    })
    this.#filterBar = new FilterBar(element('filter') as HTMLInputElement, element('suggestions'), {
      onFilter: (filter) => this.#change({ filter }),
      onDone: () => element('list').focus(),
    })
    this.#view = parseAddress(location.hash)
    addEventListener('hashchange', () => this.#addressChanged())
    document.addEventListener('keydown', (event) => this.#pressed(event))
  }

  get view(): View {
    return this.#view
  }

  get store(): Store {
    return this.#store
  }

  /** Begins with a recording, of which more is to come. `id` as the address has it. */
  begin(store: Store, id: string): void {
    this.#store = store
    this.#isLoading = true
    this.#isFollowing = false
    this.#rows = NO_ROWS
    this.#branches.showAll()
    if (id !== this.#view.id) this.#change({ ...FIRST_VIEW, time: this.#view.time, id })
    element('incident').hidden = false
    this.#filterBar.replace(this.#view.filter)
  }

  /** More was read: shows it, unless a filter would have to be gone through again and again. */
  progressed(): void {
    if (monotonicMs() - this.#shownAt < PROGRESS_MS) return
    this.#shownAt = monotonicMs()
    if (this.#view.filter === '' && !this.#view.tree) void this.#refilter(false)
    else this.#drawPanels()
  }

  /** Everything was read: goes to what was selected, or to the trigger. */
  async loaded(): Promise<void> {
    this.#isLoading = false
    await this.#refilter()
    const wanted = this.#selectedIndex
    const index = wanted === -1 ? this.#store.trigger : wanted
    if (index !== -1) {
      this.select(index, this.#view.detail)
      // Where the filter leaves it out, what came next.
      this.#list.reveal(this.#list.rowFrom(index), 'middle')
    }
    element('list').focus({ preventScroll: true })
    await this.#learn()
  }

  /** A process is followed: the list stays at its end, unless somebody looks at something else. */
  async followed(): Promise<void> {
    this.#isLoading = false
    this.#isFollowing = true
    const wasAtEnd = this.#list.isAtEnd
    await this.#refilter()
    if (wasAtEnd) this.#list.scrollToEnd()
  }

  async #learn(): Promise<void> {
    const store = this.#store
    const vocabulary = await vocabularyOf(store)
    if (store === this.#store) this.#filterBar.learn(store, vocabulary)
  }

  /** For findings, details and bars: one more term in the filter. */
  addTerm(term: string): void {
    this.setFilter(withTerm(this.#view.filter, term))
  }

  setFilter(filter: string): void {
    this.#filterBar.replace(filter)
    this.#change({ filter })
  }

  select(index: number, detail = this.#view.detail, where: 'nearest' | 'middle' | 'stay' = 'stay'): void {
    const event = this.#store.at(index)?.event
    if (event === undefined) return
    this.#list.select(index)
    if (where !== 'stay') this.#reveal(index, where)
    this.#change({ selected: event.seq, detail })
  }

  /** What a tree hides is shown. */
  #reveal(index: number, where: 'nearest' | 'middle'): void {
    const row = this.#list.rowOf(index)
    const isHidden = row === -1 && this.#view.tree && this.#rows.matching.includes(index)
    if (isHidden && this.#branches.showAll()) void this.#refilter()
    else this.#list.reveal(row, where)
  }

  showFindings(findings: readonly Finding[] | 'looking' | undefined): void {
    render(
      findingsView(findings, (finding) => this.#showEvidence(finding)),
      element('findings'),
    )
  }

  #showEvidence({ filter, evidence }: Finding): void {
    this.setFilter(filter ?? `seq:${evidence.slice(0, 200).join(',')}`)
    const index = this.#store.indexOf(evidence[0] ?? -1)
    if (index !== -1) this.select(index, this.#view.detail, 'middle')
  }

  #change(patch: Partial<View>): void {
    const before = this.#view
    this.#view = { ...before, ...patch }
    const isOther = this.#view.filter !== before.filter || this.#view.id !== before.id
    const address = `${location.pathname}${addressOf(this.#view)}`
    // What somebody would go back to has an entry of its own in the history.
    if (isOther) history.pushState(null, '', address)
    else history.replaceState(null, '', address)
    this.#shown(before)
  }

  #addressChanged(): void {
    const before = this.#view
    this.#view = parseAddress(location.hash)
    if (this.#view.id !== before.id) this.#host.onIncident(this.#view.id)
    else {
      this.#filterBar.replace(this.#view.filter)
      this.#shown(before)
      const index = this.#selectedIndex
      if (index !== -1) this.select(index, this.#view.detail, 'nearest')
    }
  }

  #shown(before: View): void {
    const { filter, tree, fold, zoom, time } = this.#view
    if (filter !== before.filter || tree !== before.tree || fold !== before.fold) void this.#refilter()
    else if (zoom !== before.zoom) this.#drawTimeline()
    if (zoom !== before.zoom && zoom !== undefined) this.#followZoom(zoom)
    if (time !== before.time) this.#showTimes()
    this.#drawPanels()
  }

  /** Times of the clock need more room than those from the trigger. */
  #showTimes(): void {
    const isClock = this.#view.time !== 'relative' || this.#store.triggerTime === undefined
    element('list').dataset['time'] = isClock ? 'clock' : 'relative'
    this.#list.redraw()
  }

  async #refilter(explain = true): Promise<void> {
    const work = ++this.#work
    const isStale = (): boolean => work !== this.#work
    const { tree } = this.#view
    const fold = this.#view.fold && !this.#isLoading
    const line = readFilter(this.#view.filter)
    this.#filterError = line.kind === 'wrong' ? line.message : undefined
    // What was shown before stays while somebody writes; at first that is everything.
    if (line.kind === 'wrong' && this.#rows !== NO_ROWS) {
      this.#drawPanels()
      return
    }
    const filter = line.kind === 'filter' ? line.filter : undefined
    const rows = await makeRows(
      this.#store,
      { filter, tree, fold, collapsed: this.#branches.collapsed },
      isStale,
    )
    if (rows === undefined || isStale()) return
    this.#rows = rows
    this.#list.setRows(this.#store, rows)
    this.#showTimes()
    this.#drawTimeline()
    this.#drawPanels()
    if (explain)
      await emptyView(this.#store, rows, filter, isStale, (term) =>
        this.setFilter(withoutTerms(this.#view.filter, (one) => one === term)),
      )
  }

  #drawTimeline(): void {
    this.#timeline.show(
      this.#store,
      this.#view.zoom,
      this.#view.filter === '' ? undefined : this.#rows.matching,
    )
    render(
      bandsView(
        Timeline.bandsOf(this.#store),
        this.#rows === NO_ROWS ? this.#store.bandCounts : this.#rows.bandCounts,
        (term) => this.addTerm(term),
      ),
      element('bands'),
    )
  }

  #drawPanels(): void {
    const { filter, tree, fold, time, detail, zoom } = this.#view
    this.#filterBar.show(filter, this.#filterError)
    render(
      switchesView(
        {
          ...{ tree, fold, time, isLoading: this.#isLoading },
          isZoomed: zoom !== undefined,
          onlyTrace: isOfTrace(filter),
          hasTrace: this.#selectedEvent?.traceId !== undefined,
          matches: this.#rows.matching.length,
          total: this.#store.length,
        },
        (action) => this.#act(action),
        (mode) => this.#change({ time: mode }),
      ),
      element('switches'),
    )
    const index = detail ? this.#selectedIndex : -1
    element('detail').hidden = index === -1
    const host = {
      addTerm: (term: string) => this.addTerm(term),
      select: (other: number) => this.select(other, true, 'middle'),
      close: () => this.#change({ detail: false }),
    }
    render(index === -1 ? nothing : detailView(this.#store, index, host), element('detail'))
  }

  /** Index of the selected event, or -1. */
  get #selectedIndex(): number {
    const { selected } = this.#view
    return selected === undefined ? -1 : this.#store.indexOf(selected)
  }

  get #selectedEvent() {
    return this.#store.at(this.#selectedIndex)?.event
  }

  #look(index: number) {
    const micros = this.#store.times[index] ?? 0
    return {
      time: eventTime(micros, this.#store.triggerTime, this.#view.time),
      fullTime: `${fullTime(micros, 'local')}\n${fullTime(micros, 'utc')}`,
    }
  }

  #scrolled(first: number, last: number): void {
    const isOrdered = !this.#view.tree && first >= 0 && last >= 0
    const { times } = this.#store
    this.#timeline.mark(isOrdered ? [times[first] ?? 0, times[last] ?? 0] : undefined)
  }

  #followZoom([from, to]: Range): void {
    const selected = this.#selectedEvent?.time ?? Number.NaN
    if (selected >= from && selected <= to) return
    this.#list.reveal(rowNearest(this.#rows, this.#store, from), 'middle')
  }

  #goToTime(time: number): void {
    const index = this.#list.eventOf(rowNearest(this.#rows, this.#store, time))
    if (index !== -1) this.select(index, this.#view.detail, 'middle')
  }

  #pressed(event: KeyboardEvent): void {
    const action = actionOf(event)
    if (action === undefined || element('incident').hidden) return
    event.preventDefault()
    this.#act(action)
  }

  #act(action: Action): void {
    const page = this.#list.pageRows
    const around = this.#selectedEvent?.time ?? this.#store.triggerTime ?? Number.NaN
    const actions: Readonly<Record<Action, () => void>> = {
      down: () => this.#move(1),
      up: () => this.#move(-1),
      pageDown: () => this.#move(page),
      pageUp: () => this.#move(-page),
      first: () => this.#move(Number.NEGATIVE_INFINITY),
      last: () => this.#move(Number.POSITIVE_INFINITY),
      open: () => this.#change({ detail: !this.#view.detail }),
      trigger: () => this.#toTrigger(),
      nextError: () => this.#toError(1),
      previousError: () => this.#toError(-1),
      onlyTrace: () => this.#onlyTrace(),
      filter: () => this.#filterBar.focus(),
      zoomIn: () => this.#timeline.zoomBy(0.5, around),
      zoomOut: () => this.#timeline.zoomBy(2, around),
      zoomAll: () => this.#change({ zoom: wholeRange(this.#store) }),
      tree: () => this.#change({ tree: !this.#view.tree }),
      collapse: () => this.#branches.out(this.#selectedIndex),
      expand: () => this.#branches.in(this.#selectedIndex),
      collapseAll: () => this.#branches.toggleAll(),
      fold: () => this.#change({ fold: !this.#view.fold }),
      time: () =>
        this.#change({ time: TIME_MODES[(TIME_MODES.indexOf(this.#view.time) + 1) % 3] ?? 'relative' }),
      compare: () => this.#host.onCompare(),
      help: () => this.#help(),
      escape: () => this.#escape(),
    }
    actions[action]()
  }

  #move(by: number): void {
    const index = this.#selectedIndex
    const row = this.#list.rowOf(index)
    const from = row === -1 ? this.#list.rowFrom(Math.max(0, index)) : row
    const next = Math.min(this.#list.length - 1, Math.max(0, from + by))
    this.select(this.#list.eventOf(next), this.#view.detail, 'nearest')
  }

  #toTrigger(): void {
    const { trigger } = this.#store
    if (trigger !== -1 && !this.#rows.matching.includes(trigger)) this.setFilter('')
    this.select(trigger, this.#view.detail, 'middle')
  }

  #toError(step: 1 | -1): void {
    const row = rowOfError(this.#rows, this.#store, this.#list.rowOf(this.#selectedIndex), step)
    this.select(this.#list.eventOf(row), this.#view.detail, 'middle')
  }

  #onlyTrace(): void {
    const filter = traceToggled(this.#view.filter, this.#selectedEvent?.traceId)
    if (filter !== this.#view.filter) this.setFilter(filter)
  }

  #help(): void {
    const over = element('over')
    over.hidden = false
    render(html`${helpView(() => this.#escape())}`, over)
    over.querySelector('button')?.focus()
  }

  #escape(): void {
    const over = element('over')
    if (!over.hidden) {
      over.hidden = true
      element('list').focus({ preventScroll: true })
    } else if (this.#view.detail) this.#change({ detail: false })
    else if (this.#view.zoom !== undefined) this.#change({ zoom: undefined })
    else if (this.#isFollowing) this.#list.scrollToEnd()
  }
}
