import type { Bits } from './bits'

/** Why a block is none that bzip2 wrote. */
export class BlockError extends Error {
  override readonly name = 'BlockError'
}

/** Memory for one block, used again for the next. It grows with what is in them: most files are far smaller than a block. */
export class BlockMemory {
  /** For each position of the transformed text: where its successor is, shifted, and the byte there. */
  links: Uint32Array = new Uint32Array(FIRST_LENGTH)
  readonly #limit: number

  /** @param level 1–9, as in the file's head: hundreds of thousands of bytes */
  constructor(readonly level: number) {
    this.#limit = level * 100_000
  }

  /** Room for so many positions. @throws BlockError for more than the file said */
  reserve(length: number): Uint32Array {
    if (length > this.#limit) throw new BlockError('it is too long')
    if (length <= this.links.length) return this.links
    const grown = new Uint32Array(Math.min(this.#limit, Math.max(length, 2 * this.links.length)))
    grown.set(this.links)
    this.links = grown
    return grown
  }
}

const FIRST_LENGTH = 16 * 1024

/** A block whose symbols are decoded; its text is made by {@link textOf}. */
export interface PackedBlock {
  /** As the file says it is. */
  readonly crc: number
  /** Position of the first byte in the transformed text. */
  readonly origin: number
  readonly length: number
}

/** Symbols that share one table; tables that there may be; bits of the longest code. */
const GROUP_SYMBOLS = 50
const MAX_TABLES = 6
const MAX_CODE_BITS = 20
/** Of a block at the highest level. */
const MAX_LENGTH = 900_000

/**
 * Decodes a block behind its mark, as libbzip2 1.0.8 writes it (https://sourceware.org/bzip2/): Huffman codes, move to
 * front, and the links that undo the Burrows-Wheeler transform.
 * @throws BlockError, OUT_OF_BITS
 */
export function decodeBlock(bits: Bits, memory: BlockMemory): PackedBlock {
  const crc = bits.word()
  if (bits.take(1) === 1) throw new BlockError('it is randomised, which bzip2 gave up in 1997')
  const origin = bits.take(24)
  const front = usedBytes(bits)
  const symbols = front.length + 2
  const tableCount = bits.take(3)
  if (tableCount < 2 || tableCount > MAX_TABLES) throw new BlockError('the number of tables is wrong')
  const selectors = selectorsOf(bits, tableCount)
  const tables = Array.from({ length: tableCount }, () => new CodeTable(bits, symbols))
  const counts = new Uint32Array(256)
  const length = readSymbols(bits, front, selectors, tables, memory, counts)
  if (origin >= length) throw new BlockError('it begins outside of itself')
  link(memory.links, length, counts)
  return { crc, origin, length }
}

/**
 * The text of a decoded block, with runs written out, in pieces of the size of `piece`, which is used again for each.
 */
export function* textOf(
  block: PackedBlock,
  memory: BlockMemory,
  piece: Uint8Array,
): Generator<Uint8Array, void> {
  const { links } = memory
  let at = (links[block.origin] as number) >>> 8
  let run = 0
  let last = -1
  let filled = 0
  for (let i = 0; i < block.length; i++) {
    const entry = links[at] as number
    const byte = entry & 0xff
    at = entry >>> 8
    const isCount = run === 4
    const repeat = isCount ? byte : 1
    const shown = isCount ? last : byte
    run = isCount ? 0 : byte === last ? run + 1 : 1
    last = isCount ? -1 : byte
    for (let n = 0; n < repeat; n++) {
      piece[filled++] = shown
      if (filled === piece.length) {
        yield piece
        filled = 0
      }
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

function usedBytes(bits: Bits): Uint8Array {
  const rows = bits.take(16)
  const used: number[] = []
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue
    const columns = bits.take(16)
    for (let column = 0; column < 16; column++) {
      if ((columns & (0x8000 >> column)) !== 0) used.push(row * 16 + column)
    }
  }
  if (used.length === 0) throw new BlockError('it has no bytes')
  return Uint8Array.from(used)
}

function selectorsOf(bits: Bits, tableCount: number): Uint8Array {
  const count = bits.take(15)
  if (count === 0) throw new BlockError('it names no tables')
  const order = [0, 1, 2, 3, 4, 5].slice(0, tableCount)
  const selectors = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    let rank = 0
    while (bits.take(1) === 1) {
      if (++rank >= tableCount) throw new BlockError('it names a table that is not there')
    }
    const [chosen = 0] = order.splice(rank, 1)
    order.unshift(chosen)
    selectors[i] = chosen
  }
  return selectors
}

/** A canonical Huffman code: for each length its highest code, and where the symbols of that length are. */
class CodeTable {
  readonly #limits = new Int32Array(MAX_CODE_BITS + 2).fill(-1)
  readonly #bases = new Int32Array(MAX_CODE_BITS + 2)
  readonly #symbols: Uint16Array
  #shortest = MAX_CODE_BITS

  constructor(bits: Bits, symbols: number) {
    const lengths = lengthsOf(bits, symbols)
    const ordered: number[] = []
    let code = 0
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      this.#bases[length] = ordered.length - code
      for (let symbol = 0; symbol < symbols; symbol++) {
        if (lengths[symbol] !== length) continue
        ordered.push(symbol)
        code++
      }
      if (code > 1 << length) throw new BlockError('the codes are too many')
      if (code + (this.#bases[length] ?? 0) > 0) {
        this.#limits[length] = code - 1
        this.#shortest = Math.min(this.#shortest, length)
      }
      code <<= 1
    }
    this.#symbols = Uint16Array.from(ordered)
  }

  read(bits: Bits): number {
    const window = bits.peek(MAX_CODE_BITS)
    for (let length = this.#shortest; length <= MAX_CODE_BITS; length++) {
      const code = window >>> (MAX_CODE_BITS - length)
      if (code > (this.#limits[length] as number)) continue
      const symbol = this.#symbols[code + (this.#bases[length] as number)]
      if (symbol === undefined) break
      bits.skip(length)
      return symbol
    }
    bits.skip(MAX_CODE_BITS)
    throw new BlockError('a code has no meaning')
  }
}

function lengthsOf(bits: Bits, symbols: number): Uint8Array {
  const lengths = new Uint8Array(symbols)
  let length = bits.take(5)
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_BITS) throw new BlockError('a code is too long')
      if (bits.take(1) === 0) break
      length += bits.take(1) === 0 ? 1 : -1
    }
    lengths[symbol] = length
  }
  return lengths
}

/** Writes the transformed bytes into `links` and counts them. @returns how many */
function readSymbols(
  bits: Bits,
  front: Uint8Array,
  selectors: Uint8Array,
  tables: readonly CodeTable[],
  memory: BlockMemory,
  counts: Uint32Array,
): number {
  let links: Uint32Array = memory.links
  const end = front.length + 1
  let length = 0
  let runLength = 0
  let runPlace = 1
  for (const selector of selectors) {
    const table = tables[selector] as CodeTable
    for (let i = 0; i < GROUP_SYMBOLS; i++) {
      const symbol = table.read(bits)
      if (symbol <= 1) {
        // A run of the byte in front: its length in digits 1 and 2, the lowest first.
        runLength += runPlace << symbol
        runPlace <<= 1
        if (runLength > MAX_LENGTH) throw new BlockError('it is too long')
        continue
      }
      if (runLength > 0) {
        const byte = front[0] as number
        links = memory.reserve(length + runLength)
        links.fill(byte, length, length + runLength)
        counts[byte] = (counts[byte] as number) + runLength
        length += runLength
        runLength = 0
        runPlace = 1
      }
      if (symbol === end) return length
      const byte = front[symbol - 1] as number
      front.copyWithin(1, 0, symbol - 1)
      front[0] = byte
      if (length === links.length) links = memory.reserve(length + 1)
      links[length++] = byte
      counts[byte] = (counts[byte] as number) + 1
    }
  }
  throw new BlockError('it has no end')
}

/** Beside each byte, where the next one of the text is. */
function link(links: Uint32Array, length: number, counts: Uint32Array): void {
  const starts = new Uint32Array(256)
  for (let byte = 1; byte < 256; byte++)
    starts[byte] = (starts[byte - 1] as number) + (counts[byte - 1] as number)
  for (let i = 0; i < length; i++) {
    const byte = (links[i] as number) & 0xff
    const place = starts[byte] as number
    starts[byte] = place + 1
    links[place] = ((links[place] as number) | (i << 8)) >>> 0
  }
}
