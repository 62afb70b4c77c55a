import type { ReadLimits } from './engine'
import type { Input, More } from './input'
import {
  BLOCK_HEAD_BYTES,
  BlockType,
  blockCrc,
  type Crc32,
  isSync,
  readBlockHead,
  SYNC_BYTES,
} from './layout'
import { isMagicLineIntact, MAGIC_BYTES, type MagicLine, parseMagicLine } from './magic'

/** What the start of a plain file tells. The front of the input is still at the magic line. */
export interface Opening {
  /** Absent where neither magic line nor header block tells it. */
  readonly sync?: Uint8Array
  /** Absent where the line cannot be read. */
  readonly magic?: MagicLine
  readonly isMagicIntact: boolean
  readonly isHeaderWhole: boolean
}

type Run<T> = Generator<More, T>

/**
 * Finds out the sync marker (FORMAT.md, "Reading damaged files"): the header block's if that is whole; else the magic line's;
 * else that of the first block, if it stands again where that block ends.
 */
export function* readOpening(input: Input, crc32: Crc32, limits: ReadLimits): Run<Opening> {
  yield* input.need(MAGIC_BYTES + BLOCK_HEAD_BYTES)
  const magic = parseMagicLine(input.view())
  const isHeaderWhole =
    (yield* isWholeBlock(input, MAGIC_BYTES, crc32, limits)) && typeAt(input) === BlockType.header
  const sync = isHeaderWhole ? markAt(input) : ((yield* repeatedMark(input, limits)) ?? magic?.sync)
  const isMagicIntact =
    magic !== undefined &&
    sync !== undefined &&
    isSync(magic.sync, 0, sync) &&
    isMagicLineIntact(input.view(), magic)
  return { ...(sync && { sync }), ...(magic && { magic }), isMagicIntact, isHeaderWhole }
}

/** The marker of the block in front, if that is a block whose checksum fits. */
export function* syncOfBlock(input: Input, crc32: Crc32, limits: ReadLimits): Run<Uint8Array | undefined> {
  return (yield* isWholeBlock(input, 0, crc32, limits)) ? input.view().slice(0, SYNC_BYTES) : undefined
}

function* isWholeBlock(input: Input, at: number, crc32: Crc32, limits: ReadLimits): Run<boolean> {
  if (input.length < at + BLOCK_HEAD_BYTES) return false
  const { type, length, crc } = readBlockHead(input.view(), at)
  if (type < BlockType.header || type > BlockType.trailer || length > limits.maxBlockBytes) return false
  if (!(yield* input.need(at + BLOCK_HEAD_BYTES + length))) return false
  return blockCrc(crc32, input.view(), at, length) === crc
}

function* repeatedMark(input: Input, limits: ReadLimits): Run<Uint8Array | undefined> {
  if (input.length < MAGIC_BYTES + BLOCK_HEAD_BYTES) return undefined
  const { type, length } = readBlockHead(input.view(), MAGIC_BYTES)
  if (type !== BlockType.header || length > limits.maxBlockBytes) return undefined
  const end = MAGIC_BYTES + BLOCK_HEAD_BYTES + length
  const mark = markAt(input)
  yield* input.need(end + SYNC_BYTES)
  return isSync(input.view(), end, mark) ? mark : undefined
}

function markAt(input: Input): Uint8Array {
  return input.view().slice(MAGIC_BYTES, MAGIC_BYTES + SYNC_BYTES)
}

function typeAt(input: Input): number {
  return readBlockHead(input.view(), MAGIC_BYTES).type
}
