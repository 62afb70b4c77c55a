import type { Clock, Timer } from '../base/clock'
import {
  REMOTE_BATCH_EVENTS,
  REMOTE_CHUNK_BYTES,
  REMOTE_TAIL_IDLE_POLL_MS,
  REMOTE_TAIL_POLL_MS,
  REMOTE_TAIL_SLICE_MS,
} from '../base/limits'
import { CURSOR_CHARS, formatPosition, parsePosition } from './cursor'
import type { Outgoing } from './outgoing'
import type { EventReader, EventSource } from './source'
import { TailFilter } from './tail-filter'
import type { Fields } from './wire'

/** Events taken from the rings at once. */
const READ_EVENTS = 8
/**
 * A subscriber whose filter lets nothing pass gets a new position this often, so that it resumes from near.
 */
const POSITION_MS = 1000
/** The next look when one was cut short by its time. */
const SOON_MS = 1

/**
 * Answers `tail`. Nothing is queued for a subscriber: while it does not keep up, its events stay where they
 * are, in the rings, and what is overwritten there is counted by the reader. So a slow subscriber costs no
 * memory, and the count is exact.
 */
export class TailFeed {
  readonly #out: Outgoing
  readonly #reader: EventReader
  readonly #incarnation: string
  readonly #filter: TailFilter
  readonly #clock: Clock
  readonly #restarted: boolean
  #first = true
  #seq = -1
  #toldPositionAt: number

  constructor(events: EventSource, incarnation: string, params: Fields, out: Outgoing, clock: Clock) {
    const from = params.has('from') ? params.text('from', CURSOR_CHARS) : 'now'
    const position = from === 'now' || from === 'oldest' ? undefined : parsePosition(from)
    this.#filter = new TailFilter(params)
    this.#restarted = position !== undefined && position.incarnation !== incarnation
    this.#seq = position !== undefined && !this.#restarted ? position.seq : -1
    const known = this.#restarted ? undefined : position
    this.#reader = events.subscribe(known ?? (from === 'now' ? 'now' : 'oldest'))
    this.#incarnation = incarnation
    this.#out = out
    this.#clock = clock
    this.#toldPositionAt = clock.monotonic()
  }

  /**
   * Sends one message, if there is one to send. `more`: at once there may be another one; `blocked`: the
   * subscriber has to take what it was sent first.
   */
  pump(): 'more' | 'idle' | 'blocked' {
    if (!this.#out.ready) return 'blocked'
    const until = this.#clock.monotonic() + REMOTE_TAIL_SLICE_MS
    const entries: (Uint8Array | number)[] = []
    let bytes = 0
    let read = 0
    while (bytes < REMOTE_CHUNK_BYTES && entries.length < REMOTE_BATCH_EVENTS) {
      const events = this.#reader.read(READ_EVENTS)
      const missed = this.#reader.takeMissed()
      if (missed > 0) entries.push(missed)
      for (const { seq, payload } of events) {
        this.#seq = Math.max(this.#seq, seq)
        if (!this.#filter.passes(payload)) continue
        entries.push(payload)
        bytes += payload.length
      }
      read += events.length
      if (events.length < READ_EVENTS) {
        this.#send(entries, read)
        return read > 0 ? 'more' : 'idle'
      }
      if (this.#clock.monotonic() >= until) break
    }
    this.#send(entries, read)
    return 'more'
  }

  #send(entries: readonly (Uint8Array | number)[], read: number): void {
    const now = this.#clock.monotonic()
    const worthIt =
      entries.length > 0 || this.#first || (read > 0 && now - this.#toldPositionAt >= POSITION_MS)
    if (!worthIt) return
    const { ordinals } = this.#reader.position()
    const position = formatPosition({ incarnation: this.#incarnation, seq: this.#seq, ordinals })
    this.#out.item({
      entries,
      position,
      ...(this.#first && this.#restarted && { restarted: this.#incarnation }),
    })
    this.#first = false
    this.#toldPositionAt = now
  }
}

/**
 * Looks at the rings for all subscribers: often while events come, seldom when none do, never without a
 * subscriber.
 */
export class TailPoller {
  readonly #clock: Clock
  readonly #feeds = new Set<TailFeed>()
  #timer: { readonly timer: Timer; readonly due: number } | undefined
  #interval: number = REMOTE_TAIL_POLL_MS

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#feeds.size
  }

  add(feed: TailFeed): void {
    this.#feeds.add(feed)
    this.hurry()
  }

  remove(feed: TailFeed): void {
    this.#feeds.delete(feed)
    if (this.#feeds.size === 0) this.#stop()
  }

  /** A subscriber that was blocked can take something again. */
  hurry(): void {
    this.#schedule(SOON_MS)
  }

  /** The earlier of two wins: hurrying all the time must not put off the look for ever. */
  #schedule(ms: number): void {
    const due = this.#clock.monotonic() + ms
    if (this.#feeds.size === 0 || (this.#timer !== undefined && this.#timer.due <= due)) return
    this.#stop()
    this.#timer = { due, timer: this.#clock.after(ms, () => this.#look()) }
  }

  #stop(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
  }

  #look(): void {
    this.#stop()
    const until = this.#clock.monotonic() + REMOTE_TAIL_SLICE_MS
    const waiting = [...this.#feeds]
    let seen = false
    while (waiting.length > 0 && this.#clock.monotonic() < until) {
      const feed = waiting.shift()
      if (feed?.pump() !== 'more') continue
      seen = true
      waiting.push(feed)
    }
    this.#goOnWith(waiting)
    this.#interval = seen ? REMOTE_TAIL_POLL_MS : Math.min(REMOTE_TAIL_IDLE_POLL_MS, this.#interval * 1.25)
    this.#schedule(waiting.length > 0 ? SOON_MS : this.#interval)
  }

  /** Those whose turn did not come are the first of the next look. */
  #goOnWith(waiting: readonly TailFeed[]): void {
    if (waiting.length === 0) return
    const order = new Set([...waiting, ...this.#feeds])
    for (const feed of order) {
      if (this.#feeds.delete(feed)) this.#feeds.add(feed)
    }
  }
}
