import type { SeenEvent } from './event'

/** The place of one event in the order of its part. */
export interface Place {
  /** With its decision, once that is there. */
  event: SeenEvent
  isReady: boolean
}

/**
 * One FIFO for each part: an event that waits for its decision holds up what its part reports after it, and no other part.
 *
 * Bounded: a part that reports more than `capacity` meanwhile is not held up any longer.
 */
export class Lanes {
  readonly #capacity: number
  readonly #pass: (event: SeenEvent) => void
  /** Only of parts that wait: the first of each is not ready. */
  readonly #lanes = new Map<string, Place[]>()

  constructor(capacity: number, pass: (event: SeenEvent) => void) {
    this.#capacity = capacity
    this.#pass = pass
  }

  /** Whether what a part says now waits behind a decision. */
  holds(part: string): boolean {
    return this.#lanes.has(part)
  }

  push(event: SeenEvent): void {
    const lane = this.#lanes.get(event.part)
    if (lane === undefined) this.#pass(event)
    else this.#add(lane, { event, isReady: true })
  }

  /** Takes a place for an event that is to be decided about. */
  hold(event: SeenEvent): Place {
    const lane = this.#lanes.get(event.part) ?? []
    this.#lanes.set(event.part, lane)
    const place = { event, isReady: false }
    this.#add(lane, place)
    return place
  }

  release(place: Place, event: SeenEvent): void {
    place.event = event
    place.isReady = true
    this.#drain(event.part, (first) => first.isReady)
  }

  /** Lets everything pass, decided or not. */
  flush(): void {
    for (const part of [...this.#lanes.keys()]) this.#drain(part, () => true)
  }

  #add(lane: Place[], place: Place): void {
    lane.push(place)
    if (lane.length > this.#capacity) this.#drain(place.event.part, () => true)
  }

  #drain(part: string, mayPass: (place: Place) => boolean): void {
    const lane = this.#lanes.get(part)
    if (lane === undefined) return
    for (let first = lane[0]; first !== undefined && mayPass(first); first = lane[0]) {
      lane.shift()
      this.#pass(first.event)
    }
    if (lane.length === 0) this.#lanes.delete(part)
  }
}
