import { FlogError } from '../base/errors'
import { type Damage, sum } from './damage'
import type { Engine, ReadLimits, SalvageBudget } from './engine'
import { describeForeign } from './foreign'
import { FORMAT_MAJOR, FORMAT_MINOR } from './header'
import type { Input, More } from './input'
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  blockCrc,
  findSync,
  isSync,
  readBlockHead,
  SYNC_BYTES,
} from './layout'
import { MAGIC_BYTES, type MagicLine, startsLikeMagicLine } from './magic'
import { readOpening, syncOfBlock } from './opening'
import { isAllZero, repairedHead } from './salvage'

/** A whole block whose checksum fits. `payload` is a view that lasts until the reader goes on. */
export interface Block {
  readonly kind: 'block'
  readonly head: BlockHead
  readonly payload: Uint8Array
  /** Position of the block in the plain file. */
  readonly offset: number
}

export type BlockPart = Block | { readonly kind: 'damage'; readonly damage: Damage }
type Run<T> = Generator<More | BlockPart, T>

/**
 * Finds the blocks of a plain incident file, and its damages.
 *
 * ```
 *            magic line, header block
 *                     │ sync marker known
 *                     ▼
 *   ┌────────────▶ in front: a block whose head and CRC fit ── yes ──▶ give it out ──┐
 *   │                 │ no                                                            │
 *   │                 ▼                                                               │
 *   │   next sync marker found: what lies before it is restored, or lost              │
 *   └─────────────────┴───────────────────────────────────────────────────────────────┘
 * ```
 * What is lost gathers until a whole block or the end follows, and is told then, as one damage.
 */
export class BlockReader {
  readonly #input: Input
  readonly #engine: Engine
  readonly #limits: ReadLimits
  readonly #budget: SalvageBudget
  #sync: Uint8Array | undefined
  #magic: MagicLine | undefined
  /** The front of the input is where a block ended. */
  #atBoundary = true
  #lost: Damage | undefined
  #gap: Damage | undefined
  #wholeBytes = 0

  constructor(input: Input, engine: Engine, limits: ReadLimits, budget: SalvageBudget) {
    this.#input = input
    this.#engine = engine
    this.#limits = limits
    this.#budget = budget
  }

  get sync(): Uint8Array | undefined {
    return this.#sync
  }

  /** What the magic line says, where it can be read. */
  get magic(): MagicLine | undefined {
    return this.#magic
  }

  /** Position after the last whole block. */
  get wholeBytes(): number {
    return this.#wholeBytes
  }

  /** The bytes given so far are not followed by those that come next; what is missing is `damage`. */
  breakOff(damage: Damage): void {
    this.#gap = damage
    this.#input.end()
  }

