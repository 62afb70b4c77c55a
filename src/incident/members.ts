import type { Damage } from './damage'
import type { Engine, ReadLimits, SalvageBudget } from './engine'
import type { Input, More } from './input'
import {
  findMember,
  MEMBER_HEAD_BYTES,
  MEMBER_MARK_BYTES,
  MEMBER_TAIL_BYTES,
  type Member,
  NO_TRAILER,
  readMember,
  startsLikeMember,
} from './member'
import { isAllZero } from './salvage'

/**
 * What comes out of a compressed file. `bytes` last until the reader goes on. A `break` says that what comes next does not
 * follow what came last; its own bytes are what could be had of a damaged member, and need not be right.
 */
export type MemberPart =
  | { readonly kind: 'plain'; readonly bytes: Uint8Array }
  | { readonly kind: 'break'; readonly bytes: Uint8Array; readonly damage: Damage }
  | { readonly kind: 'damage'; readonly damage: Damage }
type Run<T> = Generator<More | MemberPart, T>

/** Deflate cannot make more than this of one byte. */
const MOST_PLAIN_PER_BYTE = 1032
const NOTHING = new Uint8Array(0)

/**
 * Reads a finished file member by member. Of a damaged member it gives what can be had, which the checksums of the blocks
 * in it will judge, and goes on with the next.
 */
export class MemberReader {
  readonly #input: Input
  readonly #engine: Engine
  readonly #limits: ReadLimits
  readonly #budget: SalvageBudget
  /** Where the last member that holds anything starts: the trailer's, at the end. */
  #lastAt = 0
  #isDamaged = false

  constructor(input: Input, engine: Engine, limits: ReadLimits, budget: SalvageBudget) {
    this.#input = input
    this.#engine = engine
    this.#limits = limits
    this.#budget = budget
  }

  *run(): Run<void> {
    const input = this.#input
    let ended = false
    while (!ended && (yield* input.need(1))) ended = yield* this.#step()
    if (!ended && !this.#isDamaged) {
      yield this.#damage('truncated', 0, 'the file ends before its last member')
    } else if (yield* input.need(1)) {
      yield* this.#afterEnd()
    }
  }

  /** One member, or one thing that is none. @returns true after the last member */
  *#step(): Run<boolean> {
    const input = this.#input
    if (this.#budget.spent) return yield* this.#giveUp()
    const member = yield* this.#memberInFront()
    if (member === undefined || !(yield* input.need(member.length))) return yield* this.#search(member)
    const bytes = input.view(member.length)
    const plain = memberPlain(this.#engine, bytes, member.dataAt, member.plainLength)
    if (plain === undefined || plain.length !== member.plainLength) {
      this.#budget.charge(member.length + member.plainLength)
      return yield* this.#search(member)
    }
    return yield* this.#give(member, plain)
  }

  *#give(member: Member, plain: Uint8Array): Run<boolean> {
    const at = this.#input.offset
    if (plain.length > 0) yield { kind: 'plain', bytes: plain }
    else if (member.trailerAt === undefined) {
      yield this.#damage('corrupt', member.length, 'an empty gzip member that is not the last', 0)
    }
    if (this.#isDangling(member)) {
      yield this.#damage('corrupt', member.length, 'the last member points to the wrong place', 0)
    }
    if (plain.length > 0) this.#lastAt = at
    this.#input.consume(member.length)
    return member.trailerAt !== undefined
  }

