import { stat } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FSWatcher } from 'chokidar'
import { type Clock, SystemClock, type Timer } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import { IncidentChanges, type IncidentNotice } from './changes'
import type { IncidentFileName } from './name'

export interface WatchOptions {
  /** Ends the watch; the iteration then ends without an error. */
  readonly signal?: AbortSignal
  /** Tell first of what is there already; default false. There is no gap between this and what follows. */
  readonly existing?: boolean
  /** Whether waiting for notices keeps the process alive; default false, true for a command-line tool. */
  readonly keepAlive?: boolean
  /** How often to look where the system gives no notices; default 5000 ms. */
  readonly pollMs?: number
  readonly clock?: Clock
  /** Told when the watch works less well than it should: the system gives no notices, or the directory is unreadable. */
  readonly onWarning?: (warning: FlogError) => void
}

/** What a watch needs of a directory. */
export interface WatchedDirectory {
  readonly path: string
  files(): Promise<readonly IncidentFileName[]>
}

/** Notices of the system come in bursts; one look serves them all. */
const SETTLE_MS = 10
/** What may change with the next look is looked at again this soon. */
const UNSETTLED_MS = 50
/** A directory that is not there, or no more, is looked for this often. */
const MISSING_MS = 500
/** Not every file system gives notices (NFS gives none): look anyway, now and then. */
const POLL_MS = 5000

/**
 * Watches an incident directory. The notices of the system only say *when* to look; what happened is the difference
 * between two looks (see `changes.ts`).
 *
 * ```
 *   starting ── first look: what is there ──> watching ── close(), signal, leaving the loop ──> closed
 * ```
 * One consumer iterates it. It takes no more memory than there are incidents, however slow that one is.
 */
export class IncidentWatch implements AsyncIterable<IncidentNotice> {
  /** Settles when the watch knows what is there: nothing that happens after it is missed. */
  readonly ready: Promise<void>
  readonly #directory: WatchedDirectory
  readonly #options: WatchOptions
  readonly #clock: Clock
  readonly #changes: IncidentChanges
  readonly #poll: Timer
  readonly #queue: IncidentNotice[] = []
  readonly #warned = new Set<string>()
  #state: 'starting' | 'watching' | 'closed' = 'starting'
  #watcher: FSWatcher | undefined
  /** The directory that the watcher was given: one that is removed and made again is another. */
  #watched: string | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #soon: Timer | undefined
  #wake: () => void = () => {}
  #closing: Promise<void> | undefined

  constructor(directory: WatchedDirectory, options: WatchOptions = {}) {
    this.#directory = directory
    this.#options = options
    this.#clock = options.clock ?? new SystemClock()
    this.#changes = new IncidentChanges(directory.path)
    const keepAlive = options.keepAlive === true
    this.#poll = this.#clock.every(options.pollMs ?? POLL_MS, () => this.#look(), { keepAlive })
    this.ready = this.#look().then(() => {
      if (this.#state === 'starting') this.#state = 'watching'
    })
    if (options.signal?.aborted === true) this.close()
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<IncidentNotice, void, void> {
    try {
      while (!this.#isClosed()) {
        const notice = this.#queue.shift()
        if (notice !== undefined) yield notice
        else await this.#news()
      }
    } finally {
      await this.close()
    }
  }

  /** Ends the watch and the iteration; what was not taken by then is not told any more. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#state = 'closed'
    this.#poll.cancel()
    this.#soon?.cancel()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#wake()
    await this.#looking
    await this.#unwatch()
  }

  readonly #onAbort = (): void => {
    this.close()
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** One look at a time; whoever asks during one gets another one after it. */
  #look(): Promise<void> {
    this.#lookAgain = this.#looking !== undefined
    this.#looking ??= this.#lookUntilQuiet().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#lookAgain = false
      try {
        await this.#watchSameDirectory()
        await this.#takeIn(await this.#directory.files())
        this.#warned.delete('read')
      } catch (error) {
        this.#warn('read', `cannot be looked at, trying again: ${messageOf(error)}`)
      }
    } while (this.#lookAgain && !this.#isClosed())
    if (this.#changes.unsettled) this.#lookIn(UNSETTLED_MS)
  }

  async #takeIn(files: readonly IncidentFileName[]): Promise<void> {
    for await (const notice of this.#changes.since(files)) {
      if (this.#isClosed()) return
      if (this.#state === 'starting' && this.#options.existing !== true) continue
      this.#queue.push(notice)
      this.#wake()
    }
  }

  #lookIn(ms: number): void {
    if (this.#isClosed()) return
    this.#soon ??= this.#clock.after(ms, () => {
      this.#soon = undefined
      this.#look()
    })
  }

  async #watchSameDirectory(): Promise<void> {
    const found = await identityOf(this.#directory.path)
    if (found === undefined) this.#lookIn(MISSING_MS)
    if (this.#isClosed() || found === this.#watched) return
    await this.#unwatch()
    this.#watched = found
    if (found === undefined) return
    try {
      await this.#watch()
      this.#warned.delete('watch')
    } catch (error) {
      this.#warnNoNotices(error)
    }
  }

  async #watch(): Promise<void> {
    const { watch } = await import('chokidar')
    const options = { depth: 0, ignoreInitial: true, persistent: false, followSymlinks: false }
    const watcher = watch(this.#directory.path, options)
    this.#watcher = watcher
    watcher.on('all', (event) => this.#onNotice(event))
    watcher.on('error', (error) => this.#warnNoNotices(error))
    await new Promise<void>((resolve) => watcher.once('ready', () => resolve()))
  }

  async #unwatch(): Promise<void> {
    const watcher = this.#watcher
    this.#watcher = undefined
    // Closed from inside one of its own handlers, chokidar leaks a watcher that keeps the process alive.
    await nextTurn()
    await watcher?.close()
  }

  /** An open incident changes with every event, which is no news. */
  #onNotice(event: string): void {
    if (event !== 'change' || this.#changes.hasUnreadable) this.#lookIn(SETTLE_MS)
  }

  #warnNoNotices(error: unknown): void {
    this.#warn('watch', `gives no notices of changes, looking now and then: ${messageOf(error)}`)
  }

  /** Once for each trouble, and again only when it was over in between. */
  #warn(trouble: 'watch' | 'read', what: string): void {
    if (this.#warned.has(trouble) || this.#isClosed()) return
    this.#warned.add(trouble)
    const path = this.#directory.path
    const message = `the incident directory ${path} ${what}`
    this.#options.onWarning?.(
      new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { details: { directory: path } }),
    )
  }
}

/** Tells a directory from a later one of the same path; undefined where there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeMs } = await stat(path)
    return `${dev} ${ino} ${birthtimeMs}`
  } catch {
    return undefined
  }
}
