import type { Clock, Timer } from '../base/clock'
import { INCIDENT_FOLLOW_EVENTS } from '../base/limits'
import { EncodedEvent } from '../codec/view'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import { LiveReader } from '../ring/live'
import { type ReportDesk, release } from './desk'
import { fingerprintOf } from './fingerprint'
import type { FurtherTrigger } from './header'
import { qualified } from './qualifier'
import type { Report } from './report'

export interface FollowingOptions {
  readonly report: Report
  readonly control: ControlBlock
  readonly clock: Clock
  /** Milliseconds between two looks at the rings. */
  readonly pollMs: number
  /** Rings of other threads that there are now. */
  readonly rings: () => readonly RingHandle[]
  /** Where other threads hand over their triggers; undefined for a report beside another thread's. */
  readonly desk: { readonly desk: ReportDesk; readonly thread: number } | undefined
}

/** Last events whose payload is remembered: one that qualified may be told of after it was read. */
const REMEMBERED = 256
/** Last events of each ring's history that are looked through for one that qualified while the history was merged. */
const LOOKED_BACK = 64

/**
 * One report, and the rings of other threads that it follows: what they log in its window, and which of it would have begun
 * an incident itself. Rings that come meanwhile are followed from their oldest event on.
 *
 * ```
 *   ring ──look──> unwritten ──next look──> file, marked where it was handed over by then
 * ```
 * A thread logs an event first and then finds that it qualifies, so that what is handed over may have been read already.
 * In a file it cannot be marked any more; only what is handed over later than a look, or is history, is listed without a mark.
 */
export class Following {
  readonly #options: FollowingOptions
  readonly #timer: Timer
  readonly #known: Set<RingHandle>
  #rings: readonly RingHandle[]
  #reader: LiveReader
  /** Slots of what was handed over and is not read yet, by `seq`. */
  readonly #awaited = new Map<number, number>()
  /** Read with the last look, in order: at most twice what a look takes. */
  readonly #unwritten: EncodedEvent[] = []
  readonly #recent: EncodedEvent[] = []

  constructor(options: FollowingOptions) {
    this.#options = options
    const { report, control, clock, pollMs } = options
    const { rings, end } = report.others
    // What a reporter left out of the history is no part of the window either.
    this.#known = new Set(options.rings())
    this.#rings = rings
    this.#reader = new LiveReader(rings, control, end)
    this.#timer = clock.every(pollMs, () => this.#look())
  }

  /** The window is over: what was logged until now still belongs to it, as far as the report has room. */
  drain(): void {
    const { report, control } = this.#options
    const until = control.published
    this.#prepare()
    while (report.room > 0) {
      const event = this.#unwritten.shift() ?? this.#next()
      if (event === undefined || event.seq > until) return
      this.#write(event)
    }
  }

  /** The report is closed. Threads that handed something over too late find out, and report themselves. */
  end(): void {
    this.#timer.cancel()
    const { desk } = this.#options
    if (desk !== undefined) release(desk.desk, desk.thread, this.#awaited.values())
  }

  #look(): void {
    const { report, desk } = this.#options
    if (desk?.desk.isEnding === true) {
      report.close('exit')
      return
    }
    this.#prepare()
    const readBefore = this.#unwritten.length
    this.#read()
    for (let left = this.#settled(readBefore); left > 0 && report.isOpen; left--) {
      const event = this.#unwritten.shift()
      if (event === undefined) return
      this.#write(event)
    }
  }

  /** How many of the unwritten events may be written: those of the last look, and all up to one that was handed over. */
  #settled(readBefore: number): number {
    if (this.#options.desk === undefined) return this.#unwritten.length
    if (this.#awaited.size === 0) return readBefore
    return Math.max(readBefore, this.#unwritten.findLastIndex(({ seq }) => this.#awaited.has(seq)) + 1)
  }

  #read(): void {
    for (let left = INCIDENT_FOLLOW_EVENTS; left > 0; left--) {
      const event = this.#next()
      if (event === undefined) return
      this.#unwritten.push(event)
    }
  }

  #next(): EncodedEvent | undefined {
    const [frame] = this.#reader.read(1)
    return frame === undefined ? undefined : new EncodedEvent(frame.payload)
  }

  #prepare(): void {
    this.#followNew()
    this.#takeHandedOver()
    const missed = this.#reader.takeMissed()
    if (missed > 0) this.#options.report.noteMissed(missed)
  }

  #followNew(): void {
    const { rings, control } = this.#options
    const added = rings().filter((ring) => !this.#known.has(ring))
    if (added.length === 0) return
    for (const ring of added) this.#known.add(ring)
    this.#rings = [...this.#rings, ...added]
    this.#reader = new LiveReader(this.#rings, control, this.#reader.position())
  }

  #takeHandedOver(): void {
    const desk = this.#options.desk?.desk
    if (desk === undefined) return
    for (let handed = desk.take(); handed !== undefined; handed = desk.take()) {
      const { slot, seq } = handed
      const known = this.#recent.find((event) => event.seq === seq) ?? this.#inHistory(seq)
      if (known !== undefined) {
        this.#options.report.noteFurther(furtherOf(known))
        desk.done(slot)
      } else this.#awaited.set(seq, slot)
    }
  }

  /** Threads fail together: what one hands over while another one merges the rings is in the history, or is not. */
  #inHistory(seq: number): EncodedEvent | undefined {
    const { report, control } = this.#options
    const { rings, end } = report.others
    const start = { ordinals: end.ordinals.map((ordinal) => Math.max(0, ordinal - LOOKED_BACK)) }
    const reader = new LiveReader(rings, control, start)
    for (let left = rings.length * LOOKED_BACK; left > 0; left--) {
      const [frame] = reader.read(1)
      if (frame === undefined || frame.seq > seq) return undefined
      if (frame.seq < seq) continue
      const next = reader.position().ordinals[frame.ring] ?? 0
      return next <= (end.ordinals[frame.ring] ?? 0) ? new EncodedEvent(frame.payload) : undefined
    }
    return undefined
  }

  #write(event: EncodedEvent): void {
    const { report, desk } = this.#options
    const { seq, payload } = event
    const slot = this.#awaited.get(seq)
    if (slot === undefined) report.event(payload, seq)
    else {
      // It may close the report, which gives back what is awaited.
      this.#awaited.delete(seq)
      report.furtherTrigger(payload, furtherOf(event))
      desk?.desk.done(slot)
    }
    this.#recent.push(event)
    if (this.#recent.length > REMEMBERED) this.#recent.shift()
  }
}

function furtherOf(event: EncodedEvent): FurtherTrigger {
  const { seq, time } = event
  const reason = qualified(true, event)?.reason ?? ''
  return { seq, time, kind: 'event', reason, fingerprint: fingerprintOf(event) }
}
