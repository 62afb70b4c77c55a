import { setImmediate as nextTurn } from 'node:timers/promises'
import { join } from 'node:path'
import type { FSWatcher } from 'chokidar'
import { type Clock, SystemClock, type Timer } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import type { IncidentSummary } from './header'
import type { IncidentFileName } from './name'
import { readSummary } from './summary'

/** What happened to an incident. Each incident is opened at most once and closed at most once, in this order. */
export type IncidentNotice =
  | { readonly kind: 'opened'; readonly id: string; readonly summary: IncidentSummary }
  | { readonly kind: 'closed'; readonly id: string; readonly summary: IncidentSummary }
  | { readonly kind: 'removed'; readonly id: string }

export interface WatchOptions {
  /** Ends the watch; the iteration then ends without an error. */
  readonly signal?: AbortSignal
  /** Tell first of what is there already; default false. There is no gap between this and what follows. */
  readonly existing?: boolean
  /** Whether waiting for notices keeps the process alive; default false, true for a command-line tool. */
  readonly keepAlive?: boolean
  readonly clock?: Clock
  /** Told when the watch works less well than it should: the system gives no notices, or the directory is unreadable. */
  readonly onWarning?: (warning: FlogError) => void
}

/** What a watch needs of a directory. */
export interface WatchedDirectory {
  readonly path: string
  files(): Promise<readonly IncidentFileName[]>
}

interface KnownFile {
  readonly id: string
  readonly kind: IncidentFileName['kind']
}

/** Notices of the system come in bursts; one look serves them all. */
const SETTLE_MS = 10
/** A file that cannot be read yet, or was missing once, is looked at again soon, for as long as it is new. */
const RETRY_MS = 50
const RETRIES = 40
/** Not every file system gives notices (NFS gives none): look anyway, now and then. */
const POLL_MS = 5000

/**
 * Watches an incident directory, from the moment it is made. The notices of the system only say *when* to look; what
 * happened is the difference between two looks, so that a file that appears half-made, under two names or twice makes
 * no false notice.
 *
 * One consumer iterates it. Leaving the loop closes it.
 */
export class IncidentWatch implements AsyncIterable<IncidentNotice> {
  /** Settles when the watch knows what is there: from then on nothing is missed. */
  readonly ready: Promise<void>
  readonly #directory: WatchedDirectory
  readonly #options: WatchOptions
  readonly #clock: Clock
  readonly #poll: Timer
  readonly #files = new Map<string, KnownFile>()
  readonly #told = new Map<string, 'opened' | 'closed'>()
  /** Names that cannot be read, with the number of looks so far. */
  readonly #unreadable = new Map<string, number>()
  /** Incidents whose files were all missing at the last look. */
  readonly #missing = new Set<string>()
  readonly #queue: IncidentNotice[] = []
  readonly #warned = new Set<string>()
  #state: 'starting' | 'watching' | 'closed' = 'starting'
  #looking: Promise<void> | undefined
  #again = false
  #timer: Timer | undefined
  #wake: () => void = () => {}
  #closing: Promise<void> | undefined
  readonly #watcher: Promise<FSWatcher | undefined>

