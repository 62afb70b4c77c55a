import {
  CONTROL_WORDS,
  capacityWords,
  HEAD,
  NEXT_ORDINAL_F64,
  type RingHandle,
  TAIL,
} from '../../ring/layout'
import type { AreaLabel } from './head'
import { AREA_HEAD_BYTES, areaBytes } from './layout'
import type { RingMark } from './superblock'

interface Memory {
  readonly handle: RingHandle
  readonly words: Int32Array
  readonly ordinals: Float64Array
}

/** Takes bytes for a place in the file. */
export type WriteAt = (bytes: Uint8Array, position: number) => void

/** Each turn but the last means that the writer has filled more than the staging memory during one copy of it. */
const TURNS = 64

/**
 * The copy of one ring, and how far it goes. Reads beside the writer as any reader of another thread does: words are copied
 * into private memory, then `tail` tells which of them the writer had not given up by then. Only those are written, so no
 * torn frame ever reaches the file.
 */
export class RingCopy {
  readonly label: AreaLabel
  readonly offset: number
  readonly capacity: number
  /** Undefined once it was let go. */
  #memory: Memory | undefined
  #head: number
  #tail: number
  #next = 0
  #overruns = 0
  /** Nothing in the file is relied on: all that the ring holds is to be written. */
  #isAnew = true
  /** Until the first copy nobody knows which frame should have come next. */
  #hasBegun = false

  /** @param offset of its area in the file */
  constructor(handle: RingHandle, offset: number) {
    const { memory, severity, facility, thread } = handle
    const words = new Int32Array(memory)
    this.label = { severity, facility, thread }
    this.offset = offset
    this.capacity = capacityWords(memory)
    this.#memory = { handle, words, ordinals: new Float64Array(memory, 0, CONTROL_WORDS / 2) }
    this.#tail = Atomics.load(words, TAIL)
    this.#head = this.#tail
  }

  /** The ring, as long as its memory is held. */
  get handle(): RingHandle | undefined {
    return this.#memory?.handle
  }

  /** Position in the file behind the area. */
  get end(): number {
    return this.offset + areaBytes(this.capacity)
  }

  /** Whether the ring holds what the file does not: one atomic load. */
  get isBehind(): boolean {
    if (this.#memory === undefined) return false
    return Atomics.load(this.#memory.words, HEAD) !== this.#head || this.#isAnew
  }

  get mark(): RingMark {
    return {
      offset: this.offset,
      capacity: this.capacity,
      head: this.#head,
      tail: this.#tail,
      next: this.#next,
      overruns: this.#overruns,
    }
  }

  /** The ring is read no more, so that its memory can be freed. What the file has of it stays. */
  letGo(): void {
    this.#memory = undefined
  }

  /** The file lost what it had, or is another one. */
  startAnew(): void {
    this.#isAnew = true
  }

  /**
   * Hands the ring's new words to `write`. What `mark` says changes only when all of them were taken.
   * @param staging private memory, an even number of words
   * @throws what `write` throws
   */
  copy(staging: Int32Array, write: WriteAt): void {
    if (this.#memory === undefined) return
    const { words, ordinals } = this.#memory
    let tail = Atomics.or(words, TAIL, 0)
    let head = Atomics.load(words, HEAD)
    const isOverrun = (head - this.#head) >>> 0 > (head - tail) >>> 0
    let at = this.#isAnew || isOverrun ? tail : this.#head
    const isEmpty = at === head
    /** Low words of the numbers of frames: of the first one after a break, and of the last one. */
    let first: number | undefined
    let last = 0
    let isBroken = this.#isAnew || isOverrun
    for (let turn = 0; at !== head; turn++) {
      if (turn > TURNS + this.capacity / staging.length) return
      const length = Math.min(staging.length, (head - at) >>> 0)
      this.#stage(words, staging, at, length)
      // A plain load could be moved before the copy by the processor; a read-modify-write cannot.
      tail = Atomics.or(words, TAIL, 0)
      const passed = Math.max(0, (tail - at) | 0)
      isBroken ||= passed > 0
      if (passed < length) {
        // The tail is at the start of a frame, and so is what follows it here.
        if (isBroken) first = staging[passed + 1] as number
        isBroken = false
        this.#write(staging, passed, length, at, write)
        last = staging[length - 2] as number
        at = (at + length) | 0
      } else {
        at = tail
        if (((head - at) | 0) <= 0) head = Atomics.load(words, HEAD)
      }
    }
    if (!isEmpty) this.#count(ordinals[NEXT_ORDINAL_F64] as number, first, last)
    this.#commit(head, tail)
  }

  /** @param written the whole number of the ring's next frame, when `last` was its last one or later */
  #count(written: number, first: number | undefined, last: number): void {
    // Where all was copied anew, the first frame is one that was copied before.
    if (first !== undefined && this.#hasBegun) {
      this.#overruns += Math.max(0, unwrap(first, written) - this.#next)
    }
    this.#next = unwrap(last, written) + 1
  }

  #commit(head: number, tail: number): void {
    this.#head = head
    this.#tail = tail
    this.#isAnew = false
    this.#hasBegun = true
  }

  #stage(words: Int32Array, staging: Int32Array, position: number, length: number): void {
    const start = position & (this.capacity - 1)
    const first = Math.min(length, this.capacity - start)
    const from = CONTROL_WORDS + start
    staging.set(words.subarray(from, from + first))
    if (first < length) staging.set(words.subarray(CONTROL_WORDS, CONTROL_WORDS + length - first), first)
  }

  /** Words `from` to `to` of the staging memory, which begins at `position` of the ring. */
  #write(staging: Int32Array, from: number, to: number, position: number, write: WriteAt): void {
    for (let at = from; at < to; ) {
      const place = (position + at) & (this.capacity - 1)
      const length = Math.min(to - at, this.capacity - place)
      const bytes = new Uint8Array(staging.buffer, staging.byteOffset + at * 4, length * 4)
      write(bytes, this.offset + AREA_HEAD_BYTES + place * 4)
      at += length
    }
  }
}

/** The whole number of a frame of which the ring holds 32 bits: the nearest one not above the number of the head. */
function unwrap(low: number, next: number): number {
  return next - (((next | 0) - low) >>> 0)
}
