import { FlogError } from '../base/errors'
import type { Damage } from '../incident/damage'
import { Bits, OUT_OF_BITS } from './bits'
import { BlockError, BlockMemory, decodeBlock, type PackedBlock, textOf } from './bzip2-block'
import { bzip2Crc } from './bzip2-crc'

/** What comes out of a bzip2 file: plain bytes, valid until the next step, and where some are missing. */
export type Bzip2Step =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'damage'; readonly damage: Damage }

/** More than the longest block takes: 900,000 symbols of 20 bits, and its tables. */
const WINDOW_BYTES = 2_500_000
/** What comes is put behind what is held in pieces of this size: what is held has to be copied for it. */
const GATHERED_BYTES = 1024 * 1024
const PIECE_BYTES = 64 * 1024
/** Compressed bytes that may be decoded or searched in vain. A damaged block is searched for the next one from its start. */
const SALVAGE_BYTES = 64 * 1024 * 1024
/** A try costs as much as so many bytes at least. */
const TRY_BYTES = 1024
const HEAD_BYTES = 4
const MARK_BITS = 48
const BLOCK_MARK = [0x314159, 0x265359] as const
const END_MARK = [0x177245, 0x385090] as const
const CUT =
  'the bzip2 file is cut in the middle of a block; bzip2 packs up to 900,000 bytes together, and so they are lost together'

/**
 * Unpacks bzip2, also several streams one behind the other, as `cat` and Python's appending make them. Holds one block, and
 * about 6 MB in all. What is damaged is passed over up to the next block whose checksum is right. Knows no Node.
 */
export class Bunzip {
  #new: Uint8Array[] = []
  #newBytes = 0
  #held = new Uint8Array(0)
  /** In bits. */
  #at = 0
  /** Bytes before those that are held. */
  #dropped = 0
  #memory: BlockMemory | undefined
  #state: 'head' | 'block' | 'rest' = 'head'
  #ended = false
  #crc = 0
  #isStreamDamaged = false
  #salvage = SALVAGE_BYTES
  readonly #piece = new Uint8Array(PIECE_BYTES)

