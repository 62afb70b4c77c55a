import type { LogEvent } from '../../event/event'
import { bandIndex } from '../../event/severity'
import type { Damage, Verdict } from '../../incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../../incident/header'
import type { IncidentPart } from '../../incident/parser'
import type { RecordedEvent } from '../../incident/parts'

/** Where the reader met damage: behind how many events. */
export interface DamagePlace {
  readonly damage: Damage
  readonly after: number
}

/** Of a process that is followed; the oldest go first. */
const LIVE_EVENTS = 200_000

/** The events of one recording in memory, with what is asked of all of them kept in columns. */
export class Store {
  header: IncidentHeader | undefined
  trailer: IncidentTrailer | undefined
  verdict: Verdict | undefined
  readonly damage: DamagePlace[] = []
  /** In the order of `seq`, once loading is done. */
  events: RecordedEvent[] = []
  times = new Float64Array(1024)
  bands = new Uint8Array(1024)
  /** Events by band, trace to fatal. */
  bandCounts: number[] = [0, 0, 0, 0, 0, 0]
  #isOrdered = true
  #marked: LogEvent | undefined
  #children: Map<number, number[]> | undefined

  get length(): number {
    return this.events.length
  }

  /** Microseconds; absent where there is no trigger to count from. */
  get triggerTime(): number | undefined {
    return this.#triggerEvent?.time
  }

  /** The header has it even where the event itself is lost; where the header is lost, the event is marked. */
  get #triggerEvent(): LogEvent | undefined {
    return this.header?.trigger.event ?? this.#marked
  }

  add(part: IncidentPart): void {
    switch (part.kind) {
      case 'header':
        this.header = part.header
        break
      case 'trailer':
        this.trailer = part.trailer
        break
      case 'damage':
        this.damage.push({ damage: part.damage, after: this.length })
        break
      case 'verdict':
        this.verdict = part.verdict
        break
      case 'events':
        for (const recorded of part.events) this.#push(recorded)
    }
  }

  /** Adds what a process logged meanwhile. @returns how many old ones had to go */
  follow(recorded: readonly RecordedEvent[]): number {
    for (const one of recorded) this.#push(one)
    this.#children = undefined
    this.order()
    const over = this.length - LIVE_EVENTS
    if (over < LIVE_EVENTS / 10) return 0
    this.#refill(this.events.slice(over))
    return over
  }

  /** Puts events in the order of `seq`; nearly always they are. */
  order(): void {
    if (this.#isOrdered) return
    this.#refill(this.events.sort((one, other) => one.event.seq - other.event.seq))
    this.#isOrdered = true
  }

  at(index: number): RecordedEvent | undefined {
    return this.events[index]
  }

  /** Index of the event with that number, or -1. */
  indexOf(seq: number): number {
    const index = this.firstFrom(seq)
    return this.events[index]?.event.seq === seq ? index : -1
  }

  /** Index of the first event with that number or a higher one. */
  firstFrom(seq: number): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.events[middle]?.event.seq ?? 0) < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Index of the event that set it off, or -1. */
  get trigger(): number {
    const seq = this.#triggerEvent?.seq
    return seq === undefined ? -1 : this.indexOf(seq)
  }

  /** Indexes of the events that name this one as their parent. */
  childrenOf(seq: number): readonly number[] {
    this.#children ??= this.#findChildren()
    return this.#children.get(seq) ?? []
  }

  #findChildren(): Map<number, number[]> {
    const children = new Map<number, number[]>()
    for (const [index, { event }] of this.events.entries()) {
      if (event.parent === undefined) continue
      const siblings = children.get(event.parent)
      if (siblings === undefined) children.set(event.parent, [index])
      else siblings.push(index)
    }
    return children
  }

  #push(recorded: RecordedEvent): void {
    const { event, mark } = recorded
    const index = this.length
    if (mark === 'trigger') this.#marked = event
    if (index === this.times.length) this.#grow()
    const last = this.events[index - 1]
    if (last !== undefined && last.event.seq > event.seq) this.#isOrdered = false
    const band = Math.min(5, Math.max(0, bandIndex(event.severity)))
    this.times[index] = event.time
    this.bands[index] = band
    this.bandCounts[band] = (this.bandCounts[band] ?? 0) + 1
    this.events.push(recorded)
  }

  #grow(): void {
    const [times, bands] = [this.times, this.bands]
    this.times = new Float64Array(2 * times.length)
    this.bands = new Uint8Array(2 * bands.length)
    this.times.set(times)
    this.bands.set(bands)
  }

  #refill(events: readonly RecordedEvent[]): void {
    this.events = []
    this.bandCounts = [0, 0, 0, 0, 0, 0]
    this.#children = undefined
    for (const recorded of events) this.#push(recorded)
  }
}
