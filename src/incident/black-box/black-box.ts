import type { Clock } from '../../base/clock'
import { FlogError, messageOf, systemCode } from '../../base/errors'
import {
  BLACK_BOX_BYTES,
  BLACK_BOX_PLACE_MS,
  BLACK_BOX_RINGS,
  BLACK_BOX_SIGN_MS,
  BLACK_BOX_STAGING_BYTES,
  WRITE_RETRY_MAX_MS,
  WRITE_RETRY_MS,
} from '../../base/limits'
import { type Random, randomHex, systemRandom } from '../../base/random'
import type { ControlBlock } from '../../ring/control'
import type { RingHandle } from '../../ring/layout'
import type { IncidentDirectory } from '../directory'
import type { HeaderOrigin } from '../header'
import { currentIdentity, ownerTag } from '../identity'
import { BlackBoxGuard } from './guard'
import { encodeArea, encodeHead } from './head'
import { AREAS_AT, SUPERBLOCK_AT, SUPERBLOCK_BYTES } from './layout'
import { blackBoxPath, blackBoxTemporaryPath } from './name'
import { RingCopy } from './ring-copy'
import { SpoolFile } from './spool-file'
import { encodeSuperblock } from './superblock'

export interface BlackBoxOptions {
  /** Where the file is kept; made where it is missing. */
  readonly directory: IncidentDirectory
  /** Incident id that was reserved for it. */
  readonly id: string
  /** Microseconds since the epoch. */
  readonly startedAt: number
  readonly origin: HeaderOrigin
  readonly rings: readonly RingHandle[]
  readonly control: ControlBlock
  readonly clock: Clock
  readonly random?: Random
  /** Shared with the thread that sees the process end; default one of its own. */
  readonly guard?: BlackBoxGuard
  /** Told once of what keeps it from writing, and again only when it wrote in between. Must not throw. */
  readonly onTrouble: (error: FlogError) => void
  readonly onRecovered?: () => void
}

/**
 * Keeps a file that holds the rings of a process as they were a moment ago, for the case that the process ends without
 * another word. It runs in another thread than the rings' writers, and costs these nothing.
 *
 * ```
 *   no file ──poll: made, all rings written──> in place ──poll: new words, superblock──> in place
 *      ^  ^                                      │   │
 *      │  └───── removed or moved by somebody ───┘   └── close() ──> closed, file removed
 *      └── the disk refuses: tried again later, then everything anew
 * ```
 */
export class BlackBox {
  readonly path: string
  readonly #options: BlackBoxOptions
  readonly #guard: BlackBoxGuard
  readonly #random: Random
  readonly #head: Uint8Array
  readonly #rings: RingCopy[] = []
  readonly #staging = new Int32Array(BLACK_BOX_STAGING_BYTES / 4)
  readonly #superblock = new Uint8Array(SUPERBLOCK_BYTES)
  #file: SpoolFile | undefined
  /** Areas that are described in the file. */
  #described = 0
  #generation = 0
  #refused = 0
  #isTroubled = false
  #isFull = false
  #isClosed = false
  #retryMs = WRITE_RETRY_MS
  /** On the monotonic clock: not before, not without a superblock after, and when the file's place is looked at. */
  #notBefore = Number.NEGATIVE_INFINITY
  #signAt = Number.NEGATIVE_INFINITY
  #placeAt = Number.NEGATIVE_INFINITY

  /** The file is made by the first `poll()`. @throws FlogError FLOG_OPTION_INVALID for an origin that is too long */
  constructor(options: BlackBoxOptions) {
    const { directory, id, startedAt, origin } = options
    this.path = blackBoxPath(directory.path, startedAt, id)
    this.#options = options
    this.#guard = options.guard ?? new BlackBoxGuard()
    this.#random = options.random ?? systemRandom
    this.#head = encodeHead({ id, startedAt, origin })
    this.add(options.rings)
  }

  /** Times that the disk refused. */
  get refused(): number {
    return this.#refused
  }

