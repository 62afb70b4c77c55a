import { invalidOption } from '../base/errors'
import { RING_EVICTION_STEP, RING_MAX_BYTES, RING_MIN_BYTES } from '../base/limits'
import {
  CONTROL_WORDS,
  FRAME_OVERHEAD_WORDS,
  frameWords,
  HEAD,
  NEXT_ORDINAL_F64,
  OUT_OF_ORDER,
  type RingHandle,
  type RingState,
  TAIL,
} from './layout'
import { stateOfRing } from './state'

/** Words of a frame up to which a loop copies faster than a call does. */
const LOOPED_WORDS = 128

export interface RingOptions {
  readonly severity: string
  readonly facility?: string
  readonly thread?: number
  /** Up to 1 GiB, rounded up to a power of two, and to 64 KiB. */
  readonly bytes: number
  /** Words already written, an even number, modulo 2^32: tests start near the wrap. Default 0. */
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
  /** The same memory, eight bytes an element: the engine copies these without making BigInts of them. */
  readonly #longs: BigUint64Array
  readonly #ordinal: Float64Array
  readonly #capacity: number
  readonly #mask: number
  /** Words of a page, as a power of two; a ring has at least four pages. */
  readonly #pageBits: number
  /** For each page the position, in words, of the first frame that starts in or behind it. */
  readonly #pageFrames: Int32Array

  /** @throws FlogError FLOG_OPTION_INVALID for a size out of range */
  constructor(options: RingOptions) {
    const { bytes, severity, facility = '', thread = 0, startAt = 0 } = options
    if (!(bytes > 0 && bytes <= RING_MAX_BYTES)) {
      const option = facility === '' ? `rings.${severity}` : `facilities.${facility}.${severity}`
      throw invalidOption(option, `a size of at most ${RING_MAX_BYTES} bytes`, bytes)
    }
    this.#capacity = powerOfTwo(Math.max(bytes, RING_MIN_BYTES)) / 4
    this.#mask = this.#capacity - 1
    const page = Math.min(RING_EVICTION_STEP / 4, this.#capacity >> 2)
    this.#pageBits = Math.log2(page)
    this.#pageFrames = new Int32Array(this.#capacity / page)
    const memory = new SharedArrayBuffer((this.#capacity + CONTROL_WORDS) * 4)
    this.handle = { memory, severity, facility, thread }
    this.#words = new Int32Array(memory)
    this.#longs = new BigUint64Array(memory)
    this.#ordinal = new Float64Array(memory, 0, CONTROL_WORDS / 2)
    // Frames take an even number of words, so that events are aligned to eight bytes.
    this.#words[HEAD] = startAt & ~1
    this.#words[TAIL] = startAt & ~1
  }

  get capacityBytes(): number {
    return this.#capacity * 4
  }

  /** Bytes of one event at most: half the ring, so that the newest frame is whole until the next one is published. */
  get largestEvent(): number {
    return (this.#capacity / 2 - FRAME_OVERHEAD_WORDS) * 4
  }

  get usedBytes(): number {
    return this.#state.usedBytes
  }

  /** Events written since the beginning, and those of them that were let go. */
  get written(): number {
    return this.#ordinal[NEXT_ORDINAL_F64] as number
  }

  get evicted(): number {
    return this.#state.evicted
  }

  /** Time of the oldest event, microseconds since the epoch; 0 where the ring holds none. */
  get oldestTime(): number {
    return this.#state.oldest
  }

  get #state(): RingState {
    return stateOfRing(this.handle)
  }

  /** Told when the event that was appended last had been given its `seq` long before. */
  markOutOfOrder(): void {
    Atomics.store(this.#words, OUT_OF_ORDER, 1)
  }

  /**
   * Appends an event, letting the oldest go as needed.
   * @param event the event from index 0, eight bytes an element; the padding after `bytes` may hold anything
   * @param bytes 1 up to {@link largestEvent}
   * @returns false, and nothing written, if it is longer than that
   */
  append(event: BigUint64Array, bytes: number): boolean {
    const words = this.#words
    const mask = this.#mask
    const need = frameWords(bytes)
    const head = words[HEAD] as number
    if (((head - (words[TAIL] as number)) >>> 0) + need > mask + 1 && !this.#evict(head, need)) return false
    const ordinals = this.#ordinal
    const ordinal = ordinals[NEXT_ORDINAL_F64] as number
    const start = CONTROL_WORDS + (head & mask)
    words[start] = bytes
    words[start + 1] = ordinal
    const end = start + need - 2
    if (end <= CONTROL_WORDS + mask && need <= LOOPED_WORDS) {
      const longs = this.#longs
      const length = (need - FRAME_OVERHEAD_WORDS) >> 1
      let i = 0
      let to = (start + 2) >> 1
      // The engine looks at both arrays anew in each turn: four elements a turn take half the time.
      for (; i + 4 <= length; i += 4, to += 4) {
        longs[to] = event[i] as bigint
        longs[to + 1] = event[i + 1] as bigint
        longs[to + 2] = event[i + 2] as bigint
        longs[to + 3] = event[i + 3] as bigint
      }
      for (; i < length; i++, to++) longs[to] = event[i] as bigint
      words[end] = ordinal
      words[end + 1] = bytes
    } else if (!this.#appendElsewhere(event, head, need, ordinal, bytes)) return false
    Atomics.store(words, HEAD, (head + need) | 0)
    ordinals[NEXT_ORDINAL_F64] = ordinal + 1
    const pages = ((head + need) >>> this.#pageBits) - (head >>> this.#pageBits)
    if (pages !== 0) this.#enterPages(head, head + need)
    return true
  }

  /** Notes that the frame at `end` is the first of the pages that begin behind `head` and up to it. */
  #enterPages(head: number, end: number): void {
    const bits = this.#pageBits
    const last = this.#pageFrames.length - 1
    for (let i = ((end - ((head >>> bits) << bits)) >>> 0) >>> bits; i > 0; i--) {
      this.#pageFrames[((head >>> bits) + i) & last] = end
    }
  }

  /** Event and end of a frame that is long, or runs across the end of the memory. @returns false if it is too long */
  #appendElsewhere(
    event: BigUint64Array,
    head: number,
    need: number,
    ordinal: number,
    bytes: number,
  ): boolean {
    if (need > this.#capacity / 2) return false
    const length = (need - FRAME_OVERHEAD_WORDS) >> 1
    const start = ((head + 2) & this.#mask) >> 1
    const first = Math.min(length, (this.#capacity >> 1) - start)
    this.#longs.set(event.subarray(0, first), (CONTROL_WORDS >> 1) + start)
    if (first < length) this.#longs.set(event.subarray(first, length), CONTROL_WORDS >> 1)
    const end = CONTROL_WORDS + ((head + need - 2) & this.#mask)
    this.#words[end] = ordinal
    this.#words[end + 1] = bytes
    return true
  }

  /**
   * Lets whole frames go until `need` words and a page more are free. Where to is looked up: the frames themselves were
   * written long ago, and are in no cache. The read-modify-write orders it before the bytes.
   */
  #evict(head: number, need: number): boolean {
    if (need > this.#capacity / 2) return false
    const bits = this.#pageBits
    const behind = head + need - this.#capacity + (2 << bits) - 1
    const page = (behind >>> bits) & (this.#pageFrames.length - 1)
    const tail = this.#words[TAIL] as number
    Atomics.add(this.#words, TAIL, (this.#pageFrames[page] as number) - tail)
    return true
  }
}

function powerOfTwo(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes))
}