  constructor(directory: WatchedDirectory, options: WatchOptions = {}) {
    this.#directory = directory
    this.#options = options
    this.#clock = options.clock ?? new SystemClock()
    this.#poll = this.#clock.every(POLL_MS, () => this.#look(), { keepAlive: options.keepAlive === true })
    this.#watcher = this.#watchFiles()
    this.ready = this.#start()
    if (options.signal?.aborted === true) this.close()
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<IncidentNotice, void, void> {
    try {
      for (;;) {
        for (let notice = this.#queue.shift(); notice !== undefined; notice = this.#queue.shift()) yield notice
        if (this.#isClosed()) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      await this.close()
    }
  }

  /** Ends the watch and the iteration. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  readonly #onAbort = (): void => {
    this.close()
  }

  async #start(): Promise<void> {
    await this.#watcher
    await this.#look()
    if (this.#state === 'starting') this.#state = 'watching'
  }

  async #close(): Promise<void> {
    this.#state = 'closed'
    this.#poll.cancel()
    this.#timer?.cancel()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#wake()
    const watcher = await this.#watcher
    // Closed from inside one of its own handlers, chokidar leaks a watcher that keeps the process alive.
    await nextTurn()
    await watcher?.close()
    await this.#looking
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  async #watchFiles(): Promise<FSWatcher | undefined> {
    try {
      const { watch } = await import('chokidar')
      const watcher = watch(this.#directory.path, {
        depth: 0,
        ignoreInitial: true,
        persistent: false,
        followSymlinks: false,
      })
      watcher.on('all', (event) => this.#onNotice(event))
      watcher.on('error', (error) => this.#warn('watch', `gives no notices, looking every 5 s: ${messageOf(error)}`))
      await new Promise<void>((resolve) => watcher.once('ready', resolve))
      return watcher
    } catch (error) {
      this.#warn('watch', `gives no notices, looking every 5 s: ${messageOf(error)}`)
      return undefined
    }
  }

  /** An open incident changes with every event, which is no news. */
  #onNotice(event: string): void {
    if (event !== 'change' || this.#unreadable.size > 0) this.#lookIn(SETTLE_MS)
  }

  #lookIn(ms: number): void {
    if (this.#isClosed()) return
    this.#timer ??= this.#clock.after(ms, () => {
      this.#timer = undefined
      this.#look()
    })
  }

  /** One look at a time; whoever asks during one gets another one after it. */
  #look(): Promise<void> {
    this.#again = this.#looking !== undefined
    this.#looking ??= this.#lookUntilQuiet().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#again = false
      try {
        await this.#compare(await this.#directory.files())
        this.#warned.delete('read')
      } catch (error) {
        this.#warn('read', `cannot be looked at, trying again: ${messageOf(error)}`)
      }
    } while (this.#again && !this.#isClosed())
  }

  async #compare(files: readonly IncidentFileName[]): Promise<void> {
    const visible = files.filter((file) => file.kind !== 'temporary')
    this.#forget(new Set(visible.map((file) => file.name)))
    for (const file of visible) {
      if (this.#isClosed()) return
      if (!this.#files.has(file.name)) await this.#takeIn(file)
    }
    this.#tellRemoved()
    if (this.#missing.size > 0 || this.#hasFreshUnreadable()) this.#lookIn(RETRY_MS)
  }

  async #takeIn(file: IncidentFileName): Promise<void> {
    try {
      const summary = await readSummary(join(this.#directory.path, file.name))
      this.#unreadable.delete(file.name)
      this.#files.set(file.name, { id: summary.id, kind: file.kind })
      this.#tell(file.kind === 'gzip' ? 'closed' : 'opened', summary)
    } catch {
      this.#unreadable.set(file.name, (this.#unreadable.get(file.name) ?? 0) + 1)
    }
  }

  #tell(kind: 'opened' | 'closed', summary: IncidentSummary): void {
    const before = this.#told.get(summary.id)
    if (before === 'closed' || before === kind) return
    this.#told.set(summary.id, kind)
    if (this.#state === 'watching' || this.#options.existing === true) this.#push({ kind, id: summary.id, summary })
  }

  #forget(names: ReadonlySet<string>): void {
    for (const name of this.#unreadable.keys()) if (!names.has(name)) this.#unreadable.delete(name)
    for (const name of this.#files.keys()) if (!names.has(name)) this.#files.delete(name)
  }

  /** A look may fall between two names of a file that is being renamed: what is missing twice is gone. */
  #tellRemoved(): void {
    const present = new Set([...this.#files.values()].map((file) => file.id))
    for (const id of this.#told.keys()) {
      if (present.has(id)) this.#missing.delete(id)
      else if (!this.#missing.has(id)) this.#missing.add(id)
      else {
        this.#missing.delete(id)
        this.#told.delete(id)
        this.#push({ kind: 'removed', id })
      }
    }
  }

  #hasFreshUnreadable(): boolean {
    return [...this.#unreadable.values()].some((looks) => looks < RETRIES)
  }

  #push(notice: IncidentNotice): void {
    this.#queue.push(notice)
    this.#wake()
  }

  /** Once for each trouble, and again only when it was over in between. */
  #warn(trouble: 'watch' | 'read', what: string): void {
    if (this.#warned.has(trouble) || this.#isClosed()) return
    this.#warned.add(trouble)
    const path = this.#directory.path
    const message = `the incident directory ${path} ${what}`
    this.#options.onWarning?.(new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { details: { directory: path } }))
  }
}
