import { type Clock, isoMicros } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { KERNEL_BATCH_BYTES } from '../../base/kernel-limits'
import { type Random, randomHex } from '../../base/random'
import type { ErrorRow } from './event'
import { fingerprintOf } from './fingerprint'
import { GatheredRows } from './gathered-rows'
import type { Metrics } from './metrics'
import { SafeSpool } from './safe-spool'
import type { Place, Segment } from './segment'
import type { Leavings } from './spool'
import { type Change, changeOf } from './spool-lines'

/** The part that forwarding itself is; nothing that it reports is forwarded. */
export const FORWARD_PART = 'kernel.forward'

export interface ForwardQueueOptions {
  readonly node: string
  /** Rows that are kept in memory. */
  readonly capacity: number
  readonly spool?: { readonly directory: string; readonly maxBytes: number } | undefined
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  /** Is told of rows that are dropped, of what is wrong with the spool, and that it works. */
  readonly onTrouble: (error: FlogError) => void
  readonly onSpoolWorks: () => void
}

/** A row that is ready to be sent. */
interface Ready {
  readonly id: string
  /** Undefined for one that is in the spool only. */
  row: ErrorRow | undefined
  place: Place | undefined
  readonly change: Change | undefined
  /** How many dropped rows it tells of. */
  readonly dropped: number
}

/**
 * Rows for the central error log, the first ready first.
 *
 * *With a spool* each is written there before anything else, and the bound is the spool's: when it is full, its oldest segment
 * goes. `capacity` bounds what is in memory besides; what is beyond that is read from the spool when its turn comes.
 * *Without one*, and of rows that the spool does not take, `capacity` is all there is: the oldest that is not under way is
 * dropped. Either way a row says how many were: it goes before what is left, and counts until it is taken.
 */
export class ForwardQueue {
  readonly #options: ForwardQueueOptions
  readonly #spool: SafeSpool
  readonly #gathered: GatheredRows
  #ready = new Map<string, Ready>()
  /** Those that tell of dropped ones, and go first. */
  readonly #telling = new Map<string, Ready>()
  /** Those of them that are in memory. */
  readonly #held = new Map<string, Ready>()
  /** Those of them that are under way. */
  readonly #taken = new Map<string, ErrorRow>()
  #dropped = 0
  #firstDropped: number | undefined

