import type { Clock, Timer } from '../base/clock'
import type { FlogError } from '../base/errors'
import { FURTHER_TRIGGERS } from '../base/limits'
import type { PlainObject } from '../event/event'
import type { RingHandle } from '../ring/layout'
import type { LivePosition } from '../ring/live'
import { mergeHistory } from '../ring/merge'
import { openingBytes, trailerBlock } from './block'
import type { IncidentDirectory } from './directory'
import type {
  CloseReason,
  FurtherTrigger,
  IncidentHeader,
  IncidentTrailer,
  PostTriggerOptions,
} from './header'
import { eventBlock, HistoryWriter, type MarkedEvent } from './history'
import { BLOCK_HEAD_BYTES, BlockFlag, readBlockHead } from './layout'
import { IncidentSink } from './sink'
import { type UnwrittenMemory, unwrittenEvents } from './unwritten'

export interface ReportOptions {
  readonly header: IncidentHeader
  /** 16 random bytes. */
  readonly sync: Uint8Array
  readonly trigger: MarkedEvent
  /**
   * Last `seq` that the rings of this thread are asked for; what comes later is an event of the window. Default: the
   * trigger's. Those of other threads are asked for all that they hold: what comes later is followed from there.
   */
  readonly until?: number
  readonly rings: readonly RingHandle[]
  readonly thread: number
  readonly cap: PostTriggerOptions
  readonly historyBytes: number | undefined
  readonly durable: boolean
  readonly directory: IncidentDirectory
  readonly clock: Clock
  /** Memory for what the disk refuses, shared with other reports. */
  readonly unwritten?: UnwrittenMemory
  readonly onTrouble: (error: FlogError) => void
  readonly onRecovered?: () => void
  /** The window is over, and takes what other threads logged until now; not asked where there is no window. */
  readonly beforeClose?: () => void
  /** Told once, when the window is over and the trailer written (or waiting with the rest). */
  readonly onClosed: (report: Report, reason: CloseReason) => void
}

