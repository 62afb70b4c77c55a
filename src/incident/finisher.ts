import type { Clock, Timer } from '../base/clock'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { WRITE_RETRY_MAX_MS, WRITE_RETRY_MS } from '../base/limits'
import type { IncidentDirectory } from './directory'
import type { IncidentSummary } from './header'
import type { Report } from './report'

export interface FinisherOptions {
  readonly directory: IncidentDirectory
  readonly clock: Clock
  /** Finishes in another thread; rejects with FLOG_CLOSED where there is none, and it has to be done here. */
  readonly elsewhere?: { readonly isReady: boolean; finish(path: string): Promise<Finished> } | undefined
  readonly onTrouble: (error: FlogError) => void
  /** Told when something was finished again after trouble of that code. */
  readonly onRecovered: (code: FlogErrorCode) => void
}

export interface Finished {
  readonly path: string
  readonly summary: IncidentSummary
}

interface Unfinished {
  readonly report: Report
  readonly settle: (finished: Finished | undefined) => void
}

/** What trying again does not change: the plain file was moved away, or somebody spoiled it. */
const HOPELESS: ReadonlySet<FlogErrorCode> = new Set<FlogErrorCode>([
  'FLOG_FILE_MISSING',
  'FLOG_FILE_NOT_INCIDENT',
  'FLOG_FILE_CORRUPT',
  'FLOG_FILE_TRUNCATED',
  'FLOG_FILE_NEWER',
  'FLOG_FILE_TOO_LARGE',
])

/** What finishing needs, in an order in which each brings little that is new. */
const PARTS: readonly (() => unknown)[] = [
  () => require('./files'),
  () => require('./salvage'),
  () => require('./blocks'),
  () => require('./parser'),
  () => require('./node-engine'),
  () => require('./reader'),
  () => require('./summary'),
  () => require('./verify'),
  () => require('./mend'),
  () => require('./finish'),
  () => require('./quota'),
]
let loaded = 0

/**
 * Turns closed reports into finished files, one after the other, in slices that the event loop does not feel, and keeps
 * the directory within its quota.
 *
 * ```
 *   finish ──> queue ──> finished, or hopeless ──> settled
 *                ↑  └──> refused by the disk ──┐
 *                └── timer, idle, close ───────┘   (after close: given up)
 * ```
 */
export class Finisher {
  readonly #options: FinisherOptions
  readonly #unfinished = new Set<Unfinished>()
  #refused: Unfinished[] = []
  #finishing: Unfinished | undefined
  readonly #troubles = new Set<FlogErrorCode>()
  #queue: Promise<void> = Promise.resolve()
  #retry: Timer | undefined
  #retryMs = WRITE_RETRY_MS
  #closed = false

  constructor(options: FinisherOptions) {
    this.#options = options
  }

