import {
  CONTROL_WORDS,
  capacityWords,
  frameWords,
  HEAD,
  NEXT_ORDINAL_F64,
  type RingHandle,
  TAIL,
} from './layout'

/** A whole event, copied into memory of its own. */
export interface Frame {
  readonly ordinal: number
  readonly payload: Uint8Array
}

/**
 * The reading end of a ring, in any thread, beside the writer. It takes no lock and never makes the writer wait: it copies
 * first and then checks that what it copied had not been given up meanwhile.
 *
 * `next()` gives whole events in order, or says with `missed` how many were overwritten before they could be read.
 */
export class RingReader {
  readonly handle: RingHandle
  /** Frames that were gone before they could be read, since the last `takeMissed()`. */
  #missed = 0
  /** Number of the next frame, not wrapped. */
  #ordinal = 0
  #position = 0
  readonly #words: Int32Array
  readonly #nextOrdinal: Float64Array
  readonly #mask: number
  readonly #capacity: number
  #private: Int32Array
  #peeked: { readonly frame: Frame; readonly words: number } | undefined

  /** @param start the number of the first frame wanted, `now` for what comes, `oldest` for all that is there */
  constructor(handle: RingHandle, start: 'now' | 'oldest' | number) {
    this.handle = handle
    this.#words = new Int32Array(handle.memory)
    this.#nextOrdinal = new Float64Array(handle.memory, 0, CONTROL_WORDS / 2)
    this.#capacity = capacityWords(handle.memory)
    this.#mask = this.#capacity - 1
    this.#private = new Int32Array(1024)
    if (start === 'now') this.#startAtHead()
    else this.#startAtTail(start)
  }

  /** Number of the next frame that `next()` gives, not wrapped, from 0 at the ring's beginning. */
  get ordinal(): number {
    return this.#ordinal
  }

  /** Frames that were overwritten unread since the last call. */
  takeMissed(): number {
    const missed = this.#missed
    this.#missed = 0
    return missed
  }

