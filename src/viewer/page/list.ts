import { oncePerFrame } from './frame'
import { type Branch, Row, type RowLook } from './row'
import { NO_ROWS, type Rows } from './rows'
import type { Store } from './store'

export const ROW_PX = 20
/** Browsers cut elements that are higher; beyond that a pixel of the scroll bar stands for more than a pixel. */
const MAX_PX = 8_000_000

export interface ListHost {
  /** How an event looks apart from what it says. */
  look(index: number, row: number): Pick<RowLook, 'time' | 'fullTime'>
  onSelect(index: number, open: boolean): void
  /** What is below an event of a tree is to be hidden, or shown again. */
  onBranch(index: number): void
  /** Other events than before can be seen; indexes into the store. */
  onScroll(first: number, last: number): void
}

/**
 * A list that has as many elements as can be seen. They stand still, apart from the fraction of a line, in a frame that sticks
 * to the viewport, and show other events as it scrolls: nothing is ever blank.
 */
export class EventList {
  readonly redraw = oncePerFrame(() => this.#draw())
  readonly #host: ListHost
  readonly #scroller: HTMLElement
  readonly #frame = document.createElement('div')
  readonly #sheet = document.createElement('div')
  readonly #space = document.createElement('div')
  readonly #rows: Row[] = []
  #data: Rows = NO_ROWS
  #store: Store | undefined
  #selected = -1
  #height = 0

  constructor(scroller: HTMLElement, host: ListHost) {
    this.#host = host
    this.#scroller = scroller
    this.#frame.className = 'frame'
    this.#space.className = 'space'
    this.#frame.setAttribute('role', 'presentation')
    this.#sheet.setAttribute('role', 'rowgroup')
    this.#frame.append(this.#sheet)
    this.#space.setAttribute('role', 'presentation')
    scroller.append(this.#frame, this.#space)
    scroller.addEventListener('scroll', () => this.redraw(), { passive: true })
    scroller.addEventListener('click', (event) => this.#clicked(event, false))
    scroller.addEventListener('dblclick', (event) => this.#clicked(event, true))
    new ResizeObserver(() => this.#resize()).observe(scroller)
    this.#resize()
  }

  get length(): number {
    return this.#data.events.length
  }

  get rows(): Rows {
    return this.#data
  }

  /** Shows other rows; what is selected, or what came next, stays where it is on the screen. */
  setRows(store: Store, rows: Rows): void {
    const offset = this.#selected === -1 ? undefined : this.#rowNear(this.#selected) - this.#top
    this.#store = store
    this.#data = rows
    this.#scroller.setAttribute('role', rows.tree === undefined ? 'grid' : 'treegrid')
    this.#scroller.setAttribute('aria-rowcount', String(rows.events.length))
    this.#space.style.height = `${Math.min(MAX_PX, rows.events.length * ROW_PX)}px`
    const row = this.#rowNear(this.#selected)
    const isInSight = offset !== undefined && offset >= 0 && offset < this.#visible
    if (row !== -1) this.#scrollToTop(isInSight ? row - offset : row - Math.floor(this.#visible / 2))
    this.redraw()
  }

  /** Number of the row that shows the event with this index, or -1. */
  rowOf(index: number): number {
    const row = this.#rowAtOrBefore(index)
    if (row === -1 || index < 0) return -1
    const first = this.#data.events[row] ?? -1
    return first === index || (index > first && index < first + (this.#data.repeats[row] ?? 1)) ? row : -1
  }

  /** Index of the event that a row begins with, or -1. */
  eventOf(row: number): number {
    return this.#data.events[row] ?? -1
  }

  /** Where in a tree a row stands; undefined in a list. */
  branchOf(row: number): Branch | undefined {
    const { tree } = this.#data
    if (tree === undefined || row < 0 || row >= this.length) return undefined
    const [depth = 0, below = 0] = [tree.depths[row], tree.below[row]]
    return { depth, below, isCollapsed: tree.collapsed[row] === 1 }
  }

  /** The row above which a row of a tree stands, or -1. */
  parentOf(row: number): number {
    const depth = this.branchOf(row)?.depth ?? 0
    let above = row - 1
    while (above >= 0 && (this.branchOf(above)?.depth ?? 0) >= depth) above--
    return depth === 0 ? -1 : above
  }

  /** The row of the first event from this index on; the last one where there is none. */
  rowFrom(index: number): number {
    const row = this.#rowAtOrBefore(index)
    return Math.min(this.length - 1, this.eventOf(row) === index ? row : row + 1)
  }

  select(index: number): void {
    this.#selected = index
    this.redraw()
  }

  /** Scrolls as little as shows the row, or puts it into the middle. */
  reveal(row: number, where: 'nearest' | 'middle'): void {
    if (row < 0) return
    const top = this.#top
    const whole = Math.max(1, Math.floor(this.#visible) - 1)
    if (row >= top && row <= top + whole - 1) return
    if (where === 'middle') this.#scrollToTop(row - Math.floor(this.#visible / 2))
    else this.#scrollToTop(row < top ? row : row - whole + 1)
    this.redraw()
  }

  scrollToEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight
  }

  get isAtEnd(): boolean {
    return this.#top + this.#visible >= this.length - 1
  }

  get pageRows(): number {
    return Math.max(1, Math.floor(this.#visible) - 1)
  }

  get #visible(): number {
    return this.#height / ROW_PX
  }

  /** Row at the upper edge, with its fraction. */
  get #top(): number {
    const { scrollTop } = this.#scroller
    if (this.length * ROW_PX <= MAX_PX) return scrollTop / ROW_PX
    return (scrollTop / (MAX_PX - this.#height)) * (this.length - this.#visible)
  }

  #scrollToTop(row: number): void {
    const last = Math.max(0, this.length - this.#visible)
    const top = Math.min(last, Math.max(0, row))
    const isScaled = this.length * ROW_PX > MAX_PX
    this.#scroller.scrollTop = isScaled ? (top / last) * (MAX_PX - this.#height) : Math.round(top * ROW_PX)
  }

  #draw(): void {
    const store = this.#store
    if (store === undefined) return
    const top = this.#top
    const first = Math.floor(top)
    this.#sheet.style.transform = `translateY(${-Math.round((top - first) * ROW_PX)}px)`
    const selected = this.rowOf(this.#selected)
    for (const [offset, row] of this.#rows.entries()) {
      const number = first + offset
      const index = this.#data.events[number]
      const recorded = index === undefined ? undefined : store.at(index)
      if (recorded === undefined || index === undefined) {
        row.hide()
        continue
      }
      row.show(recorded, number, {
        ...this.#host.look(index, number),
        repeats: this.#data.repeats[number] ?? 1,
        branch: this.branchOf(number),
        isSelected: number === selected,
        isBehindTrigger: this.#isBehindTrigger(number),
      })
    }
    // Only what is there can be named.
    const isDrawn = selected >= first && selected < first + this.#rows.length
    if (isDrawn) this.#scroller.setAttribute('aria-activedescendant', `row-${selected}`)
    else this.#scroller.removeAttribute('aria-activedescendant')
    const last = Math.min(this.length - 1, Math.floor(top + this.#visible) - 1)
    this.#host.onScroll(this.eventOf(first), this.eventOf(last))
  }

  /** The row of an event; where a list leaves it out, of what came next. */
  #rowNear(index: number): number {
    const row = this.rowOf(index)
    return row !== -1 || index === -1 || this.#data.tree !== undefined ? row : this.rowFrom(index)
  }

  /** Where the filter leaves the trigger out: whether it lies just before this row. */
  #isBehindTrigger(number: number): boolean {
    const { events, tree } = this.#data
    const trigger = this.#store?.trigger ?? -1
    if (trigger === -1 || tree !== undefined || number === 0) return false
    return (events[number] ?? -1) > trigger && this.rowFrom(trigger) === number
  }

  #resize(): void {
    this.#height = this.#scroller.clientHeight
    const wanted = Math.ceil(this.#visible) + 1
    while (this.#rows.length < wanted) {
      const row = new Row()
      this.#rows.push(row)
      this.#sheet.append(row.element)
    }
    for (const row of this.#rows.splice(wanted)) row.element.remove()
    this.#frame.style.height = `${this.#height}px`
    // Takes no room: what scrolls is the space behind it.
    this.#frame.style.marginBottom = `${-this.#height}px`
    this.redraw()
  }

  /** In a tree events are not in order: there the row is searched for. */
  #rowAtOrBefore(index: number): number {
    const { events, tree } = this.#data
    if (tree !== undefined) return events.indexOf(index)
    let low = 0
    let high = events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((events[middle] as number) <= index) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #clicked(event: MouseEvent, open: boolean): void {
    const target = event.target as Element
    const row = target.closest<HTMLElement>('[data-row]')
    if (row === null) return
    const index = this.eventOf(Number(row.dataset['row']))
    if (target.closest('[data-branch]') === null) this.#host.onSelect(index, open)
    else if (!open) this.#host.onBranch(index)
  }
}
