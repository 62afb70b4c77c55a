/**
 * Bytes that arrive in pieces and are looked at from the front.
 *
 * A parser is a generator that yields {@link MORE} when it needs bytes that have not come yet; whoever drives it appends
 * some and goes on. So a parser reads like one that owns the file, and runs wherever bytes come from.
 */
export const MORE = Symbol('more bytes, please')
export type More = typeof MORE

export class Input {
  #buffer: Uint8Array
  #start = 0
  #end = 0
  #ended = false
  #offset = 0

  constructor(capacity = 64 * 1024) {
    this.#buffer = new Uint8Array(capacity)
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#end - this.#start
  }

  /** Bytes that were consumed so far: position of the front in the whole. */
  get offset(): number {
    return this.#offset
  }

  /** Nothing comes after what is there, for now or for ever. */
  get ended(): boolean {
    return this.#ended
  }

  append(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  end(): void {
    this.#ended = true
  }

  /** After an end that was only that of a stretch. */
  resume(): void {
    this.#ended = false
  }

  /** What is there, or its first `length` bytes; valid until the next call of `append`. */
  view(length = this.length): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#start + Math.min(length, this.length))
  }

  /** Drops bytes from the front. Views on them stay valid until the next call of `append`. */
  consume(length: number): void {
    const dropped = Math.min(length, this.length)
    this.#start += dropped
    this.#offset += dropped
  }

  /** Waits until `length` bytes are there, or no more come. */
  *need(length: number): Generator<More, boolean> {
    while (this.length < length && !this.#ended) yield MORE
    return this.length >= length
  }

  #makeRoom(length: number): void {
    const held = this.length
    if (this.#end + length <= this.#buffer.length) return
    const target =
      held + length <= this.#buffer.length ? this.#buffer : new Uint8Array(roomFor(held + length))
    target.set(this.#buffer.subarray(this.#start, this.#end))
    this.#buffer = target
    this.#start = 0
    this.#end = held
  }
}

function roomFor(length: number): number {
  return 2 ** Math.ceil(Math.log2(length))
}
