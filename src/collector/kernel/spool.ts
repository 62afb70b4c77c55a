import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Clock, Timer } from '../../base/clock'
import { type DirectoryLock, lockDirectory } from '../../base/directory-lock'
import { KERNEL_BATCH_BYTES, KERNEL_SEGMENTS, KERNEL_SYNC_MS } from '../../base/kernel-limits'
import { type Random, randomHex } from '../../base/random'
import type { ErrorRow } from './event'
import { type Place, Segment } from './segment'
import { type Change, changeLine, doneLine, type Line, parseLine, rowLine } from './spool-lines'

export interface SpoolOptions {
  /** Made with mode 0700, its files 0600. Of this machine: a disk that hangs holds up whoever reports. */
  readonly directory: string
  /** What it may hold; with more, the oldest segment goes. */
  readonly maxBytes: number
  readonly clock: Clock
  readonly random: Random
  /** Is told before a segment that has rows which wait is removed. Rows that it adds in the call find room. */
  readonly onDropping: (segment: Segment) => void
  /** Is told what could not be synced. */
  readonly onFailure: (cause: unknown) => void
}

/** A row that an earlier process left. */
export interface Left {
  readonly id: string
  readonly place: Place
  /** What changed since it was written. */
  readonly change: Change | undefined
  /** Of the row that says how many were dropped: how many. */
  readonly dropped: number
}

/** What earlier processes left, oldest first, and the lines of theirs that are damaged, or were torn when they died. */
export interface Leavings {
  readonly rows: readonly Left[]
  readonly damagedLines: number
  readonly tornLines: number
}

/**
 * The rows that the central error log has not acknowledged, on the disk: written ahead, in the call that reports, before
 * anything else is done to forward them. What that call returned from survives the process, whatever kills it.
 *
 * ```
 *   spool.lock                      whose it is
 *   spool/000000000007-<life>.jsonl   {"id":"a-1", …}                     a row
 *                                     {"id":"a-2", …}
 *                                     {"of":"a-1","repeat":512, …}        it happens on and on
 *        /000000000008-<life>.jsonl   {"of":"a-1","repeat":513, …,"without":"a-2"}   a-2 went into it
 *                                     {"done":["a-0"]}                    acknowledged
 * ```
 * *In the call*, since a turn later is too late for a process that aborts or hangs in the turn: it is one write into the
 * system's cache for each new trouble. The disk has it a second later at most, which is what a power failure may cost.
 * *What was acknowledged is a line*, not an offset: rows become ready out of order, when they were gathered and decided about.
 * *Segments go from the front*, when nothing in them waits, so what is said of a row never outlives the row, and the other
 * way round; when nothing waits at all, nothing is kept.
 *
 * Each life writes files of its own, so that writing never waits for the lock; whoever has the lock takes what others left.
 */
export class Spool {
  readonly #options: SpoolOptions
  readonly #directory: string
  readonly #life: string
  /** Oldest first; the last one is written to. */
  #segments: Segment[] = []
  #current: Segment | undefined
  #number = 0
  #lock: DirectoryLock | undefined
  #syncing: Timer | undefined
  #lastSync: Promise<void> = Promise.resolve()
  /** Directories with entries that power failure may take. */
  readonly #unsynced = new Set<string>()

  constructor(options: SpoolOptions) {
    this.#options = options
    this.#directory = resolve(options.directory)
    this.#life = randomHex(options.random, 8)
  }

