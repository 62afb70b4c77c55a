import type { Clock } from '../../base/clock'
import { FlogError, messageOf, systemCode } from '../../base/errors'
import { currentIdentity, ownerTag } from '../../base/identity'
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
import { Areas, type Room } from './areas'
import { BlackBoxGuard } from './guard'
import { encodeArea, encodeHead } from './head'
import { SUPERBLOCK_AT, SUPERBLOCK_BYTES } from './layout'
import { blackBoxPath, blackBoxTemporaryPath } from './name'
import type { RingCopy } from './ring-copy'
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
  /** For all rings; default, and at most, {@link BLACK_BOX_RINGS} of {@link BLACK_BOX_BYTES} together. */
  readonly room?: Room
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
 * Rings of threads that ended stay in the file until others need their room, or it is made anew after their memory was let
 * go: it is as large as the rings of all threads that there were at once, or as it may be, whatever their number in time.
 */
export class BlackBox {
  readonly path: string
  readonly #options: BlackBoxOptions
  readonly #guard: BlackBoxGuard
  readonly #random: Random
  readonly #head: Uint8Array
  readonly #areas: Areas
  readonly #staging = new Int32Array(BLACK_BOX_STAGING_BYTES / 4)
  readonly #superblock = new Uint8Array(SUPERBLOCK_BYTES)
  #file: SpoolFile | undefined
  /** Rings whose areas in this file are described, and clear of any other ring. */
  #described = new WeakSet<RingCopy>()
  /** Rings that the superblock which counts names. */
  #named: readonly RingCopy[] = []
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
    this.#areas = new Areas(options.room ?? { rings: BLACK_BOX_RINGS, bytes: BLACK_BOX_BYTES })
    this.add(options.rings)
  }

  /** Times that the disk refused. */
  get refused(): number {
    return this.#refused
  }

  /** Events that were overwritten in their rings before they could be copied. */
  get overruns(): number {
    return this.#areas.overruns
  }

  /** Rings of another thread. Those that there is no room for are left out, which is a trouble told once. */
  add(rings: readonly RingHandle[]): void {
    for (const handle of rings) if (!this.#areas.add(handle)) this.#tellFull()
  }

  /** All rings of a thread, which writes no more: where room is needed, those of the one that ended longest ago give way. */
  ended(rings: readonly RingHandle[]): void {
    this.#areas.ended(rings)
  }

  /** The memory of these rings is let go by the next `poll()`; until they give way the file alone has them. */
  forget(rings: readonly RingHandle[]): void {
    this.#areas.forget(rings)
  }

  /**
   * Brings the file up to date. Never throws; without news it costs an atomic load a ring.
   * @returns whether there was anything new, also where the disk refused it
   */
  poll(): boolean {
    if (this.#isClosed) return false
    const hasNews = this.#areas.isBehind
    this.#keep(hasNews, this.#options.clock.monotonic())
    // Also where the disk refuses: what it did not take by now is not worth any memory.
    this.#areas.settle((ring) => this.#file !== undefined && this.#described.has(ring))
    return hasNews
  }

  /** Removes the file. Idempotent, never throws. */
  close(): void {
    this.#isClosed = true
    this.#file?.remove()
    this.#file = undefined
  }

  #keep(hasNews: boolean, now: number): void {
    if (now < this.#notBefore || (!hasNews && now < this.#signAt)) return
    try {
      const file = this.#fileInPlace(now)
      if (file !== undefined) this.#recovered(now)
    } catch (error) {
      this.#refuse(error, now)
    }
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
      this.#described = new WeakSet()
      this.#named = []
      this.#areas.startAnew()
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
    const { rings } = this.#areas
    if (rings.some((ring) => !this.#described.has(ring))) this.#describe(file, rings)
    const write = (bytes: Uint8Array, position: number): void => file.write(bytes, position)
    for (const ring of rings) if (ring.isBehind) ring.copy(this.#staging, write)
    this.#sign(file, rings)
  }

  /**
   * Before a superblock names them. What gave way to them must be named by none that counts when the first byte is written
   * over it, and none of it may be left: a frame of another ring could pass for one of the new ring.
   */
  #describe(file: SpoolFile, rings: readonly RingCopy[]): void {
    if (this.#named.some((ring) => !this.#areas.has(ring)))
      this.#sign(
        file,
        rings.filter((ring) => this.#described.has(ring)),
      )
    file.lengthen(this.#areas.end)
    for (const ring of rings) {
      if (this.#described.has(ring)) continue
      file.clear(ring.offset, ring.end)
      file.write(encodeArea(ring.label), ring.offset)
      this.#described.add(ring)
    }
  }

  #sign(file: SpoolFile, rings: readonly RingCopy[]): void {
    const { control, clock } = this.#options
    const generation = this.#generation + 1
    const superblock = {
      generation,
      time: clock.now(),
      published: control.published,
      refused: this.#refused,
      rings: rings.map((ring) => ring.mark),
    }
    const bytes = encodeSuperblock(superblock, this.#superblock)
    file.write(bytes, SUPERBLOCK_AT[generation % 2 === 0 ? 0 : 1])
    // Where it was refused half-way, the next one must not go over the other, which is whole.
    this.#generation = generation
    this.#named = rings
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
    this.#areas.doubt()
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
