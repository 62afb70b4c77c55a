import { crc32 } from 'node:zlib'
import { SUPERBLOCK_BYTES } from './layout'

/**
 * How far a black box is valid. Little-endian.
 *
 * ```
 *   0     4        8            16     24          32        40      44         64        64 + 40 × rings
 *   | crc | length | generation | time | published | refused | rings | reserved | ring 0 … |
 *
 *   ring  0        8      16         24     28     32         36
 *         | offset | next | overruns | head | tail | capacity | reserved |
 * ```
 */
export interface Superblock {
  /** 1, 2, 3 …: of two valid superblocks the one with the higher number counts. */
  readonly generation: number
  /** When it was written: microseconds since the epoch. */
  readonly time: number
  /** Highest `seq` that was in a ring by then; -1 where none was. */
  readonly published: number
  /** Times that the disk refused before. */
  readonly refused: number
  readonly rings: readonly RingMark[]
}

/** The state of one ring's copy. */
export interface RingMark {
  /** Where its area is in the file. */
  readonly offset: number
  /** Capacity of the ring in words. */
  readonly capacity: number
  /** Whole frames lie from `tail` to `head`, positions as in the ring. */
  readonly head: number
  readonly tail: number
  /** Number of the frame that comes at `head`, not wrapped. */
  readonly next: number
  /** Frames that the ring let go before they were copied, since the black box began. */
  readonly overruns: number
}

const FIXED_BYTES = 64
const ENTRY_BYTES = 40
const CRC_AT = 0
const LENGTH_AT = 4
const GENERATION_AT = 8
const TIME_AT = 16
const PUBLISHED_AT = 24
const REFUSED_AT = 32
const RINGS_AT = 40

/** Writes `superblock` into `target`, which has room for any. @returns its bytes, a view */
export function encodeSuperblock(superblock: Superblock, target: Uint8Array): Uint8Array {
  const { rings } = superblock
  const length = FIXED_BYTES + ENTRY_BYTES * rings.length
  const view = new DataView(target.buffer, target.byteOffset, SUPERBLOCK_BYTES)
  view.setUint32(LENGTH_AT, length, true)
  view.setFloat64(GENERATION_AT, superblock.generation, true)
  view.setFloat64(TIME_AT, superblock.time, true)
  view.setFloat64(PUBLISHED_AT, superblock.published, true)
  view.setFloat64(REFUSED_AT, superblock.refused, true)
  view.setUint32(RINGS_AT, rings.length, true)
  rings.forEach((ring, i) => {
    const at = FIXED_BYTES + ENTRY_BYTES * i
    view.setFloat64(at, ring.offset, true)
    view.setFloat64(at + 8, ring.next, true)
    view.setFloat64(at + 16, ring.overruns, true)
    view.setInt32(at + 24, ring.head, true)
    view.setInt32(at + 28, ring.tail, true)
    view.setUint32(at + 32, ring.capacity, true)
  })
  view.setUint32(CRC_AT, crc32(target.subarray(LENGTH_AT, length)), true)
  return target.subarray(0, length)
}

/** The superblock at the start of `bytes`; undefined where there is none whose checksum fits. */
export function decodeSuperblock(bytes: Uint8Array): Superblock | undefined {
  if (bytes.length < FIXED_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(LENGTH_AT, true)
  const count = view.getUint32(RINGS_AT, true)
  if (length !== FIXED_BYTES + ENTRY_BYTES * count || length > bytes.length) return undefined
  if (crc32(bytes.subarray(LENGTH_AT, length)) !== view.getUint32(CRC_AT, true)) return undefined
  return {
    generation: view.getFloat64(GENERATION_AT, true),
    time: view.getFloat64(TIME_AT, true),
    published: view.getFloat64(PUBLISHED_AT, true),
    refused: view.getFloat64(REFUSED_AT, true),
    rings: Array.from({ length: count }, (_, i) => ringMark(view, FIXED_BYTES + ENTRY_BYTES * i)),
  }
}

function ringMark(view: DataView, at: number): RingMark {
  return {
    offset: view.getFloat64(at, true),
    next: view.getFloat64(at + 8, true),
    overruns: view.getFloat64(at + 16, true),
    head: view.getInt32(at + 24, true),
    tail: view.getInt32(at + 28, true),
    capacity: view.getUint32(at + 32, true),
  }
}
