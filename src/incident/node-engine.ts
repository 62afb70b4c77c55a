import { crc32, inflateRawSync } from 'node:zlib'
import { inflateSync } from 'fflate'
import type { Engine } from './engine'

/** Reading with the machine's zlib. */
export const nodeEngine: Engine = {
  crc32,

  inflateRaw(data, maxBytes) {
    const limit = Math.max(64, maxBytes)
    return inflateRawSync(data, { maxOutputLength: limit, chunkSize: limit })
  },

  // zlib gives nothing of data that goes wrong somewhere; fflate leaves in `out` what it had until then.
  inflatePartly(data, maxBytes) {
    const out = new Uint8Array(maxBytes)
    try {
      return inflateSync(data, { out })
    } catch {
      return out
    }
  },
}
