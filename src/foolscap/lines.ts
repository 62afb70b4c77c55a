/** A line without its end; or what is known of one that is too long to be held. */
export interface Line {
  /** Absent where the line is longer than the limit. */
  readonly bytes?: Uint8Array
  /** Bytes with the newline. */
  readonly length: number
  readonly offset: number
  /** False for the last one of a file that does not end with a newline. */
  readonly isEnded: boolean
}

const NEWLINE = 0x0a

/** Cuts bytes into lines, and holds no more than one of them. A line's bytes are valid until the next step. */
export class Lines {
  readonly #maxBytes: number
  #held = new Uint8Array(64 * 1024)
  #length = 0
  /** Bytes of the line in hand that are not held, because it is too long. */
  #skipped = 0
  #offset = 0

  /** @param maxBytes of one line */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Position in the whole, after what was given out. */
  get offset(): number {
    return this.#offset
  }

  *push(bytes: Uint8Array): Generator<Line, void> {
    let from = 0
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from)
      if (end === -1) break
      const isWhole = this.#length + this.#skipped === 0
      if (isWhole && end - from <= this.#maxBytes) yield this.#line(bytes.subarray(from, end), 1)
      else {
        this.#hold(bytes.subarray(from, end))
        yield this.#take(1)
      }
      from = end + 1
    }
    this.#hold(bytes.subarray(from))
  }

  /** The last line, where it has no newline. */
  *end(): Generator<Line, void> {
    if (this.#length + this.#skipped > 0) yield this.#take(0)
  }

  /** Forgets a line that is not to be completed. @returns its bytes */
  drop(): number {
    return this.#take(0).length
  }

  #take(newline: number): Line {
    if (this.#skipped === 0) {
      const bytes = this.#held.subarray(0, this.#length)
      this.#length = 0
      return this.#line(bytes, newline)
    }
    const length = this.#length + this.#skipped + newline
    const line = { length, offset: this.#offset, isEnded: newline === 1 }
    this.#offset += length
    this.#length = 0
    this.#skipped = 0
    return line
  }

  #line(bytes: Uint8Array, newline: number): Line {
    const offset = this.#offset
    this.#offset += bytes.length + newline
    return { bytes, length: bytes.length + newline, offset, isEnded: newline === 1 }
  }

  #hold(bytes: Uint8Array): void {
    const room = Math.max(0, this.#maxBytes - this.#length)
    const kept = this.#skipped > 0 ? bytes.subarray(0, 0) : bytes.subarray(0, room)
    this.#skipped += bytes.length - kept.length
    if (this.#length + kept.length > this.#held.length) {
      const grown = new Uint8Array(Math.max(2 * this.#held.length, this.#length + kept.length))
      grown.set(this.#held.subarray(0, this.#length))
      this.#held = grown
    }
    this.#held.set(kept, this.#length)
    this.#length += kept.length
  }
}
