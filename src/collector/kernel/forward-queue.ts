import { type Clock, isoMicros } from '../../base/clock'
import { type Random, randomHex } from '../../base/random'
import type { ErrorRow } from './event'
import { fingerprintOf } from './fingerprint'
import type { Metrics } from './metrics'

/** The part that forwarding itself is; nothing that it reports is forwarded. */
export const FORWARD_PART = 'kernel.forward'

export interface ForwardQueueOptions {
  readonly node: string
  readonly capacity: number
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
}

/**
 * Rows that wait in memory, oldest first. With more than it may hold, the oldest that is not under way is dropped, and one
 * row says how many were: it goes before what is left, and counts until it is taken.
 */
export class ForwardQueue {
  readonly #options: ForwardQueueOptions
  readonly #rows: ErrorRow[] = []
  /** How many of the first are under way. */
  #taken = 0
  #dropped = 0
  #firstDropped: number | undefined

  constructor(options: ForwardQueueOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0 && this.#dropped === 0
  }

  /** @returns false when an older one had to give way */
  push(row: ErrorRow): boolean {
    this.#rows.push(row)
    const isFull = this.#rows.length > this.#options.capacity
    if (isFull) this.#drop()
    this.#measure()
    return !isFull
  }

  /** The first rows, which are under way from now on. */
  take(count: number): readonly ErrorRow[] {
    this.#tellDropped()
    this.#taken = Math.min(count, this.#rows.length)
    return this.#rows.slice(0, this.#taken)
  }

  /** What was taken is under way no more; those that were acknowledged are gone. */
  release(acknowledged: ReadonlySet<string>): void {
    this.#taken = 0
    const left = this.#rows.filter(({ id }) => !acknowledged.has(id))
    this.#rows.splice(0, this.#rows.length, ...left)
    this.#measure()
  }

  all(): readonly ErrorRow[] {
    this.#tellDropped()
    return [...this.#rows]
  }

  /** The first ones, which are safe elsewhere. */
  remove(count: number): void {
    this.#rows.splice(0, count)
    this.#measure()
  }

  #drop(): void {
    // All may be under way in a queue of a few.
    const at = Math.min(this.#taken, this.#rows.length - 1)
    this.#rows.splice(at, 1)
    this.#dropped++
    this.#firstDropped ??= this.#options.clock.now()
    this.#options.metrics.add('kernel_forward_dropped_total')
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return
    const { node, clock, random } = this.#options
    const time = isoMicros(this.#firstDropped ?? clock.now())
    const count = this.#dropped
    this.#dropped = 0
    this.#firstDropped = undefined
    const error = {
      name: 'FlogError',
      code: 'FLOG_KERNEL_DROPPED',
      message: `${count} errors were dropped`,
      count,
    }
    this.#rows.unshift({
      ...{ id: randomHex(random, 8), node, part: FORWARD_PART, kind: 'error', level: 'warning', time },
      ...{ lastTime: isoMicros(clock.now()), repeat: 1, message: `dropped: ${error.message}`, error },
      fingerprint: fingerprintOf(FORWARD_PART, 'dropped', undefined),
    })
  }

  #measure(): void {
    this.#options.metrics.set('kernel_forward_queue', this.#rows.length)
  }
}
