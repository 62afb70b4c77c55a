import type { Clock, Timer } from '../base/clock'
import type { FlogError } from '../base/errors'
import { FURTHER_TRIGGERS } from '../base/limits'
import type { RingHandle } from '../ring/layout'
import { mergeHistory } from '../ring/merge'
import { openingBytes, trailerBlock } from './block'
import type { IncidentDirectory } from './directory'
import type { CloseReason, FurtherTrigger, IncidentHeader, IncidentTrailer, PostTriggerOptions } from './header'
import { eventBlock, HistoryWriter, type MarkedEvent } from './history'
import { BlockFlag } from './layout'
import { IncidentSink } from './sink'

export interface ReportOptions {
  readonly header: IncidentHeader
  /** 16 random bytes. */
  readonly sync: Uint8Array
  readonly trigger: MarkedEvent
  readonly rings: readonly RingHandle[]
  readonly thread: number
  readonly cap: PostTriggerOptions
  readonly historyBytes: number | undefined
  readonly durable: boolean
  readonly directory: IncidentDirectory
  readonly clock: Clock
  readonly onTrouble: (error: FlogError) => void
  /** Told once, when the window is over and the trailer written (or waiting with the rest). */
  readonly onClosed: (report: Report, reason: CloseReason) => void
}

/**
 * One incident while it is written.
 *
 * ```
 *   open ──history, trigger──> window ──events, time, cap, close, exit──> closed
 *                               ↺ further trigger: begins anew, up to the cap
 * ```
 * The constructor returns when the history and the trigger are with the system.
 */
export class Report {
  readonly header: IncidentHeader
  readonly #options: ReportOptions
  readonly #sink: IncidentSink
  readonly #further: FurtherTrigger[] = []
  readonly #openedAt: number
  #furtherOmitted = 0
  #history = 0
  #after = 0
  #lost = 0
  /** Events that the window still takes. */
  #left: number
  #timer: Timer | undefined
  #state: 'window' | 'closed' = 'window'

  constructor(options: ReportOptions) {
    const { header, directory, clock, onTrouble } = options
    this.header = header
    this.#options = options
    this.#openedAt = clock.monotonic()
    this.#sink = new IncidentSink({ directory, clock, onTrouble, openedAt: header.openedAt, id: header.id })
    this.#left = header.postTrigger.events
    this.#writeHistory()
    if (options.durable) this.#sink.syncNow()
    else this.#sink.startSync()
  }

  /** Begins the window; where there is none, the report closes at once. */
  begin(): void {
    const { events, ms } = this.header.postTrigger
    if (events === 0 || ms === 0) this.close('no-window')
    else this.#startTimer()
  }

  get isOpen(): boolean {
    return this.#state === 'window'
  }

  /** Undefined as long as the disk refused to take the file. */
  get path(): string | undefined {
    return this.#sink.path
  }

  /** True when all of it is with the system. */
  get isWritten(): boolean {
    return this.#sink.isWritten
  }

  /** An event in the window: one small write. */
  event(payload: Uint8Array, seq: number): void {
    if (this.#state === 'closed') return
    this.#append(payload, seq, 0)
    if (--this.#left <= 0) this.close('events')
  }

  /** An event that would have begun an incident itself: it is marked, listed, and the window begins anew. */
  furtherTrigger(payload: Uint8Array, trigger: FurtherTrigger): void {
    this.#append(payload, trigger.seq, BlockFlag.further)
    if (this.#further.length < FURTHER_TRIGGERS) this.#further.push(trigger)
    else this.#furtherOmitted++
    this.#extend()
  }

  /** Ends the window: writes the trailer, asks for the disk, and tells. Idempotent. */
  close(reason: CloseReason): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#timer?.cancel()
    this.#write(trailerBlock(this.#trailer(reason), this.#options.sync), 0)
    if (reason !== 'exit') this.#sink.startSync()
    this.#options.onClosed(this, reason)
  }

  /** Tries again what the disk refused. @returns true when all of it is with the system */
  flush(): boolean {
    return this.#sink.flush()
  }

  /** Lets the file go; only after `close`. What the disk still refuses is lost. */
  release(): void {
    this.#sink.close()
  }

  #writeHistory(): void {
    const { header, sync, trigger, rings, thread, historyBytes } = this.#options
    this.#sink.write(openingBytes(header, sync))
    const writer = new HistoryWriter(sync, trigger, (bytes) => this.#sink.write(bytes))
    const limit = historyBytes === undefined ? {} : { maxBytes: historyBytes }
    const merge = { ownThread: thread, until: trigger.seq, ...limit }
    this.#history = writer.take((target) => mergeHistory(rings, target, merge))
  }

  #append(payload: Uint8Array, seq: number, flags: number): void {
    this.#write(eventBlock(payload, seq, flags, this.#options.sync), 1)
  }

  #write(bytes: Uint8Array, events: number): void {
    if (this.#sink.write(bytes)) this.#after += events
    else this.#lost += events
  }

  #extend(): void {
    const { cap, header, clock } = this.#options
    const eventsLeft = cap.events - this.#after
    const msLeft = cap.ms - (clock.monotonic() - this.#openedAt)
    if (eventsLeft <= 0 || msLeft <= 0) {
      this.close('cap')
      return
    }
    this.#left = Math.min(header.postTrigger.events, eventsLeft)
    this.#startTimer(msLeft)
  }

  #startTimer(msLeft = Number.POSITIVE_INFINITY): void {
    this.#timer?.cancel()
    const ms = Math.min(this.#options.header.postTrigger.ms, msLeft)
    const reason = ms === msLeft ? 'cap' : 'time'
    this.#timer = this.#options.clock.after(ms, () => this.close(reason))
  }

  #trailer(reason: CloseReason): IncidentTrailer {
    return {
      closedAt: this.#options.clock.now(),
      reason,
      events: { total: this.#history + this.#after, history: this.#history, after: this.#after },
      furtherTriggers: this.#further,
      furtherTriggersOmitted: this.#furtherOmitted,
      lost: this.#lost,
    }
  }
}
