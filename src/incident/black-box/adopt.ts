import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock'
import { FlogError, systemCode } from '../../base/errors'
import { type Liveness, livenessOf, livenessOfTag, ownerTag } from '../../base/identity'
import type { ProcessIdentity } from '../../base/process-identity'
import type { Random } from '../../base/random'
import type { IncidentDirectory } from '../directory'
import { blackBoxFiles } from '../entries'
import { openRegular, unlinkIfThere } from '../files'
import type { FinishedIncident } from '../finish'
import type { Standstill } from '../standstill'
import { type BlackBoxName, blackBoxClaimPath } from './name'
import { readBlackBoxState } from './read'
import { type ProcessExit, recoverBlackBox } from './recover'

export interface BlackBoxAdopterOptions {
  /** Where the incidents go, and where black boxes usually are. */
  readonly directory: IncidentDirectory
  /** Where else to look for black boxes. */
  readonly blackBoxDirectory: string | undefined
  readonly clock: Clock
  readonly random?: Random
  readonly self: ProcessIdentity
  readonly standstill: Standstill
  readonly exitOf: ((process: ProcessIdentity) => ProcessExit | undefined) | undefined
}

/** What a look at the black boxes adds to. */
export interface BlackBoxReport {
  readonly adopted: FinishedIncident[]
  readonly removed: string[]
  readonly waiting: { readonly path: string; readonly remainingMs: number }[]
}

interface Owner {
  readonly liveness: Liveness
  /** Changes as long as it lives. */
  readonly sign?: string
}

/**
 * Makes incidents of the black boxes of dead processes. Those of living ones are not touched.
 *
 * ```
 *               owner dead: rename, one winner          incident finished
 *   black box ──────────────────────────────> claim ───────────────────────> claim removed
 *       ^                                      │  ^
 *       └────── nothing can be made of it ─────┘  └── the claimant died: claimed again by the next one
 * ```
 * Whether a process of another boot or container lives is told by the number of its superblock, which rises every few
 * seconds. A black box whose incident is there already, and an empty file, which tells nothing of anybody, are removed.
 * One that is damaged, or of a newer version, stays where it is.
 */
export class BlackBoxAdopter {
  readonly #options: BlackBoxAdopterOptions
  readonly #places: readonly string[]

  constructor(options: BlackBoxAdopterOptions) {
    const { directory, blackBoxDirectory = directory.path } = options
    this.#options = options
    this.#places = [...new Set([directory.path, blackBoxDirectory])]
  }

  /**
   * Looks once at every black box.
   * @param leaveAlone told of those that nothing can be made of
   * @returns the paths of all files that were there
   * @throws FlogError FLOG_DIRECTORY_UNUSABLE, FLOG_ABORTED
   */
  async sweep(
    report: BlackBoxReport,
    leaveAlone: (path: string, error: unknown) => void,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const paths: string[] = []
    for (const place of this.#places) {
      for (const file of await blackBoxFiles(place)) {
        if (isAborted(signal)) throw aborted()
        const path = join(place, file.name)
        paths.push(path)
        try {
          await this.#lookAt(place, file, report, signal)
        } catch (error) {
          if (isAborted(signal)) throw aborted(error)
          leaveAlone(path, error)
        }
      }
    }
    return paths
  }

  async #lookAt(
    place: string,
    file: BlackBoxName,
    report: BlackBoxReport,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const path = join(place, file.name)
    const isEmpty = await hasNothing(path)
    const owner: Owner = isEmpty ? { liveness: 'unknown' } : await this.#ownerOf(file, path)
    if (!(await this.#isOrphan(path, owner, report))) return
    if (isEmpty || file.kind === 'temporary') {
      if (await unlinkIfThere(path)) report.removed.push(path)
      return
    }
    const claim = blackBoxClaimPath(place, file, ownerTag(this.#options.self))
    if (!(await renamed(path, claim))) return
    const finished = await this.#recover(claim, join(place, file.plainName), signal)
    await unlinkIfThere(claim)
    if (finished === undefined) report.removed.push(path)
    else report.adopted.push(finished)
  }

  async #ownerOf(file: BlackBoxName, path: string): Promise<Owner> {
    const { self } = this.#options
    if (file.kind !== 'black box') return { liveness: livenessOfTag(file.owner ?? '', { self }) }
    const { header, superblock } = await readBlackBoxState(path)
    const liveness = livenessOf(header.origin.process, { self })
    return { liveness, sign: `superblock ${superblock?.generation ?? 0}` }
  }

  async #isOrphan(path: string, { liveness, sign }: Owner, report: BlackBoxReport): Promise<boolean> {
    if (liveness !== 'unknown') return liveness === 'dead'
    const remainingMs = await this.#options.standstill.remainingMs(path, sign)
    if (remainingMs > 0 && Number.isFinite(remainingMs)) report.waiting.push({ path, remainingMs })
    return remainingMs <= 0
  }

  async #recover(
    claim: string,
    original: string,
    signal: AbortSignal | undefined,
  ): Promise<FinishedIncident | undefined> {
    const { directory, clock, random, self, exitOf } = this.#options
    try {
      return await recoverBlackBox(claim, {
        ...{ directory, clock, self, exitOf },
        ...(random !== undefined && { random }),
        ...(signal !== undefined && { signal }),
      })
    } catch (error) {
      await rename(claim, original).catch(() => {})
      throw error
    }
  }
}

async function hasNothing(path: string): Promise<boolean> {
  const file = await openRegular(path)
  try {
    return (await file.stat()).size === 0
  } finally {
    await file.close()
  }
}

/** @returns false where another process was quicker */
async function renamed(path: string, claim: string): Promise<boolean> {
  try {
    await rename(path, claim)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function aborted(cause?: unknown): FlogError {
  return FlogError.is(cause, 'FLOG_ABORTED')
    ? cause
    : new FlogError('FLOG_ABORTED', 'adopting black boxes was cancelled', { cause })
}
