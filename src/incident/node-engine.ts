import { crc32, inflateRawSync } from 'node:zlib'
import type { Engine } from './engine'

/** Zeros that may have been written: at least the padding of the last block. */
const KEPT_ZEROS = 64

/** Reading with the machine's zlib. */
export const nodeEngine: Engine = {
  crc32,

  inflateRaw(data, maxBytes) {
    const limit = Math.max(64, maxBytes)
    return inflateRawSync(data, { maxOutputLength: limit, chunkSize: limit })
  },

  // zlib gives nothing of data that goes wrong somewhere; fflate leaves in `out` what it had until then.
  inflatePartly(data, maxBytes) {
    // Few files are damaged, and loading it takes as long as reading a small one.
    const { inflateSync } = require('fflate/browser') as typeof import('fflate/browser')
    const out = new Uint8Array(maxBytes)
    try {
      return inflateSync(data, { out })
    } catch {
      return out.subarray(0, lengthWithoutZeros(out) + KEPT_ZEROS)
    }
  },
}

/** A loop, and no callback: a hostile file has it done for each of thousands of members. */
function lengthWithoutZeros(bytes: Uint8Array): number {
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  return length
}