  /**
   * @throws FlogError FLOG_FILE_NOT_INCIDENT where the bytes do not begin like an incident file, FLOG_FILE_NEWER for a
   * major version to come
   */
  *run(): Run<void> {
    if (yield* this.#opening()) {
      while (yield* this.#step());
    }
    yield* this.#settle()
  }

  /** Magic line and sync marker. @returns false where no block can be found */
  *#opening(): Run<boolean> {
    const input = this.#input
    const start = yield* readOpening(input, this.#engine.crc32, this.#limits)
    // What a broken stretch starts with is not to be believed, unless the header block bears it out.
    const isBelievable = this.#gap === undefined || start.isHeaderWhole
    if (start.sync === undefined || !isBelievable) return yield* this.#withoutStart()
    if (!start.isHeaderWhole && start.magic !== undefined) refuseNewer(start.magic)
    this.#magic = start.magic
    this.#sync = start.sync
    if (this.#gap === undefined && !start.isMagicIntact) {
      this.#lose(MAGIC_BYTES, 'corrupt', 'the magic line is damaged', 0)
      yield* this.#settle()
    }
    input.consume(MAGIC_BYTES)
    this.#wholeBytes = MAGIC_BYTES
    return true
  }

  /** Neither magic line nor header: cut, damaged beyond use, or something else altogether. */
  *#withoutStart(): Run<boolean> {
    const input = this.#input
    const bytes = input.view()
    if (this.#gap !== undefined) return yield* this.#afterLostStart()
    if (!startsLikeMagicLine(bytes)) {
      throw new FlogError('FLOG_FILE_NOT_INCIDENT', `not an incident file: ${describeForeign(bytes)}`)
    }
    if (input.ended && input.length < MAGIC_BYTES) {
      this.#loseAll('truncated', 'the file ends inside the magic line')
    } else {
      yield* this.#dropStretch('neither magic line nor header tells the mark by which blocks are found')
    }
    return false
  }

  /**
   * The start of a compressed file is lost. Members, which come one by one, mostly start with a block; the marker of one
   * whose checksum fits is the file's.
   */
  *#afterLostStart(): Run<boolean> {
    const input = this.#input
    for (;;) {
      if (this.#gap !== undefined) this.#absorbGap()
      if (yield* input.need(1)) {
        this.#sync = yield* syncOfBlock(input, this.#engine.crc32, this.#limits)
        if (this.#sync !== undefined) return true
        this.#loseAll('corrupt', 'the start is lost, and with it the mark by which blocks are found')
      } else if (this.#gap === undefined) return false
    }
  }

  /** One block, or one thing that is none. @returns false at the end */
  *#step(): Run<boolean> {
    const input = this.#input
    if (this.#budget.spent) {
      yield* this.#dropStretch('too much damage to search any further')
    } else if (yield* input.need(BLOCK_HEAD_BYTES)) {
      const head = this.#headInFront()
      if (head === undefined) return yield* this.#search(undefined)
      if (!(yield* input.need(BLOCK_HEAD_BYTES + head.length))) return yield* this.#cutOff(head)
      if (blockCrc(this.#engine.crc32, input.view(), 0, head.length) === head.crc)
        return yield* this.#give(head)
      this.#budget.charge(head.length)
      return yield* this.#search(head)
    }
    return this.#atEndOfStretch()
  }

  #headInFront(): BlockHead | undefined {
    const bytes = this.#input.view(BLOCK_HEAD_BYTES)
    if (this.#sync === undefined || !isSync(bytes, 0, this.#sync)) return undefined
    const head = readBlockHead(bytes, 0)
    return head.length % 4 === 0 && head.length <= this.#limits.maxBlockBytes ? head : undefined
  }

  *#give(head: BlockHead): Run<boolean> {
    yield* this.#settle()
    const input = this.#input
    const end = BLOCK_HEAD_BYTES + head.length
    yield { kind: 'block', head, payload: input.view(end).subarray(BLOCK_HEAD_BYTES), offset: input.offset }
    input.consume(end)
    this.#atBoundary = true
    this.#wholeBytes = input.offset
    return true
  }

  /** Fewer bytes are left than any block has. */
  #atEndOfStretch(): boolean {
    const input = this.#input
    if (this.#gap !== undefined) {
      this.#absorbGap()
      return true
    }
    if (input.length > 0) {
      const rest = input.view()
      const cut = this.#isStartOfBlock(rest) || isAllZero(rest)
      this.#loseAll(
        cut ? 'truncated' : 'corrupt',
        cut ? 'the file ends inside a block' : 'bytes that are no block',
      )
    }
    return false
  }

  #isStartOfBlock(bytes: Uint8Array): boolean {
    return bytes.subarray(0, SYNC_BYTES).every((byte, i) => byte === this.#sync?.[i])
  }

  /** The input ends before the block in front does, by what its head says. */
  *#cutOff(head: BlockHead): Run<boolean> {
    const input = this.#input
    const bytes = input.view()
    const sync = this.#sync
    if (
      sync !== undefined &&
      (findSync(bytes, sync, 1) !== -1 || this.#repaired(bytes.length) !== undefined)
    ) {
      return yield* this.#search(undefined)
    }
    const missing = BLOCK_HEAD_BYTES + head.length - bytes.length
    this.#loseAll('truncated', `the file ends inside a block, ${missing} bytes too early`)
    return true
  }

  /** The front is no whole block: goes on to the next sync marker, or to the end. */
  *#search(head: BlockHead | undefined): Run<boolean> {
    const input = this.#input
    const sync = this.#sync
    if (sync === undefined) return false
    let from = 1
    for (;;) {
      const at = findSync(input.view(), sync, from)
      if (at !== -1) return yield* this.#skipTo(at, head)
      if (input.ended) return yield* this.#skipTo(input.length, head)
      if (input.length > BLOCK_HEAD_BYTES + this.#limits.maxBlockBytes)
        this.#loseSome(input.length - SYNC_BYTES)
      from = Math.max(1, input.length - SYNC_BYTES + 1)
      yield* input.need(input.length + 1)
    }
  }

  /** What lies before `at` is one block whose frame is damaged, or it is lost. */
  *#skipTo(at: number, head: BlockHead | undefined): Run<boolean> {
    const restored = this.#repaired(at)
    if (restored !== undefined) {
      this.#lose(at, 'corrupt', 'the frame of a block was damaged and could be restored', 0)
      return yield* this.#give(restored)
    }
    const isWholeBlock = head !== undefined && BLOCK_HEAD_BYTES + head.length === at
    const zeros = at === this.#input.length && isAllZero(this.#input.view())
    if (zeros) this.#loseAll('truncated', 'the end of the file was never written: it is zeros')
    else {
      const message = isWholeBlock ? 'a block does not match its checksum' : 'bytes that are no whole block'
      this.#lose(at, 'corrupt', message, isWholeBlock ? head.events : undefined)
      this.#input.consume(at)
    }
    this.#atBoundary = true
    return true
  }

