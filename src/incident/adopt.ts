import { lstat, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { currentIdentity, type Liveness, livenessOf, livenessOfTag, ownerTag } from '../base/identity'
import { ADOPT_STILL_MS } from '../base/limits'
import type { ProcessIdentity } from '../base/process-identity'
import { type Random, systemRandom } from '../base/random'
import { BlackBoxAdopter } from './black-box/adopt'
import type { ProcessExit } from './black-box/recover'
import type { IncidentDirectory } from './directory'
import { unlinkIfThere } from './files'
import { type FinishedIncident, finishIncident } from './finish'
import { claimPath, type IncidentFileName, parseIncidentId, plainPath } from './name'
import { readIncidentFile } from './reader'
import { Standstill } from './standstill'

/**
 * Finishes what dead processes left in a directory: their black boxes first (`black-box/adopt.ts`), then incidents.
 *
 * ```
 *              owner dead: rename, one winner            finish               fsync, then
 *   plain file ───────────────────────────────> claim ───────────> .gz file ─────────────> claim removed
 *       ^                                        │  ^
 *       └──────── it cannot be finished now ─────┘  └── the claimant died: claimed again by the next one
 * ```
 * A plain file of no bytes, left between its creation and its first write or by a full disk, names no process. It is removed
 * when it is a minute old: nothing is lost by it, since a writer that does live brings back a file that was removed.
 */
export interface AdoptOptions {
  readonly clock: Clock
  readonly random?: Random
  /** On whose behalf; default this process. */
  readonly self?: ProcessIdentity
  /** Of this process, which knows of its own files, also of those that have no header yet. */
  readonly incarnation?: string
  /** How long a file of an unknown process has to stand still; default 60 s. */
  readonly stillMs?: number
  /** Where black boxes are kept, beside those in the incident directory itself. */
  readonly blackBoxDirectory?: string
  /** How a process ended, where the caller was told; goes into the incident that is made of its black box. */
  readonly exitOf?: (process: ProcessIdentity) => ProcessExit | undefined
}

/** What one look at a directory did. */
export interface AdoptionReport {
  /** Finished now. */
  readonly adopted: readonly FinishedIncident[]
  /** Leftovers of dead processes that were removed: half-written files of no use, and files of no bytes. */
  readonly removed: readonly string[]
  /** Files whose process cannot be told alive from dead; they are adopted once they have stood still long enough. */
  readonly waiting: readonly WaitingFile[]
  /** Files that cannot be adopted, with the reason. Each is told once for each reason by one adopter. */
  readonly leftAlone: readonly { readonly path: string; readonly error: FlogError }[]
}

export interface WaitingFile {
  readonly path: string
  /** Milliseconds until it may be adopted, if it goes on standing still. */
  readonly remainingMs: number
}

/** Who a file belongs to, as far as that can be told. */
interface Owner {
  readonly liveness: Liveness
  /** Of a file of no bytes: milliseconds for which it has been so, by the clock of its file system. */
  readonly emptyForMs?: number
}

/** An {@link AdoptionReport} as it grows. */
interface Report {
  readonly adopted: FinishedIncident[]
  readonly removed: string[]
  readonly waiting: WaitingFile[]
  readonly leftAlone: { readonly path: string; readonly error: FlogError }[]
}

/** Looks at a directory once; see {@link Adopter}. */
export async function adoptOrphans(
  directory: IncidentDirectory,
  options: AdoptOptions,
  signal?: AbortSignal,
): Promise<AdoptionReport> {
  return new Adopter(directory, options).sweep(signal)
}

/**
 * Adopts again and again. It remembers what it saw: a file of another boot or container, whose process nobody here can
 * ask for, is adopted when several looks over 60 s found it unchanged. Its clock is the observer's own, monotonic one;
 * how old the file says it is plays no part.
 *
 * It does not apply the directory's quota: who only recovers may not know it.
 */
export class Adopter {
  readonly #directory: IncidentDirectory
  readonly #clock: Clock
  readonly #random: Random
  readonly #self: ProcessIdentity
  readonly #incarnation: string | undefined
  readonly #stillMs: number
  readonly #standstill: Standstill
  readonly #blackBoxes: BlackBoxAdopter
  readonly #told = new Set<string>()

  constructor(directory: IncidentDirectory, options: AdoptOptions) {
    this.#directory = directory
    this.#clock = options.clock
    this.#random = options.random ?? systemRandom
    this.#self = options.self ?? currentIdentity()
    this.#incarnation = options.incarnation
    this.#stillMs = options.stillMs ?? ADOPT_STILL_MS
    this.#standstill = new Standstill(this.#clock, this.#stillMs)
    const { random, clock, blackBoxDirectory, exitOf } = options
    this.#blackBoxes = new BlackBoxAdopter({
      ...{ directory, clock, blackBoxDirectory, exitOf },
      ...(random !== undefined && { random }),
      self: this.#self,
      standstill: this.#standstill,
    })
  }

  /**
   * Looks once at every file and adopts what is orphaned.
   * @throws FlogError FLOG_DIRECTORY_UNUSABLE where the directory cannot be read, FLOG_ABORTED
   */
  async sweep(signal?: AbortSignal): Promise<AdoptionReport> {
    const report: Report = { adopted: [], removed: [], waiting: [], leftAlone: [] }
    const blackBoxes = await this.#blackBoxes.sweep(
      report,
      (path, error) => {
        this.#leaveAlone(path, error, report)
      },
      signal,
    )
    const files = await this.#directory.files()
    this.#forgetAllBut(new Set([...blackBoxes, ...files.map((file) => this.#pathOf(file))]))
    for (const file of files) {
      if (signal?.aborted === true) throw new FlogError('FLOG_ABORTED', 'adopting incidents was cancelled')
      if (file.kind === 'gzip') continue
      try {
        await this.#lookAt(file, report, signal)
      } catch (error) {
        if (FlogError.is(error, 'FLOG_ABORTED')) throw error
        this.#leaveAlone(this.#pathOf(file), error, report)
      }
    }
    return report
  }

  /** Sweeps until no file is waiting any more: up to a minute where the directory comes from another machine. */
  async settle(signal?: AbortSignal): Promise<AdoptionReport> {
    const report: Report = { adopted: [], removed: [], waiting: [], leftAlone: [] }
    for (;;) {
      const { adopted, removed, leftAlone, waiting } = await this.sweep(signal)
      report.adopted.push(...adopted)
      report.removed.push(...removed)
      report.leftAlone.push(...leftAlone)
      if (waiting.length === 0) return report
      await this.#sleep(Math.max(...waiting.map(({ remainingMs }) => remainingMs)) / 4 + 10, signal)
    }
  }

  async #lookAt(file: IncidentFileName, report: Report, signal: AbortSignal | undefined): Promise<void> {
    const path = this.#pathOf(file)
    const owner = await this.#ownerOf(file, path)
    if (!(await this.#isOrphan(path, owner, report))) return
    if (file.kind === 'temporary' || (await isEmpty(path))) {
      if (await unlinkIfThere(path)) report.removed.push(path)
      return
    }
    // It was empty a moment ago: its process lives after all.
    if (owner.emptyForMs !== undefined) return
    const claim = await this.#claim(path)
    if (claim !== undefined) report.adopted.push(await this.#finish(claim, signal))
  }

  async #ownerOf(file: IncidentFileName, path: string): Promise<Owner> {
    if (file.kind !== 'plain') return { liveness: livenessOfTag(file.owner ?? '', { self: this.#self }) }
    try {
      const { size, mtimeMs } = await lstat(path)
      if (size === 0) return this.#ownerOfEmpty(file, mtimeMs)
      return { liveness: livenessOf(await processOf(path), { self: this.#self }) }
    } catch (error) {
      if (isMissing(error)) return { liveness: 'alive' }
      throw error
    }
  }

  #ownerOfEmpty({ id }: IncidentFileName, mtimeMs: number): Owner {
    const incarnation = parseIncidentId(id)?.incarnation
    if (incarnation !== undefined && incarnation === this.#incarnation) return { liveness: 'alive' }
    return { liveness: 'unknown', emptyForMs: this.#clock.now() / 1000 - mtimeMs }
  }

  async #isOrphan(path: string, { liveness, emptyForMs = 0 }: Owner, report: Report): Promise<boolean> {
    if (liveness !== 'unknown') return liveness === 'dead'
    const seenMs = await this.#standstill.remainingMs(path)
    const remainingMs = Number.isFinite(seenMs) ? Math.min(seenMs, this.#stillMs - emptyForMs) : seenMs
    if (remainingMs > 0 && Number.isFinite(remainingMs)) report.waiting.push({ path, remainingMs })
    return remainingMs <= 0
  }

  /** @returns undefined where another process was quicker */
  async #claim(path: string): Promise<string | undefined> {
    const claim = claimPath(path, ownerTag(this.#self))
    try {
      await rename(path, claim)
      return claim
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async #finish(claim: string, signal: AbortSignal | undefined): Promise<FinishedIncident> {
    try {
      return await finishIncident(claim, {
        clock: this.#clock,
        random: this.#random,
        fileMode: this.#directory.fileMode,
        ...(signal !== undefined && { signal }),
      })
    } catch (error) {
      await rename(claim, plainPath(claim)).catch(() => {})
      throw error
    }
  }

  #leaveAlone(path: string, error: unknown, report: Report): void {
    const reason = FlogError.is(error) ? error : cannotAdopt(path, error)
    const key = `${reason.code} ${path}`
    if (this.#told.has(key) || isMissing(error)) return
    this.#told.add(key)
    report.leftAlone.push({ path, error: reason })
  }

  #pathOf(file: IncidentFileName): string {
    return join(this.#directory.path, file.name)
  }

  #forgetAllBut(paths: ReadonlySet<string>): void {
    this.#standstill.forgetAllBut(paths)
    for (const key of this.#told) if (!paths.has(key.slice(key.indexOf(' ') + 1))) this.#told.delete(key)
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, done, { keepAlive: true })
      function done(): void {
        timer.cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}

/** Who wrote a plain file, from its header. */
async function processOf(path: string): Promise<ProcessIdentity> {
  for await (const part of readIncidentFile(path, { events: 'count' })) {
    if (part.kind === 'header') return part.header.process
  }
  throw new FlogError(
    'FLOG_FILE_CORRUPT',
    `the header of ${path} cannot be read, nobody can tell whose it is`,
  )
}

/** False where it is gone. */
async function isEmpty(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).size === 0
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return FlogError.is(error, 'FLOG_FILE_MISSING') || systemCode(error) === 'ENOENT'
}

function cannotAdopt(path: string, cause: unknown): FlogError {
  const message = `what a dead process left in ${path} cannot be finished: ${messageOf(cause)}`
  return new FlogError('FLOG_WRITE_FAILED', message, { cause, details: { path } })
}
