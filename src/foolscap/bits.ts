/** The bytes that were given end before what was asked for. */
export const OUT_OF_BITS = new Error('the bytes end')

/** Bits of a piece of memory, the highest of a byte first, as bzip2 has them. */
export class Bits {
  readonly #bytes: Uint8Array
  /** Position of the next bit. */
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /**
   * @param count 1 to 24
   * @throws OUT_OF_BITS
   */
  take(count: number): number {
    const bits = this.peek(count)
    this.skip(count)
    return bits
  }

  /** The next bits, with zeros for those that are not there. @param count 1 to 24 */
  peek(count: number): number {
    const bytes = this.#bytes
    const byte = this.at >>> 3
    const word =
      ((bytes[byte] ?? 0) << 24) |
      ((bytes[byte + 1] ?? 0) << 16) |
      ((bytes[byte + 2] ?? 0) << 8) |
      (bytes[byte + 3] ?? 0)
    return (word << (this.at & 7)) >>> (32 - count)
  }

  /** @throws OUT_OF_BITS */
  skip(count: number): void {
    this.at += count
    if (this.at > this.#bytes.length * 8) throw OUT_OF_BITS
  }

  /** 32 bits as they stand. */
  word(): number {
    return ((this.take(16) << 16) | this.take(16)) >>> 0
  }

  /** Goes on at the next whole byte. */
  align(): void {
    this.at = (this.at + 7) & ~7
  }
}