  get #bytesLeft(): number {
    return this.#held.length - (this.#at >>> 3)
  }

  *push(bytes: Uint8Array): Generator<Bzip2Step, void> {
    this.#new.push(bytes.slice())
    this.#newBytes += bytes.length
    if (this.#newBytes < GATHERED_BYTES) return
    this.#gather()
    yield* this.#run()
  }

  /** No more bytes come. */
  *end(): Generator<Bzip2Step, void> {
    this.#ended = true
    this.#gather()
    yield* this.#run()
  }

  *#run(): Generator<Bzip2Step, void> {
    while (this.#ended || this.#bytesLeft >= WINDOW_BYTES) {
      if (this.#state === 'rest') {
        this.#at = this.#held.length * 8
        return
      }
      if (this.#state === 'head') {
        if (this.#bytesLeft === 0) return
        yield* this.#head()
      } else yield* this.#block()
    }
  }

  *#head(): Generator<Bzip2Step, void> {
    const start = this.#at >>> 3
    const head = this.#held.subarray(start, start + HEAD_BYTES)
    const level = (head[3] ?? 0) - 0x30
    if (head[0] === 0x42 && head[1] === 0x5a && head[2] === 0x68 && level >= 1 && level <= 9) {
      if (this.#memory?.level !== level) this.#memory = new BlockMemory(level)
      this.#at += HEAD_BYTES * 8
      this.#state = 'block'
      this.#crc = 0
      this.#isStreamDamaged = false
      return
    }
    this.#state = 'rest'
    const rest = this.#held.subarray(start)
    if (rest.every((byte) => byte === 0)) return
    const message = 'bytes that are no bzip2 follow the end of the bzip2 file'
    yield this.#damage('corrupt', rest.length, message, 0)
  }

  /** One block, or the end of a stream. */
  *#block(): Generator<Bzip2Step, void> {
    const memory = this.#memory as BlockMemory
    const bits = new Bits(this.#held, this.#at)
    let problem: unknown
    try {
      const mark = [bits.take(24), bits.take(24)]
      if (isMark(mark, END_MARK)) {
        yield* this.#endOfStream(bits)
        return
      }
      if (!isMark(mark, BLOCK_MARK)) throw new BlockError('it does not begin like one')
      const block = decodeBlock(bits, memory)
      this.#check(block, memory)
      this.#at = bits.at
      this.#crc = ((this.#crc << 1) | (this.#crc >>> 31)) ^ block.crc
      for (const bytes of textOf(block, memory, this.#piece)) yield { kind: 'bytes', bytes }
      return
    } catch (error) {
      if (error !== OUT_OF_BITS && !(error instanceof BlockError)) throw error
      problem = error
    }
    yield* this.#search(problem, bits.at)
  }

  #check(block: PackedBlock, memory: BlockMemory): void {
    let crc = 0xffffffff
    for (const bytes of textOf(block, memory, this.#piece)) crc = bzip2Crc(bytes, crc)
    if (~crc >>> 0 !== block.crc) throw new BlockError('its checksum does not fit')
  }

  *#endOfStream(bits: Bits): Generator<Bzip2Step, void> {
    const crc = bits.word()
    bits.align()
    const isWrong = crc !== this.#crc >>> 0 && !this.#isStreamDamaged
    this.#at = bits.at
    this.#state = 'head'
    if (isWrong) yield this.#damage('corrupt', 0, 'the checksum of the whole bzip2 file does not fit', 0)
  }

  /** Goes to where the next block may begin. */
  *#search(problem: unknown, seen: number): Generator<Bzip2Step, void> {
    const from = this.#at
    this.#isStreamDamaged = true
    this.#salvage -= Math.max(TRY_BYTES, (seen - from) >>> 3)
    const mayGoOn = this.#salvage > 0
    const next = mayGoOn ? this.#nextMark(from + 1) : undefined
    this.#at = next ?? this.#held.length * 8
    const bytes = (this.#at - from) >>> 3
    this.#salvage -= bytes
    if (next === undefined && (this.#ended || !mayGoOn)) this.#state = 'rest'
    if (!mayGoOn) {
      const message = 'the bzip2 file is damaged in so many places that the rest of it is not searched'
      yield this.#damage('corrupt', bytes, message)
    } else if (next === undefined && problem === OUT_OF_BITS) {
      yield this.#damage('truncated', bytes, CUT)
    } else {
      const why = problem instanceof BlockError ? problem.message : 'it is longer than any'
      yield this.#damage('corrupt', bytes, `a block of the bzip2 file is damaged: ${why}`)
    }
  }

  /** Position of the next mark of a block or of an end, which may be at any bit. */
  #nextMark(from: number): number | undefined {
    const bytes = this.#held
    const end = bytes.length * 8
    let high = 0
    let low = 0
    for (let at = from; at < end; at++) {
      const bit = ((bytes[at >>> 3] as number) >>> (7 - (at & 7))) & 1
      high = ((high << 1) | (low >>> 23)) & 0xffffff
      low = ((low << 1) | bit) & 0xffffff
      if (low !== BLOCK_MARK[1] && low !== END_MARK[1]) continue
      if (at + 1 - from >= MARK_BITS && (isMark([high, low], BLOCK_MARK) || isMark([high, low], END_MARK)))
        return at + 1 - MARK_BITS
    }
    // The mark may begin in what is held and end in what comes.
    return this.#ended || end - from < MARK_BITS ? undefined : end - MARK_BITS + 1
  }

  /** Takes in what has come since the last time. */
  #gather(): void {
    const start = this.#at >>> 3
    const held = new Uint8Array(this.#bytesLeft + this.#newBytes)
    held.set(this.#held.subarray(start))
    let at = this.#bytesLeft
    for (const bytes of this.#new) {
      held.set(bytes, at)
      at += bytes.length
    }
    this.#held = held
    this.#dropped += start
    this.#at &= 7
    this.#new = []
    this.#newBytes = 0
  }

  #damage(what: Damage['what'], bytes: number, message: string, eventsLost?: number): Bzip2Step {
    const offset = this.#dropped + (this.#at >>> 3) - bytes
    const known = eventsLost === undefined ? {} : { eventsLost }
    return {
      kind: 'damage',
      damage: { what, layer: 'gzip', offset: Math.max(0, offset), bytes, message, ...known },
    }
  }
}

/** @throws FlogError FLOG_FILE_TOO_LARGE */
export function checkPlainBytes(bytes: number, limit: number): void {
  if (bytes <= limit) return
  const message = `the file holds more than ${limit} plain bytes; raise maxPlainBytes to read on`
  throw new FlogError('FLOG_FILE_TOO_LARGE', message, { details: { limit } })
}

function isMark(found: readonly number[], mark: readonly [number, number]): boolean {
  return found[0] === mark[0] && found[1] === mark[1]
}