  /**
   * Takes the spool for this process, and what others left in it.
   * @param adopt is called once, in the same turn in which it is the spool's
   * @throws FlogError FLOG_KERNEL_SPOOL_LOCKED, FLOG_KERNEL_SPOOL_FAILED; else the system's error, as all other methods
   */
  async open(adopt: (leavings: Leavings) => void): Promise<void> {
    this.#makeDirectory()
    this.#lock ??= await lockDirectory(this.#directory, { random: this.#options.random, ...LOCK })
    const own = new Set(this.#segments.map(({ path }) => path))
    const names = readdirSync(this.#directory).filter((name) => NAME.test(name))
    this.#number = Math.max(this.#number, ...names.map(numberOf))
    const paths = names.sort().map((name) => join(this.#directory, name))
    const found = paths.filter((path) => !own.has(path)).map((path) => new Segment(path, statSync(path).size))
    const left = await leavings(found)
    this.#segments = [...found, ...this.#segments]
    adopt(left)
    this.#removeFront()
  }

  /** Another process has it: takes back what was written. */
  leave(): void {
    const written = this.#segments
    this.#segments = []
    this.#current = undefined
    for (const segment of written) segment.remove()
  }

  add(row: ErrorRow): Place {
    const line = rowLine(row)
    this.#makeRoom(Buffer.byteLength(line))
    const place = this.#append(line)
    place.segment.live++
    return place
  }

  change(of: string, change: Change): void {
    this.#append(changeLine(of, change))
  }

  /** A row went into another one. */
  merge(of: string, change: Change, without: string, place: Place): void {
    try {
      this.#append(changeLine(of, change, without))
    } finally {
      place.segment.live--
    }
  }

  /** Nothing of these is to be sent any more. */
  done(ids: readonly string[], places: readonly Place[]): void {
    for (const { segment } of places) segment.live--
    try {
      if (this.#segments.some(({ live }) => live > 0)) this.#append(doneLine(ids))
    } finally {
      this.#removeFront()
    }
  }

  /** The rows at these places; undefined for what cannot be read. */
  async read(places: readonly Place[]): Promise<readonly (ErrorRow | undefined)[]> {
    const rows = new Map<Place, ErrorRow>()
    for (const segment of new Set(places.map((place) => place.segment))) {
      const own = places.filter((place) => place.segment === segment)
      const lines = await segment.read(own).catch(() => [])
      for (const [index, place] of own.entries()) {
        const line = parseLine(lines[index] ?? '')
        if (line?.kind === 'row') rows.set(place, line.row)
      }
    }
    return places.map((place) => rows.get(place))
  }

  /** For a process that is about to end. */
  syncSync(): void {
    this.#current?.syncSync()
  }

  async close(): Promise<void> {
    this.#syncing?.cancel()
    await this.#lastSync
    await this.#sync()
    if (this.#current?.size === 0) this.#segments.pop()?.remove()
    this.#current?.close()
    this.#lock?.release()
    this.#lock = undefined
  }

  #append(line: string): Place {
    this.#current ??= this.#newSegment()
    const place = this.#current.append(line)
    this.#syncing ??= this.#options.clock.after(KERNEL_SYNC_MS, () => {
      this.#syncing = undefined
      this.#lastSync = this.#lastSync.then(() => this.#sync())
    })
    return place
  }

  /** The oldest segments go until there is. */
  #makeRoom(bytes: number): void {
    const { maxBytes, onDropping } = this.#options
    if ((this.#current?.size ?? 0) + bytes > maxBytes / KERNEL_SEGMENTS) this.#endSegment()
    while (this.#size + bytes > maxBytes) {
      const oldest = this.#segments[0]
      if (oldest === undefined || oldest === this.#current) return
      this.#segments.shift()
      if (oldest.live > 0) onDropping(oldest)
      oldest.remove()
    }
  }

  get #size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0)
  }

  #newSegment(): Segment {
    this.#makeDirectory()
    // Before the lock is had: behind whatever is there.
    if (this.#number === 0) this.#number = Math.max(0, ...readdirSync(this.#directory).map(numberOf))
    this.#number++
    const name = `${String(this.#number).padStart(12, '0')}-${this.#life}.jsonl`
    const segment = Segment.create(join(this.#directory, name))
    this.#unsynced.add(this.#directory)
    this.#segments.push(segment)
    return segment
  }

  #endSegment(): void {
    const ended = this.#current
    if (ended === undefined || ended.size === 0) return
    this.#current = undefined
    ended.close()
    this.#lastSync = this.#lastSync.then(async () => {
      // One that was removed meanwhile needs none.
      if (this.#segments.includes(ended)) await ended.sync().catch(this.#options.onFailure)
    })
  }

  /** A segment goes when nothing in it waits, and there is none before it. */
  #removeFront(): void {
    for (let first = this.#segments[0]; first !== undefined && first.live === 0; first = this.#segments[0]) {
      if (first === this.#current) {
        first.empty()
        return
      }
      this.#segments.shift()
      first.remove()
    }
  }

  #makeDirectory(): void {
    const made = mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    if (made === undefined) return
    for (let path = this.#directory; path.length >= made.length; path = dirname(path))
      this.#unsynced.add(dirname(path))
  }

  async #sync(): Promise<void> {
    try {
      await this.#current?.sync()
      for (const path of [...this.#unsynced]) {
        this.#unsynced.delete(path)
        const directory = await open(path)
        await directory.sync().finally(() => directory.close())
      }
    } catch (cause) {
      this.#options.onFailure(cause)
    }
  }
}

const NAME = /^(\d{12})-[0-9a-f]{16}\.jsonl$/

function numberOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? 0)
}

const LOCK = {
  what: 'the spool',
  advice: 'give each process a spool of its own',
  lockedCode: 'FLOG_KERNEL_SPOOL_LOCKED',
  failedCode: 'FLOG_KERNEL_SPOOL_FAILED',
} as const

/** What waits in these segments, by all that they say. */
async function leavings(segments: readonly Segment[]): Promise<Leavings> {
  const rows = new Map<string, Left>()
  let damagedLines = 0
  let tornLines = 0
  let bytes = 0
  for (const segment of segments) {
    // In few turns, not one for each: a process that ends soon again and again must come to send what it left.
    bytes += segment.size
    if (bytes > KERNEL_BATCH_BYTES) await new Promise((resolve) => setImmediate(resolve))
    bytes %= KERNEL_BATCH_BYTES
    for (const { text, place, isWhole } of segment.lines()) {
      const line = isWhole ? parseLine(text) : undefined
      if (line === undefined && isWhole) damagedLines++
      else if (line === undefined) tornLines++
      else apply(line, place, rows)
    }
  }
  for (const { place } of rows.values()) place.segment.live++
  return { rows: [...rows.values()], damagedLines, tornLines }
}

function apply(line: Line, place: Place, rows: Map<string, Left>): void {
  switch (line.kind) {
    case 'row': {
      const { id } = line.row
      rows.set(id, { id, place, change: undefined, dropped: droppedOf(line.row) })
      return
    }
    case 'done':
      for (const id of line.ids) rows.delete(id)
      return
    case 'change': {
      const left = rows.get(line.of)
      if (left !== undefined) rows.set(line.of, { ...left, change: line.change })
      if (line.without !== undefined) rows.delete(line.without)
    }
  }
}

function droppedOf({ error }: ErrorRow): number {
  const count = error?.['code'] === 'FLOG_KERNEL_DROPPED' ? error['count'] : 0
  return typeof count === 'number' ? count : 0
}
