import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES, READ_MEMBER_BYTES, READ_PLAIN_BYTES, SALVAGE_BYTES } from '../base/limits'
import { type BlockPart, BlockReader } from './blocks'
import type { Damage, Verdict } from './damage'
import { type Engine, type ReadLimits, SalvageBudget } from './engine'
import type { IncidentHeader, IncidentTrailer } from './header'
import { Input, MORE, type More } from './input'
import type { BlockMeta } from './layout'
import { MEMBER_MARK_BYTES, startsLikeMember } from './member'
import { MemberReader } from './members'
import { PartMaker, type RecordedEvent } from './parts'

/** What a file consists of, in the order of the file. The verdict is always the last. */
export type IncidentPart =
  | { readonly kind: 'header'; readonly header: IncidentHeader }
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[] }
  | { readonly kind: 'trailer'; readonly trailer: IncidentTrailer }
  /** A block that this version does not know and may pass over. Only where {@link ParserOptions.raw} asks for it. */
  | { readonly kind: 'unknown'; readonly head: BlockMeta; readonly payload: Uint8Array }
  | { readonly kind: 'damage'; readonly damage: Damage }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }

export interface ParserOptions extends Partial<ReadLimits> {
  /**
   * `decode` (default): events are given out. `count`: they are only counted, by what the heads of whole blocks say, which
   * takes a tenth of the time.
   */
  readonly events?: 'decode' | 'count'
  /** For those who write a file anew: events come with their bytes, and blocks of unknown types are given out too. */
  readonly raw?: boolean
  /** Sees the plain bytes as they come, damaged ones left out; for checksums. The view lasts for the call. */
  readonly onPlain?: (bytes: Uint8Array) => void
}

/** Bytes that are taken in at once, however many are given. */
const SLICE_BYTES = 256 * 1024
type BlockRun = Generator<More | BlockPart, void>

const LIMITS: ReadLimits = {
  maxBlockBytes: READ_BLOCK_BYTES,
  maxMemberBytes: READ_MEMBER_BYTES,
  maxPlainBytes: READ_PLAIN_BYTES,
  salvageBytes: SALVAGE_BYTES,
}

/**
 * Reads an incident file, plain or compressed, that comes in pieces of any size. Holds one block and one gzip member at
 * most. Knows no files and no Node, so it runs in a browser too.
 *
 * ```
 *   push(bytes) ─▶ members ─▶ blocks ─▶ parts
 *                 (gzip only)
 * ```
 * Every call gives a generator, which has to be run to its end before the next call.
 */
export class IncidentParser {
  readonly #file = new Input()
  readonly #engine: Engine
  readonly #limits: ReadLimits
  readonly #options: ParserOptions
  readonly #budget: SalvageBudget
  readonly #parts: Generator<More | IncidentPart, void>
  #plainBytes = 0
  #sourceDamage: Damage | undefined
  #blocks: BlockReader | undefined

  constructor(engine: Engine, options: ParserOptions = {}) {
    this.#engine = engine
    this.#options = options
    this.#limits = { ...LIMITS, ...options }
    this.#budget = new SalvageBudget(this.#limits.salvageBytes)
    this.#parts = this.#read()
  }

  /**
   * @throws FlogError FLOG_FILE_NOT_INCIDENT, FLOG_FILE_NEWER, FLOG_FILE_TOO_LARGE; nothing else, whatever the bytes are
   */
  *push(bytes: Uint8Array): Generator<IncidentPart, void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      this.#file.append(bytes.subarray(at, at + SLICE_BYTES))
      yield* this.#run()
    }
  }

  /**
   * No more bytes come. The last part is the verdict. Throws like {@link push}.
   * @param damage what is known to be wrong with the source, and cannot be seen in its bytes
   */
  *end(damage?: Damage): Generator<IncidentPart, void> {
    this.#sourceDamage = damage
    this.#file.end()
    yield* this.#run()
  }

  /** The file's sync marker, as soon as it is known. */
  get sync(): Uint8Array | undefined {
    return this.#blocks?.sync
  }

  *#run(): Generator<IncidentPart, void> {
    for (;;) {
      const step = this.#parts.next()
      if (step.done === true || step.value === MORE) return
      yield step.value
    }
  }

  *#read(): Generator<More | IncidentPart, void> {
    yield* this.#file.need(MEMBER_MARK_BYTES)
    if (startsLikeMember(this.#file.view())) yield* this.#readGzip()
    else yield* this.#readPlain()
  }

  *#readPlain(): Generator<More | IncidentPart, void> {
    const file = this.#file
    const { plain, maker, run } = this.#plainReader()
    while (yield* file.need(1)) {
      const bytes = file.view()
      this.#tap(bytes)
      plain.append(bytes)
      file.consume(bytes.length)
      yield* drain(run, maker)
    }
    yield* this.#finish(plain, run, maker)
  }

  *#readGzip(): Generator<More | IncidentPart, void> {
    const { plain, blocks, maker, run } = this.#plainReader()
    for (const step of new MemberReader(this.#file, this.#engine, this.#limits, this.#budget).run()) {
      if (step === MORE) yield MORE
      else if (step.kind === 'damage') yield maker.damage(step.damage)
      else {
        this.#tap(step.bytes)
        plain.append(step.bytes)
        if (step.kind === 'break') blocks.breakOff(step.damage)
        yield* drain(run, maker)
      }
    }
    yield* this.#finish(plain, run, maker)
  }

  #plainReader() {
    const plain = new Input()
    const blocks = new BlockReader(plain, this.#engine, this.#limits, this.#budget)
    this.#blocks = blocks
    return {
      plain,
      blocks,
      maker: new PartMaker(blocks, {
        mode: this.#options.events ?? 'decode',
        raw: this.#options.raw ?? false,
      }),
      run: blocks.run(),
    }
  }

  *#finish(plain: Input, run: BlockRun, maker: PartMaker): Generator<IncidentPart, void> {
    plain.end()
    yield* drain(run, maker)
    if (this.#sourceDamage !== undefined) yield maker.damage(this.#sourceDamage)
    yield* maker.end(plain.offset)
  }

  #tap(bytes: Uint8Array): void {
    this.#plainBytes += bytes.length
    const limit = this.#limits.maxPlainBytes
    if (this.#plainBytes > limit) {
      const message = `the file holds more than ${limit} plain bytes; raise maxPlainBytes to read on`
      throw new FlogError('FLOG_FILE_TOO_LARGE', message, { details: { limit } })
    }
    this.#options.onPlain?.(bytes)
  }
}

/** Takes in all blocks that are complete. */
function* drain(run: BlockRun, maker: PartMaker): Generator<IncidentPart, void> {
  for (;;) {
    const step = run.next()
    if (step.done === true || step.value === MORE) return
    if (step.value.kind === 'damage') yield maker.damage(step.value.damage)
    else yield* maker.block(step.value)
  }
}
