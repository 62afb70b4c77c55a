/** CRC-32 with the highest bit first, as bzip2 has it; begin with all ones, and invert the end. */
export function bzip2Crc(bytes: Uint8Array, crc: number): number {
  let value = crc
  for (let i = 0; i < bytes.length; i++)
    value = (value << 8) ^ (TABLE[(value >>> 24) ^ (bytes[i] as number)] as number)
  return value >>> 0
}

const POLYNOMIAL = 0x04c11db7

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1
  return value
})