  #repaired(length: number): BlockHead | undefined {
    if (!this.#atBoundary || this.#sync === undefined) return undefined
    if (length < BLOCK_HEAD_BYTES || length > BLOCK_HEAD_BYTES + this.#limits.maxBlockBytes) return undefined
    return repairedHead(this.#input.view(length), this.#sync, this.#engine.crc32)
  }

  #loseSome(bytes: number): void {
    this.#lose(bytes, 'corrupt', 'bytes that are no block', undefined)
    this.#input.consume(bytes)
    this.#atBoundary = false
  }

  #loseAll(what: Damage['what'], message: string): void {
    this.#lose(this.#input.length, what, message, undefined)
    this.#input.consume(this.#input.length)
  }

  *#dropStretch(message: string): Run<void> {
    const input = this.#input
    do {
      this.#loseAll('corrupt', message)
    } while (yield* input.need(1))
  }

  #lose(bytes: number, what: Damage['what'], message: string, eventsLost: number | undefined): void {
    const before = this.#lost ?? {
      what,
      layer: 'plain',
      offset: this.#input.offset,
      bytes: 0,
      message,
      eventsLost: 0,
    }
    if (before.layer === 'gzip') return
    const events = sum(before.eventsLost, eventsLost)
    const { eventsLost: _, ...rest } = before
    this.#lost = {
      ...rest,
      what: before.what === 'corrupt' ? 'corrupt' : what,
      bytes: before.bytes + bytes,
      ...(events !== undefined && { eventsLost: events }),
    }
  }

  /** What is missing between two stretches is told as what it is, not as what it made of the blocks around it. */
  #absorbGap(): void {
    this.#lost = this.#gap
    this.#gap = undefined
    this.#input.consume(this.#input.length)
    this.#input.resume()
    this.#atBoundary = false
  }

  *#settle(): Run<void> {
    if (this.#lost === undefined) return
    yield { kind: 'damage', damage: this.#lost }
    this.#lost = undefined
  }
}

/** @throws FlogError FLOG_FILE_NEWER where the magic line names a major version to come */
function refuseNewer({ version }: MagicLine): void {
  if (version.major > FORMAT_MAJOR) throw newerFile(`${version.major}.${version.minor}`)
}

/**
 * The error for a file that has to be read by a later version.
 * @param and what else is in the way
 */
export function newerFile(format: string, and = ''): FlogError {
  const knows = `${FORMAT_MAJOR}.${FORMAT_MINOR}`
  const message = `the file has format ${format}${and}; this version of flight-log knows ${knows}: update it`
  return new FlogError('FLOG_FILE_NEWER', message, { details: { format, knows } })
}
