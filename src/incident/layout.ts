/**
 * Where everything is in a block (FORMAT.md, "Block"). Little-endian throughout.
 *
 * ```
 *   0        16     17      18        20        24       28          36         44      48
 *   | sync   | type | flags | reserved | length | events | first seq | last seq | crc32 | payload, length bytes …
 * ```
 */
export const SYNC_BYTES = 16
export const BLOCK_HEAD_BYTES = 48
export const TYPE_AT = 16
export const FLAGS_AT = 17
export const LENGTH_AT = 20
export const EVENTS_AT = 24
export const FIRST_SEQ_AT = 28
export const LAST_SEQ_AT = 36
export const CRC_AT = 44

export const BlockType = { header: 1, events: 2, trailer: 3 } as const

export const BlockFlag = {
  /** The block holds exactly one event: the one that began the incident. */
  trigger: 0x01,
  /** The block holds exactly one event: a later trigger in the window. */
  further: 0x02,
  /** A reader that does not know the type may go on without the block. */
  ignorable: 0x80,
} as const

/** What is said about a block besides its bytes. */
export interface BlockMeta {
  readonly type: number
  /** Bits of {@link BlockFlag}. */
  readonly flags: number
  /** Events in the payload; 0 for header and trailer. */
  readonly events: number
  /** Lowest and highest `seq` among them; 0 where there are none. */
  readonly firstSeq: number
  readonly lastSeq: number
}

export interface BlockHead extends BlockMeta {
  /** Bytes after the head, a multiple of 4. */
  readonly length: number
  readonly crc: number
}

/** CRC-32 as gzip has it (ISO 3309), continued from `seed`. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number

/** The head at `at`, as it stands there; at least 48 bytes must follow. Nothing is checked. */
export function readBlockHead(bytes: Uint8Array, at: number): BlockHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK_HEAD_BYTES)
  return {
    type: view.getUint8(TYPE_AT),
    flags: view.getUint8(FLAGS_AT),
    length: view.getUint32(LENGTH_AT, true),
    events: view.getUint32(EVENTS_AT, true),
    firstSeq: view.getFloat64(FIRST_SEQ_AT, true),
    lastSeq: view.getFloat64(LAST_SEQ_AT, true),
    crc: view.getUint32(CRC_AT, true),
  }
}

/** CRC of the block at `at` with a payload of `length` bytes: over its head up to the CRC itself, and its payload. */
export function blockCrc(crc32: Crc32, bytes: Uint8Array, at: number, length: number): number {
  const payloadAt = at + BLOCK_HEAD_BYTES
  const head = crc32(bytes.subarray(at, at + CRC_AT))
  return crc32(bytes.subarray(payloadAt, payloadAt + length), head) >>> 0
}

/** True where the 16 bytes at `at` are the file's sync marker. */
export function isSync(bytes: Uint8Array, at: number, sync: Uint8Array): boolean {
  if (at + SYNC_BYTES > bytes.length) return false
  for (let i = 0; i < SYNC_BYTES; i++) {
    if (bytes[at + i] !== sync[i]) return false
  }
  return true
}

/** Next position of `sync` at or after `from`, or -1. */
export function findSync(bytes: Uint8Array, sync: Uint8Array, from: number): number {
  const first = sync[0] as number
  let at = bytes.indexOf(first, from)
  while (at !== -1) {
    if (isSync(bytes, at, sync)) return at
    at = bytes.indexOf(first, at + 1)
  }
  return -1
}

/** `length` rounded up to a multiple of 4. */
export function padded(length: number): number {
  return (length + 3) & ~3
}