  /** Events that were overwritten in their rings before they could be copied. */
  get overruns(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.mark.overruns, 0)
  }

  /** Rings of another thread. Those that there is no room for are left out, which is a trouble told once. */
  add(rings: readonly RingHandle[]): void {
    for (const handle of rings) {
      const ring = new RingCopy(handle, this.#size)
      const hasRoom = this.#rings.length < BLACK_BOX_RINGS && ring.end <= AREAS_AT + BLACK_BOX_BYTES
      if (hasRoom) this.#rings.push(ring)
      else this.#tellFull()
    }
  }

  /**
   * Brings the file up to date. Never throws; without news it costs an atomic load a ring.
   * @returns whether there was anything new, also where the disk refused it
   */
  poll(): boolean {
    if (this.#isClosed) return false
    const now = this.#options.clock.monotonic()
    const hasNews = this.#hasNews()
    if (now < this.#notBefore || (!hasNews && now < this.#signAt)) return hasNews
    try {
      const file = this.#fileInPlace(now)
      if (file !== undefined) this.#recovered(now)
    } catch (error) {
      this.#refuse(error, now)
    }
    return hasNews
  }

  /** Removes the file. Idempotent, never throws. */
  close(): void {
    this.#isClosed = true
    this.#file?.remove()
    this.#file = undefined
  }

  get #size(): number {
    return this.#rings.at(-1)?.end ?? AREAS_AT
  }

  #hasNews(): boolean {
    for (const ring of this.#rings) if (ring.isBehind) return true
    return false
  }

  #fileInPlace(now: number): SpoolFile | undefined {
    if (this.#file !== undefined && now >= this.#placeAt) {
      this.#placeAt = now + BLACK_BOX_PLACE_MS
      if (!this.#file.isInPlace) this.#abandon()
    }
    if (this.#file === undefined) this.#make()
    else this.#update(this.#file)
    return this.#file
  }

  /** A file that is complete before it has its name. None where the process is ending. */
  #make(): void {
    if (!this.#guard.enter()) return
    let file: SpoolFile | undefined
    let isKept = false
    try {
      const { directory, id, startedAt } = this.#options
      const owner = ownerTag(currentIdentity())
      const nonce = randomHex(this.#random, 4)
      const temporary = blackBoxTemporaryPath(directory.path, startedAt, id, owner, nonce)
      file = new SpoolFile(directory, temporary)
      this.#described = 0
      for (const ring of this.#rings) ring.startAnew()
      file.write(this.#head, 0)
      this.#update(file)
      if (!this.#guard.hasEnded) {
        file.moveTo(this.path)
        isKept = true
      }
    } finally {
      const goesOn = this.#guard.leave()
      if (isKept && goesOn) this.#file = file
      else file?.remove()
    }
  }

  #update(file: SpoolFile): void {
    const write = (bytes: Uint8Array, position: number): void => file.write(bytes, position)
    if (this.#described < this.#rings.length) this.#describe(file)
    for (const ring of this.#rings) if (ring.isBehind) ring.copy(this.#staging, write)
    const { control, clock } = this.#options
    const generation = this.#generation + 1
    const superblock = {
      generation,
      time: clock.now(),
      published: control.published,
      refused: this.#refused,
      rings: this.#rings.map((ring) => ring.mark),
    }
    write(encodeSuperblock(superblock, this.#superblock), SUPERBLOCK_AT[generation % 2 === 0 ? 0 : 1])
    // Where it was refused half-way, the next one must not go over the other, which is whole.
    this.#generation = generation
  }

  /** Before a superblock names them. */
  #describe(file: SpoolFile): void {
    file.resize(this.#size)
    for (const ring of this.#rings.slice(this.#described)) file.write(encodeArea(ring.handle), ring.offset)
    this.#described = this.#rings.length
  }

  #abandon(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #recovered(now: number): void {
    this.#signAt = now + BLACK_BOX_SIGN_MS
    this.#retryMs = WRITE_RETRY_MS
    if (!this.#isTroubled) return
    this.#isTroubled = false
    this.#options.onRecovered?.()
  }

  /** A file that is only too long for the disk is kept, as a second one would not fit either; any other is left behind. */
  #refuse(cause: unknown, now: number): void {
    this.#refused++
    this.#notBefore = now + this.#retryMs
    this.#retryMs = Math.min(this.#retryMs * 2, WRITE_RETRY_MAX_MS)
    for (const ring of this.#rings) ring.startAnew()
    if (!NO_ROOM.has(systemCode(cause) ?? '')) this.#abandon()
    if (this.#isTroubled) return
    this.#isTroubled = true
    const message = `the black box ${this.path} cannot be written (${messageOf(cause)}); it is tried again`
    this.#options.onTrouble(
      new FlogError('FLOG_BLACK_BOX_REFUSED', message, { cause, details: { path: this.path } }),
    )
  }

  #tellFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    const message = `the black box ${this.path} has no room for all rings (at most ${BLACK_BOX_RINGS}, of ${BLACK_BOX_BYTES} bytes together); what the others hold does not survive a crash`
    this.#options.onTrouble(
      new FlogError('FLOG_BLACK_BOX_REFUSED', message, { details: { path: this.path } }),
    )
  }
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
