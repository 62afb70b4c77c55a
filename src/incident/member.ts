/**
 * Where everything is in a gzip member of a finished file (FORMAT.md, "Compressed file"; gzip itself: RFC 1952).
 *
 * ```
 *   0                         10     12                                   24
 *   | 1f 8b 08 04 0000 0000 00 ff | XLEN | 'F' 'L' 8  members u32, plain u32 | [ more subfields ] deflate … | crc32 | isize |
 * ```
 * Every member tells in its extra field how long it is, compressed and not, so that one can go from member to member
 * without inflating, and past one that is damaged. The last member is empty and tells where the trailer's starts.
 */
export const MEMBER_HEAD_BYTES = 24
export const MEMBER_TAIL_BYTES = 8
/** Length of the last member; a reader looks for it that far from the end of the file. */
export const END_MEMBER_BYTES = 46

/** In place of the trailer's position, in the last member of a file without one. The magic line is there, so it is free. */
export const NO_TRAILER = 0

const XLEN_AT = 10
const LENGTHS_AT = 16
const END_FIELD_AT = 24
const END_XLEN = 24
const F = 0x46
/** Flags: only the extra field. No time, no name: the same file gives the same bytes anywhere. */
const START = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]

export interface Member {
  /** Bytes of the whole member. */
  readonly length: number
  readonly plainLength: number
  /** Position of the deflate data in the member. */
  readonly dataAt: number
  /** In the last member: position of the trailer's member in the file. */
  readonly trailerAt?: number
}

/** The head of a member. `length` and `plainLength` are the whole member's, `end` only the last member has. */
export function putMemberHead(
  target: Uint8Array,
  length: number,
  plainLength: number,
  trailerAt?: number,
): number {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  target.set(START)
  view.setUint16(XLEN_AT, trailerAt === undefined ? MEMBER_HEAD_BYTES - 12 : END_XLEN, true)
  target.set([F, 0x4c, 8, 0], 12)
  view.setUint32(LENGTHS_AT, length, true)
  view.setUint32(LENGTHS_AT + 4, plainLength, true)
  if (trailerAt === undefined) return MEMBER_HEAD_BYTES
  target.set([F, 0x54, 8, 0], END_FIELD_AT)
  view.setBigUint64(END_FIELD_AT + 4, BigInt(trailerAt), true)
  return MEMBER_HEAD_BYTES + 12
}

/** The member that starts at `at`, by what its head says; undefined where there is none, or its head is cut. */
export function readMember(bytes: Uint8Array, at = 0): Member | undefined {
  if (bytes.length - at < MEMBER_HEAD_BYTES || !isMemberStart(bytes, at)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at)
  const dataAt = 12 + view.getUint16(XLEN_AT, true)
  const member = {
    length: view.getUint32(LENGTHS_AT, true),
    plainLength: view.getUint32(LENGTHS_AT + 4, true),
    dataAt,
  }
  if (dataAt < MEMBER_HEAD_BYTES || member.length < dataAt + MEMBER_TAIL_BYTES) return undefined
  const trailerAt = endField(view, dataAt)
  return trailerAt === undefined ? member : { ...member, trailerAt }
}

/**
 * True for the start of a member of ours, cut anywhere, or, where it is not cut, with at most two bytes damaged; false where
 * there is not even one byte. No other gzip file comes close.
 */
export function startsLikeMember(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, LENGTHS_AT)
  let wrong = 0
  for (let i = 0; i < length; i++) {
    if (!isStartByte(bytes[i] as number, i)) wrong++
  }
  return length > 0 && wrong <= (length < LENGTHS_AT ? 0 : 2)
}

/** Next position at or after `from` where a member may start, or -1. */
export function findMember(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(START[0] as number, from)
  while (at !== -1 && at + LENGTHS_AT <= bytes.length) {
    if (isMemberStart(bytes, at)) return at
    at = bytes.indexOf(START[0] as number, at + 1)
  }
  return -1
}

/** Bytes at the end of what is there that may be the start of a member still to come. */
export const MEMBER_MARK_BYTES = LENGTHS_AT

function isMemberStart(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < LENGTHS_AT; i++) {
    if (!isStartByte(bytes[at + i] as number, i)) return false
  }
  return true
}

function isStartByte(byte: number, i: number): boolean {
  if (i < START.length) return byte === START[i]
  if (i < 12) return true
  return byte === [F, 0x4c, 8, 0][i - 12]
}

function endField(view: DataView, dataAt: number): number | undefined {
  if (dataAt < END_FIELD_AT + 12 || view.byteLength < END_FIELD_AT + 12) return undefined
  if (view.getUint32(END_FIELD_AT, true) !== 0x0008_5446) return undefined
  return Number(view.getBigUint64(END_FIELD_AT + 4, true))
}