  /** The next event without moving on, or undefined where there is none yet. */
  peek(): Frame | undefined {
    while (this.#peeked === undefined) {
      if (Atomics.load(this.#words, HEAD) === this.#position) return undefined
      this.#peeked = this.#copy()
      if (this.#peeked === undefined) this.#resync()
      else this.#account(this.#peeked.frame.ordinal)
    }
    return this.#peeked.frame
  }

  /** The next event, or undefined where there is none yet. */
  next(): Frame | undefined {
    const frame = this.peek()
    if (frame === undefined || this.#peeked === undefined) return undefined
    this.#position = (this.#position + this.#peeked.words) | 0
    this.#ordinal = frame.ordinal + 1
    this.#peeked = undefined
    return frame
  }

  /** Frames between the expected one and this one are missed. */
  #account(ordinal: number): void {
    if (ordinal > this.#ordinal) this.#missed += ordinal - this.#ordinal
    this.#ordinal = ordinal
  }

  #startAtHead(): void {
    let ordinal: number | undefined
    do {
      this.#position = Atomics.load(this.#words, HEAD)
      ordinal = this.#ordinalOfHead(this.#position)
    } while (ordinal === undefined)
    this.#ordinal = ordinal
  }

  /** Frames before `from` are passed over; only those from there on can be missed. */
  #startAtTail(from: 'oldest' | number): void {
    const first = from === 'oldest' ? 0 : from
    this.#position = Atomics.load(this.#words, TAIL)
    if (from !== 'oldest') this.#approach(first)
    while (this.#arrive() < first && this.#peeked !== undefined) this.next()
    this.#missed = from === 'oldest' ? 0 : Math.max(0, this.#ordinal - from)
  }

  /**
   * Moves to about the frame numbered `first`, from the end of the ring that is nearer. Only the ends of frames are looked
   * at: a reader that comes back has most of the ring behind it, and copying all that took 70 ms.
   */
  #approach(first: number): void {
    const oldest = this.#unwrap(this.#at(this.#position + 1))
    const next = this.#nextOrdinal[NEXT_ORDINAL_F64] as number
    if (first - oldest < next - first) this.#forwardTo(first)
    else this.#backTo(first)
  }

  #forwardTo(first: number): void {
    for (;;) {
      const position = this.#position
      const available = (Atomics.load(this.#words, HEAD) - position) >>> 0
      if (available === 0 || available > this.#capacity) return
      const bytes = this.#at(position)
      const words = frameWords(bytes)
      if (bytes <= 0 || words > available) return
      if (!this.#isBelow(first, position, words)) return
      this.#position = (position + words) | 0
    }
  }

  #backTo(first: number): void {
    let position = Atomics.load(this.#words, HEAD)
    while (position !== Atomics.load(this.#words, TAIL)) {
      const bytes = this.#at(position - 1)
      const words = frameWords(bytes)
      const start = (position - words) | 0
      if (bytes <= 0 || words > this.#capacity || this.#isBelow(first, start, words) !== false) break
      position = start
    }
    this.#position = position
  }

  /** Whether the number of the frame there is below `first`; undefined where the writer has given it up. */
  #isBelow(first: number, position: number, words: number): boolean | undefined {
    const ordinal = this.#at(position + 1)
    const ordinalBehind = this.#at(position + words - 2)
    const tail = Atomics.or(this.#words, TAIL, 0)
    if (((position - tail) | 0) < 0 || ordinal !== ordinalBehind) return undefined
    return this.#unwrap(ordinal) < first
  }

  /** Number of the next frame: of one that is there, else of the one that will be at the head. */
  #arrive(): number {
    while (this.peek() === undefined) {
      const ordinal = this.#ordinalOfHead(this.#position)
      if (ordinal === undefined) continue
      this.#ordinal = ordinal
      break
    }
    return this.#ordinal
  }

  /**
   * Number of the frame that comes at `head`, from the one before it: the count beside the head may lag by one. Undefined
   * where the head has moved on.
   */
  #ordinalOfHead(head: number): number | undefined {
    const unused =
      (this.#nextOrdinal[NEXT_ORDINAL_F64] as number) === 0 && Atomics.load(this.#words, TAIL) === head
    const last = this.#unwrap(this.#at(head - 2))
    if (Atomics.or(this.#words, HEAD, 0) !== head) return undefined
    return unused ? 0 : last + 1
  }

  /** The reader fell behind: on with the oldest frame that is there. */
  #resync(): void {
    this.#position = Atomics.load(this.#words, TAIL)
  }

  /** Copies the frame at the position, then validates: undefined if the writer had given it up meanwhile. */
  #copy(): { readonly frame: Frame; readonly words: number } | undefined {
    const position = this.#position
    const head = Atomics.load(this.#words, HEAD)
    const available = (head - position) >>> 0
    if (available > this.#capacity) return undefined
    const bytes = this.#at(position)
    const words = frameWords(bytes)
    if (bytes <= 0 || words > available) return undefined
    const ordinal = this.#at(position + 1)
    this.#copyWords(position + 2, words - 4)
    const ordinalBehind = this.#at(position + words - 2)
    const bytesBehind = this.#at(position + words - 1)
    // A plain load could be moved before the copies by the processor (ARM); a read-modify-write cannot.
    const tail = Atomics.or(this.#words, TAIL, 0)
    const inside = ((position - tail) | 0) >= 0
    if (!inside || ordinal !== ordinalBehind || bytes !== bytesBehind) return undefined
    const payload = new Uint8Array(this.#private.buffer.slice(0, bytes) as ArrayBuffer)
    return { frame: { ordinal: this.#unwrap(ordinal), payload }, words }
  }

  #at(position: number): number {
    return this.#words[CONTROL_WORDS + (position & this.#mask)] as number
  }

  #copyWords(position: number, length: number): void {
    if (length > this.#private.length) this.#private = new Int32Array(length)
    const start = position & this.#mask
    const first = Math.min(length, this.#capacity - start)
    const from = CONTROL_WORDS + start
    this.#private.set(this.#words.subarray(from, from + first), 0)
    if (first < length)
      this.#private.set(this.#words.subarray(CONTROL_WORDS, CONTROL_WORDS + length - first), first)
  }

  /** The whole number of a frame of which the ring holds 32 bits: the nearest one not above the number of the head. */
  #unwrap(low: number): number {
    const next = this.#nextOrdinal[NEXT_ORDINAL_F64] as number
    return next - (((next | 0) - low) >>> 0)
  }
}