  constructor(options: ForwardQueueOptions) {
    this.#options = options
    const { spool, clock, random, onTrouble, onSpoolWorks } = options
    const hooks = {
      ...{ onTrouble, onWorks: onSpoolWorks, onLeaving: () => this.#leaveSpool() },
      onDropping: (segment: Segment) => this.#dropSegment(segment),
    }
    this.#spool = new SafeSpool(spool && { ...spool, clock, random, ...hooks })
    this.#gathered = new GatheredRows(this.#spool, clock)
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#dropped === 0
  }

  /** Rows that a kill would lose. */
  get unsaved(): number {
    return [...this.#held.values()].filter(({ place }) => place === undefined).length
  }

  /** Takes the spool, and what earlier processes left there. @returns false when it cannot be had now */
  openSpool(): Promise<boolean> {
    return this.#spool.open((leavings) => this.#adopt(leavings))
  }

  /** A row that is not ready yet. */
  begin(row: ErrorRow): void {
    this.#gathered.begin(row)
  }

  /** A row that was begun counts the event `event` as well. */
  grow(id: string, event: string, repeat: number, changed: () => ErrorRow): void {
    this.#gathered.grow(id, event, repeat, changed)
  }

  /** A row that is ready to be sent. */
  push(row: ErrorRow): void {
    const isChanged = row.repeat > 1 || row.action !== undefined
    const change = isChanged ? changeOf(row) : undefined
    this.#add({ id: row.id, row, place: this.#gathered.end(row), change, dropped: 0 })
  }

  /** The first rows, which are under way from now on. */
  async take(count: number): Promise<readonly ErrorRow[]> {
    this.#tellDropped()
    // As they are now: they may be dropped, or leave memory, while others are read.
    const taken = this.#first(count).map((entry) => ({ ...entry }))
    const away = taken.filter(({ row, place }) => row === undefined && place !== undefined)
    const places = away.flatMap(({ place }) => place ?? [])
    const rows = places.length === 0 ? [] : await this.#spool.use((spool) => spool.read(places))
    const read = new Map(away.map(({ id }, index) => [id, rows?.[index]]))
    const unreadable: string[] = []
    for (const { id, row, change } of taken) {
      if (this.#of(id) === undefined) continue
      const found = row ?? read.get(id)
      if (found === undefined) unreadable.push(id)
      else this.#taken.set(id, { ...found, ...change })
    }
    this.#lose(unreadable)
    return [...this.#taken.values()]
  }

  /** What was taken is under way no more; those that were acknowledged are gone. */
  release(acknowledged: ReadonlySet<string>): void {
    const done = [...this.#taken.keys()].filter((id) => acknowledged.has(id))
    this.#taken.clear()
    this.#remove(done)
  }

  /** Writes into the spool what is not there yet, for whatever ends now. */
  save(): void {
    for (const entry of this.#held.values()) {
      const { row } = entry
      if (row !== undefined) entry.place ??= this.#spool.use((spool) => spool.add(row))
    }
    this.#gathered.save()
  }

  syncSync(): void {
    this.#tellDropped()
    this.save()
    this.#spool.use((spool) => spool.syncSync())
  }

  async close(): Promise<void> {
    this.#tellDropped()
    this.save()
    this.#options.metrics.add('kernel_forward_dropped_total', {}, this.unsaved)
    await this.#spool.close()
  }

  #first(count: number): readonly Ready[] {
    const first: Ready[] = []
    let bytes = 0
    for (const entry of this.#all()) {
      bytes += entry.place?.bytes ?? 0
      if (first.length >= count || (first.length > 0 && bytes > KERNEL_BATCH_BYTES)) break
      first.push(entry)
    }
    return first
  }

  #add(entry: Ready): void {
    const { capacity } = this.#options
    const isFull = this.#held.size >= capacity
    if (isFull && entry.place !== undefined) entry.row = undefined
    this.#ready.set(entry.id, entry)
    if (entry.row !== undefined) this.#held.set(entry.id, entry)
    if (this.#held.size > capacity) this.#giveWay()
    this.#measure()
  }

  /** One that is in the spool leaves memory; else one is dropped. */
  #giveWay(): void {
    const held = [...this.#held.values()]
    const spooled = held.find(({ id, place }) => place !== undefined && !this.#taken.has(id))
    if (spooled !== undefined) {
      spooled.row = undefined
      this.#held.delete(spooled.id)
      return
    }
    // All may be under way in a queue of a few.
    const oldest = held.find(({ id }) => !this.#taken.has(id)) ?? held.at(-1)
    if (oldest !== undefined) this.#lose([oldest.id])
  }

  #lose(ids: readonly string[]): void {
    if (ids.length === 0) return
    const told = ids.map((id) => this.#of(id)?.dropped ?? 0)
    // What tells of others is none of them.
    const count = told.reduce((sum, dropped) => sum + (dropped === 0 ? 1 : dropped), 0)
    const rows = told.filter((dropped) => dropped === 0).length
    this.#dropped += count
    this.#firstDropped ??= this.#options.clock.now()
    this.#options.metrics.add('kernel_forward_dropped_total', {}, rows)
    this.#remove(ids)
    const what = 'errors for the central error log are dropped: more come than it takes'
    this.#options.onTrouble(new FlogError('FLOG_KERNEL_DROPPED', what))
  }

  #remove(ids: readonly string[]): void {
    const entries = ids.flatMap((id) => this.#of(id) ?? [])
    for (const { id } of entries) {
      this.#ready.delete(id)
      this.#telling.delete(id)
      this.#held.delete(id)
    }
    const spooled = entries.filter(({ place }) => place !== undefined)
    const places = spooled.flatMap(({ place }) => place ?? [])
    const names = spooled.map(({ id }) => id)
    if (places.length > 0) this.#spool.use((spool) => spool.done(names, places))
    this.#measure()
  }

  /** The spool is full: its oldest segment goes, with all that is ready. */
  #dropSegment(segment: Segment): void {
    const gone = this.#in(segment)
    for (const entry of gone) {
      entry.place = undefined
      // What is under way may yet arrive.
      entry.row ??= this.#taken.get(entry.id)
      if (this.#taken.has(entry.id)) this.#held.set(entry.id, entry)
    }
    this.#lose(gone.flatMap(({ id }) => (this.#taken.has(id) ? [] : id)))
    this.#gathered.rewrite(segment)
    this.#tellDropped()
  }

  /** What is ready of a segment. It is the oldest, so they are among the first, and nobody looks on when all are found. */
  #in(segment: Segment): readonly Ready[] {
    const entries: Ready[] = []
    const count = segment.live - this.#gathered.countIn(segment)
    for (const entry of this.#all()) {
      if (entries.length >= count) break
      if (entry.place?.segment === segment) entries.push(entry)
    }
    return entries
  }

  #adopt({ rows }: Leavings): void {
    const left = rows.map((row): [string, Ready] => [row.id, { ...row, row: undefined }])
    this.#ready = new Map([...left, ...this.#ready])
    this.#measure()
    this.save()
  }

  #leaveSpool(): void {
    const entries = [...this.#all()]
    for (const entry of entries) entry.place = undefined
    this.#gathered.forgetPlaces()
    this.#lose(entries.flatMap(({ id, row }) => (row === undefined ? id : [])))
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return
    const { node, clock, random } = this.#options
    const time = isoMicros(this.#firstDropped ?? clock.now())
    const count = this.#dropped
    this.#dropped = 0
    this.#firstDropped = undefined
    const error = {
      ...{ name: 'FlogError', code: 'FLOG_KERNEL_DROPPED', message: `${count} errors were dropped` },
      count,
    }
    const row: ErrorRow = {
      ...{ id: randomHex(random, 8), node, part: FORWARD_PART, kind: 'error', level: 'warning', time },
      ...{ lastTime: isoMicros(clock.now()), repeat: 1, message: `dropped: ${error.message}`, error },
      fingerprint: fingerprintOf(FORWARD_PART, 'dropped', undefined),
    }
    const place = this.#spool.use((spool) => spool.add(row))
    const entry: Ready = { id: row.id, row, place, change: undefined, dropped: count }
    this.#telling.set(row.id, entry)
    this.#held.set(row.id, entry)
  }

  get #count(): number {
    return this.#telling.size + this.#ready.size
  }

  #of(id: string): Ready | undefined {
    return this.#ready.get(id) ?? this.#telling.get(id)
  }

  *#all(): Generator<Ready> {
    yield* this.#telling.values()
    yield* this.#ready.values()
  }

  #measure(): void {
    this.#options.metrics.set('kernel_forward_queue', this.#count)
  }
}
