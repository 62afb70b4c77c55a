import { BLOCK_HEAD_BYTES, type BlockHead, blockCrc, type Crc32, LENGTH_AT, readBlockHead } from './layout'

/**
 * The head of a block of which only the sync marker or the length was damaged. Both are known by other means: the marker is
 * that of the file, and the block ends where the next one starts. If the checksum fits with these put in, the block is what
 * was written.
 * @param bytes the block, from its start to its end
 */
export function repairedHead(bytes: Uint8Array, sync: Uint8Array, crc32: Crc32): BlockHead | undefined {
  const length = bytes.length - BLOCK_HEAD_BYTES
  const head = bytes.slice(0, BLOCK_HEAD_BYTES)
  head.set(sync)
  new DataView(head.buffer).setUint32(LENGTH_AT, length, true)
  const restored = readBlockHead(head, 0)
  const payload = bytes.subarray(BLOCK_HEAD_BYTES)
  return headCrc(crc32, head, payload) === restored.crc ? restored : undefined
}

function headCrc(crc32: Crc32, head: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, blockCrc(crc32, head, 0, 0)) >>> 0
}

export function isAllZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
