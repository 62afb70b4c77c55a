import { invalidOption } from '../base/errors'
import { RING_EVICTION_STEP, RING_MAX_BYTES, RING_MIN_BYTES } from '../base/limits'
import { peekTime } from '../codec/decode'
import {
  CONTROL_WORDS,
  FRAME_OVERHEAD_WORDS,
  frameWords,
  HEAD,
  NEXT_ORDINAL_F64,
  type RingHandle,
  TAIL,
} from './layout'

/** Bytes by which a copy in a loop is faster than a call to copy memory. */
const LOOPED_WORDS = 96

export interface RingOptions {
  readonly severity: string
  readonly facility?: string
  readonly thread?: number
  /** 32 KiB to 1 GiB, rounded up to a power of two. */
  readonly bytes: number
  /** Words already written, modulo 2^32: tests start near the wrap. Default 0. */
  readonly startAt?: number
}

/**
 * The writing end of a ring: one thread owns it and is the only one that writes. Drawn in `layout.ts`.
 *
 * A frame is copied in only when it is complete, so no user code runs between reservation and publication.
 */
export class Ring {
  readonly handle: RingHandle
  readonly #words: Int32Array
  readonly #ordinal: Float64Array
  readonly #capacity: number
  readonly #mask: number
  readonly #evictionWords: number
  #evicted = 0

  /** @throws FlogError FLOG_OPTION_INVALID for a size out of range */
  constructor(options: RingOptions) {
    const { bytes, severity, facility = '', thread = 0, startAt = 0 } = options
    if (!(bytes > 0 && bytes <= RING_MAX_BYTES)) {
      throw invalidOption(`rings.${severity}`, `a size from ${RING_MIN_BYTES} to ${RING_MAX_BYTES} bytes`, bytes)
    }
    this.#capacity = powerOfTwo(Math.max(bytes, RING_MIN_BYTES)) / 4
    this.#mask = this.#capacity - 1
    this.#evictionWords = Math.min(RING_EVICTION_STEP / 4, this.#capacity >> 2)
    const memory = new SharedArrayBuffer((this.#capacity + CONTROL_WORDS) * 4)
    this.handle = { memory, severity, facility, thread }
    this.#words = new Int32Array(memory)
    this.#ordinal = new Float64Array(memory, 0, CONTROL_WORDS / 2)
    this.#words[HEAD] = startAt
    this.#words[TAIL] = startAt
  }

  get capacityBytes(): number {
    return this.#capacity * 4
  }

  /** Bytes of one event at most: half the ring, so that the newest frame is whole until the next one is published. */
  get largestEvent(): number {
    return (this.#capacity / 2 - FRAME_OVERHEAD_WORDS) * 4
  }

  get usedBytes(): number {
    return (((this.#words[HEAD] as number) - (this.#words[TAIL] as number)) >>> 0) * 4
  }

  /** Events written since the beginning, and those of them that were let go. */
  get written(): number {
    return this.#ordinal[NEXT_ORDINAL_F64] as number
  }

  get evicted(): number {
    return this.#evicted
  }

  /** Time of the oldest event, microseconds since the epoch; 0 where the ring holds none. */
  get oldestTime(): number {
    const tail = this.#words[TAIL] as number
    if (tail === this.#words[HEAD]) return 0
    const start = new Int32Array(5)
    for (let i = 0; i < start.length; i++) {
      start[i] = this.#words[CONTROL_WORDS + ((tail + 2 + i) & this.#mask)] as number
    }
    return peekTime(new Uint8Array(start.buffer))
  }

  /**
   * Appends an event, letting the oldest go as needed.
   * @param event words of the event from index 0; the padding after `bytes` may hold anything
   * @param bytes 1 up to {@link largestEvent}
   * @returns false, and nothing written, if it is longer than that
   */
  append(event: Int32Array, bytes: number): boolean {
    const words = this.#words
    const mask = this.#mask
    const need = frameWords(bytes)
    const head = words[HEAD] as number
    if (((head - (words[TAIL] as number)) >>> 0) + need > this.#capacity && !this.#evict(head, need)) return false
    const ordinal = (this.#ordinal[NEXT_ORDINAL_F64] as number) | 0
    const at = CONTROL_WORDS
    words[at + (head & mask)] = bytes
    words[at + ((head + 1) & mask)] = ordinal
    const length = need - FRAME_OVERHEAD_WORDS
    const start = (head + 2) & mask
    if (length > LOOPED_WORDS || start + length > this.#capacity) this.#copy(event, start, length)
    else for (let i = 0, to = at + start; i < length; i++) words[to + i] = event[i] as number
    words[at + ((head + need - 2) & mask)] = ordinal
    words[at + ((head + need - 1) & mask)] = bytes
    Atomics.store(words, HEAD, (head + need) | 0)
    this.#ordinal[NEXT_ORDINAL_F64] = (this.#ordinal[NEXT_ORDINAL_F64] as number) + 1
    return true
  }

  #copy(event: Int32Array, start: number, length: number): void {
    const first = Math.min(length, this.#capacity - start)
    this.#words.set(event.subarray(0, first), CONTROL_WORDS + start)
    if (first < length) this.#words.set(event.subarray(first, length), CONTROL_WORDS)
  }

  /** Lets whole frames go until `need` words and one step more are free. The read-modify-write orders it before the bytes. */
  #evict(head: number, need: number): boolean {
    if (need > this.#capacity / 2) return false
    const words = this.#words
    const tail = words[TAIL] as number
    const used = (head - tail) >>> 0
    const enough = Math.min(used, used + need - this.#capacity + this.#evictionWords)
    let freed = 0
    while (freed < enough) {
      freed += frameWords(words[CONTROL_WORDS + ((tail + freed) & this.#mask)] as number)
      this.#evicted++
    }
    Atomics.add(words, TAIL, freed)
    return true
  }
}

function powerOfTwo(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes))
}
