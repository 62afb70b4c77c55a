import type { EventList } from './list'

export interface BranchesHost {
  /** `seq` of the event with an index. */
  seqOf(index: number): number
  /** Something is hidden, or shown, that was not. */
  onChange(): void
  /** A step along the tree, to the event with this index. */
  onGo(index: number): void
  /** Index of the selected event, or -1. */
  selected(): number
}

/** What is hidden in a tree, and the steps along it. */
export class Branches {
  readonly #list: EventList
  readonly #host: BranchesHost
  readonly #collapsed = new Set<number>()

  constructor(list: EventList, host: BranchesHost) {
    this.#list = list
    this.#host = host
  }

  /** `seq` of the events below which nothing is shown. */
  get collapsed(): ReadonlySet<number> {
    return this.#collapsed
  }

  /** Tells nobody. @returns whether something was hidden */
  showAll(): boolean {
    const hid = this.#collapsed.size > 0
    this.#collapsed.clear()
    return hid
  }

  /** Hides what is below an event, or shows it. */
  toggle(index: number): void {
    const seq = this.#host.seqOf(index)
    if (!this.#collapsed.delete(seq)) this.#collapsed.add(seq)
    this.#stayInSight()
    this.#host.onChange()
  }

  /** Hides what is below each of the events that nothing is above; shows all where something is hidden. */
  toggleAll(): void {
    if (!this.showAll()) {
      for (let row = 0; row < this.#list.length; row++) {
        const branch = this.#list.branchOf(row)
        if (branch?.depth === 0 && branch.below > 0)
          this.#collapsed.add(this.#host.seqOf(this.#list.eventOf(row)))
      }
    }
    this.#stayInSight()
    this.#host.onChange()
  }

  /** Where the selected event is hidden, what hides it is selected. */
  #stayInSight(): void {
    let row = this.#list.rowOf(this.#host.selected())
    let shown = -1
    while (row !== -1) {
      row = this.#list.parentOf(row)
      if (row !== -1 && this.#collapsed.has(this.#host.seqOf(this.#list.eventOf(row)))) shown = row
    }
    if (shown !== -1) this.#host.onGo(this.#list.eventOf(shown))
  }

  /** Hides what is below an event; where there is nothing to hide, goes up. */
  out(index: number): void {
    const row = this.#list.rowOf(index)
    const branch = this.#list.branchOf(row)
    if (branch === undefined) return
    if (branch.below > 0 && !branch.isCollapsed) {
      this.toggle(index)
      return
    }
    const parent = this.#list.parentOf(row)
    if (parent !== -1) this.#host.onGo(this.#list.eventOf(parent))
  }

  /** Shows what is below an event; where it is shown, goes down. */
  in(index: number): void {
    const row = this.#list.rowOf(index)
    const branch = this.#list.branchOf(row)
    if (branch === undefined || branch.below === 0) return
    if (branch.isCollapsed) this.toggle(index)
    else this.#host.onGo(this.#list.eventOf(row + 1))
  }
}
