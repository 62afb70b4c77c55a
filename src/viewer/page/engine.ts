import { inflateSync } from 'fflate/browser'
import type { Engine } from '../../incident/engine'

/** Zeros that may have been written: at least the padding of the last block. */
const KEPT_ZEROS = 64
/** One byte more than is allowed tells that there would have been more. */
const OVER = 1

/** Reading with what a page has: fflate, and a checksum of our own. */
export const pageEngine: Engine = {
  crc32,

  inflateRaw(data, maxBytes) {
    const plain = inflateSync(data, { out: new Uint8Array(maxBytes + OVER) })
    if (plain.length > maxBytes) throw new Error('the data inflates to more than it may')
    return plain
  },

  inflatePartly(data, maxBytes) {
    const out = new Uint8Array(maxBytes)
    try {
      return inflateSync(data, { out })
    } catch {
      let length = out.length
      while (length > 0 && out[length - 1] === 0) length--
      return out.subarray(0, length + KEPT_ZEROS)
    }
  },
}

/**
 * CRC-32 as gzip has it (RFC 1952, section 8), eight bytes a step ("slicing by eight"): files of 50 MB are to be read within a
 * second.
 */
function crc32(data: Uint8Array, start = 0): number {
  let crc = ~start
  let at = 0
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES
  for (const end = data.length - 7; at < end; at += 8) {
    const word = crc ^ word32(data, at)
    crc =
      (t7[word & 0xff] as number) ^
      (t6[(word >>> 8) & 0xff] as number) ^
      (t5[(word >>> 16) & 0xff] as number) ^
      (t4[word >>> 24] as number) ^
      (t3[data[at + 4] as number] as number) ^
      (t2[data[at + 5] as number] as number) ^
      (t1[data[at + 6] as number] as number) ^
      (t0[data[at + 7] as number] as number)
  }
  for (; at < data.length; at++) crc = (t0[(crc ^ (data[at] as number)) & 0xff] as number) ^ (crc >>> 8)
  return ~crc >>> 0
}

function word32(data: Uint8Array, at: number): number {
  return (
    (data[at] as number) |
    ((data[at + 1] as number) << 8) |
    ((data[at + 2] as number) << 16) |
    ((data[at + 3] as number) << 24)
  )
}

const POLYNOMIAL = 0xedb88320
type Table = Int32Array

const TABLES = makeTables()

/** The n-th table takes a byte over n more bytes. */
function makeTables(): readonly [Table, Table, Table, Table, Table, Table, Table, Table] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    return crc
  })
  const next = (table: Table): Table => table.map((crc) => (first[crc & 0xff] as number) ^ (crc >>> 8))
  const second = next(first)
  const third = next(second)
  const fourth = next(third)
  const fifth = next(fourth)
  const sixth = next(fifth)
  const seventh = next(sixth)
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)]
}
