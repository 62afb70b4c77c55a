import { BLOCK_BYTES, READ_BLOCK_BYTES } from '../base/limits'
import { Input, MORE, type More } from './input'
import { BLOCK_HEAD_BYTES, BlockType, findSync, isSync, readBlockHead } from './layout'
import { MAGIC_BYTES, parseMagicLine } from './magic'

/** Plain bytes that become one gzip member. */
export interface PlannedMember {
  /** Lasts until the planner goes on. */
  readonly plain: Uint8Array
  /** It is the trailer block; its offset in the compressed file goes into the last member. */
  readonly isTrailer: boolean
}

/**
 * Says where a plain file is cut into gzip members: magic line and header first, the trailer last, whole blocks in between
 * as many as fit. A block that is larger than a member is cut into several; so is whatever is no block, byte by byte as it
 * stands.
 *
 * Take everything that `push` and `end` give before the next call.
 */
export class MemberPlanner {
  /** Most plain bytes of one member. May be changed at any time, where shorter slices of work are wanted. */
  memberBytes: number
  readonly #input = new Input(2 * BLOCK_BYTES)
  readonly #plan = this.#members()
  #sync: Uint8Array | undefined

  constructor(memberBytes: number = BLOCK_BYTES) {
    this.memberBytes = memberBytes
  }

  *push(bytes: Uint8Array): Generator<PlannedMember> {
    this.#input.append(bytes)
    yield* this.#run()
  }

  *end(): Generator<PlannedMember> {
    this.#input.end()
    yield* this.#run()
  }

  *#run(): Generator<PlannedMember> {
    for (;;) {
      const step = this.#plan.next()
      if (step.done === true || step.value === MORE) return
      yield step.value
    }
  }

  *#members(): Generator<More | PlannedMember, void> {
    const input = this.#input
    yield* input.need(MAGIC_BYTES + BLOCK_HEAD_BYTES)
    this.#sync = parseMagicLine(input.view())?.sync
    yield* this.#cut(yield* this.#blockAt(MAGIC_BYTES), false)
    let filled = 0
    while (yield* input.need(filled + 1)) {
      const end = yield* this.#blockAt(filled)
      const isTrailer = this.#isTrailer(filled)
      if (filled > 0 && (isTrailer || end > this.memberBytes)) {
        yield* this.#cut(filled, false)
        filled = 0
      } else if (isTrailer || end > this.memberBytes) {
        yield* this.#cut(end, isTrailer)
      } else {
        filled = end
      }
    }
    yield* this.#cut(filled, false)
  }

  /** Where the block at `at` ends; where there is none, the next one starts; all of it is there then. */
  *#blockAt(at: number): Generator<More, number> {
    const input = this.#input
    yield* input.need(at + (this.#sync === undefined ? this.memberBytes : BLOCK_HEAD_BYTES))
    const bytes = input.view()
    if (this.#sync === undefined || bytes.length < at + BLOCK_HEAD_BYTES) return bytes.length
    if (isSync(bytes, at, this.#sync)) {
      const { length } = readBlockHead(bytes, at)
      const end = at + BLOCK_HEAD_BYTES + length
      if (length <= READ_BLOCK_BYTES && (yield* input.need(end))) return end
    }
    yield* input.need(at + this.memberBytes)
    const next = findSync(input.view(), this.#sync, at + 1)
    return next === -1 ? input.length : next
  }

  #isTrailer(at: number): boolean {
    const bytes = this.#input.view()
    if (this.#sync === undefined || bytes.length < at + BLOCK_HEAD_BYTES || !isSync(bytes, at, this.#sync))
      return false
    return readBlockHead(bytes, at).type === BlockType.trailer
  }

  *#cut(length: number, isTrailer: boolean): Generator<PlannedMember> {
    let left = length
    while (left > 0) {
      const plain = this.#input.view(isTrailer ? left : Math.min(left, this.memberBytes))
      yield { plain, isTrailer }
      this.#input.consume(plain.length)
      left -= plain.length
    }
  }
}