  #isDangling({ trailerAt = NO_TRAILER }: Member): boolean {
    return trailerAt !== NO_TRAILER && trailerAt !== this.#lastAt && !this.#isDamaged
  }

  *#memberInFront(): Run<Member | undefined> {
    const input = this.#input
    // The head of the last member is the longest; where fewer bytes are left, there can be only a cut one.
    yield* input.need(MEMBER_HEAD_BYTES + 12)
    const member = readMember(input.view())
    if (member === undefined || member.length > this.#limits.maxMemberBytes) return undefined
    return member.plainLength <= this.#limits.maxMemberBytes ? member : undefined
  }

  /** The front is no whole member: goes on to where the next one starts, or to the end. */
  *#search(member: Member | undefined): Run<boolean> {
    const input = this.#input
    if (member !== undefined && (yield* this.#isFollowed(member))) {
      return yield* this.#skipTo(member.length, member)
    }
    let from = 1
    for (;;) {
      const at = findMember(input.view(), from)
      if (at !== -1) return yield* this.#skipTo(at, member)
      if (input.ended) return yield* this.#skipTo(input.length, member)
      if (input.length > this.#limits.maxMemberBytes) {
        return yield* this.#skipTo(input.length - MEMBER_MARK_BYTES, undefined)
      }
      from = Math.max(1, input.length - MEMBER_MARK_BYTES + 1)
      yield* input.need(input.length + 1)
    }
  }

  /** True where another member starts exactly where this one says that it ends. */
  *#isFollowed(member: Member): Run<boolean> {
    const end = member.length
    if (!(yield* this.#input.need(end + MEMBER_MARK_BYTES))) return false
    return findMember(this.#input.view(end + MEMBER_MARK_BYTES).subarray(end), 0) === 0
  }

  /** What lies before `at` is one damaged member, or none at all. */
  *#skipTo(at: number, member: Member | undefined): Run<boolean> {
    const input = this.#input
    const bytes = input.view(at)
    const restored = memberPlain(this.#engine, bytes, MEMBER_HEAD_BYTES, this.#limits.maxMemberBytes)
    if (restored !== undefined && restored.length > 0) {
      yield { kind: 'plain', bytes: restored }
      this.#lastAt = input.offset
      yield this.#damage('corrupt', at, 'the head of a gzip member was damaged and could be restored', 0)
    } else {
      const isCut = at === input.length && (isAllZero(bytes) || this.#isCut(bytes, member))
      const { damage } = isCut
        ? this.#damage('truncated', at, 'the file ends inside a gzip member')
        : this.#damage('corrupt', at, 'a gzip member is damaged')
      yield { kind: 'break', bytes: this.#salvage(bytes, member), damage }
    }
    input.consume(at)
    return false
  }

  #isCut(bytes: Uint8Array, member: Member | undefined): boolean {
    return member === undefined
      ? bytes.length < MEMBER_HEAD_BYTES + 12 && startsLikeMember(bytes)
      : member.length > bytes.length
  }

  #salvage(bytes: Uint8Array, member: Member | undefined): Uint8Array {
    const data = bytes.subarray(MEMBER_HEAD_BYTES)
    const most = member?.plainLength ?? this.#limits.maxMemberBytes
    const limit = Math.min(most, data.length * MOST_PLAIN_PER_BYTE)
    this.#budget.charge(limit)
    return this.#engine.inflatePartly(data, limit)
  }

  *#afterEnd(): Run<void> {
    const input = this.#input
    const at = input.offset
    let bytes = 0
    while (yield* input.need(1)) {
      bytes += input.length
      input.consume(input.length)
    }
    const message = 'bytes after the last member'
    yield {
      kind: 'damage',
      damage: { what: 'corrupt', layer: 'gzip', offset: at, bytes, message, eventsLost: 0 },
    }
  }

  *#giveUp(): Run<boolean> {
    const input = this.#input
    const at = input.offset
    let bytes = 0
    while (yield* input.need(1)) {
      bytes += input.length
      input.consume(input.length)
    }
    this.#isDamaged = true
    const message = 'too much damage to search any further'
    yield {
      kind: 'break',
      bytes: NOTHING,
      damage: { what: 'corrupt', layer: 'gzip', offset: at, bytes, message },
    }
    return false
  }

  #damage(
    what: Damage['what'],
    bytes: number,
    message: string,
    eventsLost?: number,
  ): MemberPart & { kind: 'damage' } {
    this.#isDamaged = true
    const base: Damage = { what, layer: 'gzip', offset: this.#input.offset, bytes, message }
    return { kind: 'damage', damage: eventsLost === undefined ? base : { ...base, eventsLost } }
  }
}

/** The plain bytes of a member whose data starts at `dataAt`, if checksum and length at its end agree. */
export function memberPlain(
  engine: Engine,
  member: Uint8Array,
  dataAt: number,
  limit: number,
): Uint8Array | undefined {
  const tailAt = member.length - MEMBER_TAIL_BYTES
  if (tailAt < dataAt) return undefined
  const tail = new DataView(member.buffer, member.byteOffset + tailAt, MEMBER_TAIL_BYTES)
  const length = tail.getUint32(4, true)
  if (length > limit) return undefined
  try {
    const plain = engine.inflateRaw(member.subarray(dataAt, tailAt), length)
    const isIntact = plain.length === length && engine.crc32(plain) >>> 0 === tail.getUint32(0, true)
    return isIntact ? plain : undefined
  } catch {
    return undefined
  }
}