/** Bytes of history that the disk is asked to take while the next ones are merged. */
const SYNC_AHEAD_BYTES = 3 * 1024 * 1024

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
  /** For the trailer: what is not known before the end. */
  extra: PlainObject | undefined
  readonly #options: ReportOptions
  readonly #sink: IncidentSink
  readonly #further: FurtherTrigger[] = []
  readonly #openedAt: number
  readonly #cap: PostTriggerOptions
  #furtherOmitted = 0
  #history = 0
  #after = 0
  #lost = 0
  #hasTrigger = false
  #historyEnd: LivePosition = { ordinals: [] }
  #unsynced = 0
  /** Events that the window still takes, and what it means when it has taken them. */
  #left: number
  #full: CloseReason = 'events'
  #timer: Timer | undefined
  #state: 'window' | 'closing' | 'closed' = 'window'

  constructor(options: ReportOptions) {
    const { header, directory, clock, unwritten, onTrouble, onRecovered } = options
    this.header = header
    this.#options = options
    this.#openedAt = clock.monotonic()
    this.#sink = new IncidentSink({
      ...{ directory, clock, onTrouble, openedAt: header.openedAt, id: header.id },
      ...(unwritten !== undefined && { unwritten }),
      ...(onRecovered !== undefined && { onRecovered }),
    })
    const { events, ms } = header.postTrigger
    // A further trigger never shortens the window.
    this.#cap = { events: Math.max(options.cap.events, events), ms: Math.max(options.cap.ms, ms) }
    this.#left = events
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

  /** Rings of other threads, and where in them the history ended: what comes is read from there. */
  get others(): { readonly rings: readonly RingHandle[]; readonly end: LivePosition } {
    const { rings, thread } = this.#options
    const isOther = (i: number): boolean => rings[i]?.thread !== thread
    return {
      rings: rings.filter((_, i) => isOther(i)),
      end: { ordinals: this.#historyEnd.ordinals.filter((_, i) => isOther(i)) },
    }
  }

  /** Events that the file may still take, whatever its window says; 0 once it is closed. */
  get room(): number {
    return this.#state === 'closed' ? 0 : this.#cap.events - this.#after - this.#lost
  }

  /** Whether somebody removed the file; {@link flush} brings it back. */
  get isRemoved(): boolean {
    return this.#sink.isRemoved
  }

  /** Events that the file lacks, because the disk refused them and too much waited already. */
  get lost(): number {
    return this.#lost
  }

  /** An event in the window: one small write. */
  event(payload: Uint8Array, seq: number): void {
    if (this.#state === 'closed') return
    this.#append(payload, seq, 0)
    if (--this.#left <= 0) this.close(this.#full)
  }

  /** An event that would have begun an incident itself: it is marked, listed, and the window begins anew. */
  furtherTrigger(payload: Uint8Array, trigger: FurtherTrigger): void {
    this.#append(payload, trigger.seq, BlockFlag.further)
    this.#list(trigger)
    this.#extend()
  }

  /** As {@link furtherTrigger}, of an event that is in the file already. */
  noteFurther(trigger: FurtherTrigger): void {
    if (this.#state === 'closed') return
    this.#list(trigger)
    this.#extend()
  }

  /** Events of the window that nobody could read before they were overwritten. */
  noteMissed(events: number): void {
    this.#lost += events
  }

  /** Ends the window: writes the trailer, asks for the disk, and tells. Idempotent. */
  close(reason: CloseReason): void {
    if (this.#state !== 'window') return
    this.#state = 'closing'
    this.#timer?.cancel()
    if (reason !== 'no-window') this.#options.beforeClose?.()
    this.#state = 'closed'
    this.#sink.writeAlways(trailerBlock(this.#trailer(reason), this.#options.sync))
    if (reason === 'exit') this.#sink.flush()
    else this.#sink.startSync()
    this.#options.onClosed(this, reason)
  }

  /** Tries again what the disk refused, and brings back a file that was removed. @returns true when all of it is with the system */
  flush(): boolean {
    return this.#sink.flush()
  }

  /** Lets the file go; only after `close`. What the disk still refuses is lost, and counted. */
  release(): void {
    for (const piece of this.#sink.close()) this.#lost += unwrittenEvents(piece, this.#options.sync)
  }

  #writeHistory(): void {
    const { header, sync, trigger, until = trigger.seq, rings, thread, historyBytes } = this.#options
    this.#sink.writeAlways(openingBytes(header, sync))
    const writer = new HistoryWriter(sync, trigger, (bytes) => this.#writeBlocks(bytes))
    const limit = historyBytes === undefined ? {} : { maxBytes: historyBytes }
    writer.take((target) => {
      const range = { until, untilOfOthers: Number.POSITIVE_INFINITY }
      this.#historyEnd = mergeHistory(rings, target, { ownThread: thread, ...range, ...limit }).end
    })
  }

  /** The disk may begin while the rest is merged: what it has by then need not be waited for at the end. */
  #syncAhead(bytes: number): void {
    this.#unsynced += bytes
    if (this.#unsynced < SYNC_AHEAD_BYTES || this.#hasTrigger) return
    this.#unsynced = 0
    this.#sink.startSync()
  }

  /** Whole blocks of events; the trigger comes in one of its own. */
  #writeBlocks(bytes: Uint8Array): void {
    let events = 0
    let isTrigger = false
    for (let at = 0; at < bytes.length; ) {
      const head = readBlockHead(bytes, at)
      events += head.events
      isTrigger = (head.flags & BlockFlag.trigger) !== 0
      at += BLOCK_HEAD_BYTES + head.length
    }
    if (isTrigger) this.#sink.writeAlways(bytes)
    else if (!this.#sink.write(bytes)) {
      this.#lost += events
      return
    }
    if (this.#hasTrigger) this.#after += events
    else this.#history += events
    this.#syncAhead(bytes.length)
    this.#hasTrigger ||= isTrigger
  }

  #list(trigger: FurtherTrigger): void {
    if (this.#further.length < FURTHER_TRIGGERS) this.#further.push(trigger)
    else this.#furtherOmitted++
  }

  #append(payload: Uint8Array, seq: number, flags: number): void {
    if (this.#sink.write(eventBlock(payload, seq, flags, this.#options.sync))) this.#after++
    else this.#lost++
  }

  #extend(): void {
    if (this.#state !== 'window') return
    const { header, clock } = this.#options
    const eventsLeft = this.#cap.events - this.#after - this.#lost
    const msLeft = this.#cap.ms - (clock.monotonic() - this.#openedAt)
    if (eventsLeft <= 0 || msLeft <= 0) {
      this.close('cap')
      return
    }
    const { events } = header.postTrigger
    this.#left = Math.min(events, eventsLeft)
    this.#full = eventsLeft < events ? 'cap' : 'events'
    this.#startTimer(msLeft)
  }

  #startTimer(msLeft = Number.POSITIVE_INFINITY): void {
    this.#timer?.cancel()
    const ms = Math.min(this.#options.header.postTrigger.ms, msLeft)
    const reason = msLeft < this.#options.header.postTrigger.ms ? 'cap' : 'time'
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
      ...(this.extra !== undefined && { extra: this.extra }),
    }
  }
}