  /**
   * Loads what finishing needs while a window is open, a few modules in each turn of the event loop: all at once, at its
   * end, they would hold the loop up for 15 ms. An app that never has an incident never loads them.
   */
  prepare(): void {
    if (this.#options.elsewhere?.isReady !== true) this.#load(0)
  }

  /** Reports that are neither finished nor given up. */
  get unfinished(): number {
    return this.#unfinished.size
  }

  /** @returns undefined where it was given up; the plain file, if there is one, is then left for the next process */
  finish(report: Report): Promise<Finished | undefined> {
    return new Promise((settle) => {
      const entry = { report, settle }
      this.#unfinished.add(entry)
      this.#enqueue(entry)
    })
  }

  /** Settles when everything that was handed over is finished, given up, or refused by the disk once more. */
  async idle(): Promise<void> {
    this.#tryAgain()
    await this.#queue
  }

  /** Gives up what the disk refuses, after one more try, and lets what works come to its end. */
  async close(): Promise<void> {
    this.#closed = true
    await this.idle()
  }

  /** Brings what waits in memory to the plain files, if the disk takes it now: the process ends. */
  flushNow(): void {
    // The one that is being finished is with the system, and its plain file may rightly be gone.
    for (const entry of this.#unfinished) if (entry !== this.#finishing) entry.report.flush()
  }

  #load(part: number): void {
    if (part < loaded || part >= PARTS.length) return
    loaded = part + 1
    this.#options.clock.after(0, () => {
      try {
        PARTS[part]?.()
      } catch {
        // Who is out of descriptors loads it later, when it is needed.
      }
      this.#load(part + 1)
    })
  }

  #enqueue(entry: Unfinished): void {
    const attempt = async () => {
      try {
        await this.#attempt(entry)
      } catch (error) {
        // One that goes wrong in a way of its own must not hold up the others.
        this.#settle(entry, undefined)
        this.#tell(error, `incident ${entry.report.header.id} is given up`)
      }
    }
    this.#queue = this.#queue.then(attempt)
  }

  async #attempt(entry: Unfinished): Promise<void> {
    const outcome = entry.report.flush() ? await this.#finish(entry) : 'refused'
    if (outcome === 'refused' && !this.#closed) {
      this.#refused.push(entry)
      this.#retryLater()
      return
    }
    this.#settle(entry, typeof outcome === 'object' ? outcome : undefined)
  }

  #settle(entry: Unfinished, finished: Finished | undefined): void {
    entry.report.release()
    this.#unfinished.delete(entry)
    if (this.#refused.length === 0) this.#retryMs = WRITE_RETRY_MS
    entry.settle(finished)
  }

  async #finish(entry: Unfinished): Promise<Finished | 'refused' | 'hopeless'> {
    const { report } = entry
    this.#finishing = entry
    try {
      const elsewhere = await this.#finishElsewhere(report)
      const finished = elsewhere ?? (await this.#finishHere(report))
      this.#recovered()
      if (elsewhere === undefined) await this.#enforceQuota(finished.summary.id)
      return finished
    } catch (error) {
      const hopeless = FlogError.is(error) && HOPELESS.has(error.code) && !report.isRemoved
      const outlook = hopeless ? 'it stays as it is' : 'it is tried again'
      this.#tell(error, `incident ${report.header.id} could not be finished, ${outlook}`)
      return hopeless ? 'hopeless' : 'refused'
    } finally {
      this.#finishing = undefined
    }
  }

  #finishHere(report: Report): Promise<Finished> {
    const { finishIncident } = require('./finish') as typeof import('./finish')
    const { directory, clock } = this.#options
    return finishIncident(report.path ?? '', { clock, fileMode: directory.fileMode })
  }

  /** @returns undefined where there is no other thread, or it ended meanwhile */
  async #finishElsewhere(report: Report): Promise<Finished | undefined> {
    const { elsewhere } = this.#options
    if (elsewhere?.isReady !== true) return undefined
    try {
      return await elsewhere.finish(report.path ?? '')
    } catch (error) {
      if (FlogError.is(error, 'FLOG_CLOSED')) return undefined
      throw error
    }
  }

  #recovered(): void {
    for (const code of this.#troubles) this.#options.onRecovered(code)
    this.#troubles.clear()
  }

  async #enforceQuota(spared: string): Promise<void> {
    try {
      await this.#options.directory.enforceQuota(spared)
    } catch (error) {
      this.#tell(error, 'the quota of the incident directory could not be applied')
    }
  }

  #tryAgain(): void {
    this.#retry?.cancel()
    this.#retry = undefined
    const refused = this.#refused
    this.#refused = []
    for (const entry of refused) this.#enqueue(entry)
  }

  #retryLater(): void {
    this.#retry ??= this.#options.clock.after(this.#retryMs, () => {
      this.#retryMs = Math.min(this.#retryMs * 2, WRITE_RETRY_MAX_MS)
      this.#tryAgain()
    })
  }

  #tell(cause: unknown, what: string): void {
    const code = FlogError.is(cause) ? cause.code : 'FLOG_WRITE_FAILED'
    this.#troubles.add(code)
    this.#options.onTrouble(new FlogError(code, `${what}: ${messageOf(cause)}`, { cause }))
  }
}
