import type { LogEvent, Plain, PlainObject } from '../event/event'

/** Room that is there to begin with; it doubles when it is needed. */
const FIRST_BYTES = 16 * 1024
const KEPT_BYTES = 64 * 1024
/** Most bytes that UTF-8 makes of one unit of a text. */
const BYTES_PER_UNIT = 3

/**
 * What has been decoded, encoded again: all of it, nothing cut, redacted or escaped. Decoding the bytes gives an equal value.
 * @returns bytes of their own
 */
export function encodePlain(value: Plain): Uint8Array {
  return written((writer) => writer.value(value))
}

/** An event as a writer of files has to make it (FORMAT.md, "Event"). */
export function encodePlainEvent(event: LogEvent): Uint8Array {
  const { seq, time, severity, message, facility, fields, ...extras } = event
  const more: Record<string, Plain> = {}
  for (const [key, value] of Object.entries(extras)) {
    if (value !== undefined) more[key] = value as Plain
  }
  const parts: Plain[] = [seq, time, severity, message, facility, fields]
  return encodeEventParts(Object.keys(more).length === 0 ? parts : [...parts, more])
}

/**
 * The elements of an event's array, as many as there are: also those that a later version added.
 * @param parts of which the first two are numbers, and written so that a filter finds them in their place
 */
export function encodeEventParts(parts: readonly Plain[]): Uint8Array {
  const [seq, time, ...others] = parts
  return written((writer) => {
    writer.head(parts.length, 0x90, 15, 0xdc)
    writer.float64(Number(seq))
    writer.float64(Number(time))
    for (const part of others) writer.value(part)
  })
}

/** One writer for all, since nothing of the caller's runs in between; a very large one is let go. */
let shared: PlainWriter | undefined

function written(write: (writer: PlainWriter) => void): Uint8Array {
  const writer = shared ?? new PlainWriter()
  shared = undefined
  write(writer)
  const bytes = writer.taken()
  if (bytes.length <= KEPT_BYTES) shared = writer
  return bytes
}

class PlainWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  taken(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#at)
    this.#at = 0
    return bytes
  }

  value(value: Plain): void {
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.#number(value)
    else if (value === null) this.#byte(0xc0)
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2)
    else if (value instanceof Uint8Array) this.#binary(value)
    else if (Array.isArray(value)) this.#array(value)
    else this.#map(value as PlainObject)
  }

  /** Of an array or a map. @param wide type byte for a length of 2 bytes; the one for 4 bytes follows it */
  head(length: number, small: number, smallest: number, wide: number): void {
    this.#room(5)
    if (length <= smallest) this.#byte(small | length)
    else if (length < 0x1_0000) {
      this.#byte(wide)
      this.#view.setUint16(this.#at, length)
      this.#at += 2
    } else this.#uint32(wide + 1, length)
  }

  float64(value: number): void {
    this.#room(9)
    this.#byte(0xcb)
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  #number(value: number): void {
    const isSmall = Number.isInteger(value) && value >= -32 && value <= 0xffff_ffff && !Object.is(value, -0)
    if (!isSmall) this.float64(value)
    else if (value < 0x80) this.#byte(value & 0xff)
    else this.#uint32(0xce, value)
  }

  #text(text: string): void {
    this.#room(5 + text.length * BYTES_PER_UNIT)
    // Where the text starts depends on how many bytes it takes: mostly as many as it has characters.
    const guess = textHeadBytes(text.length)
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(this.#at + guess))
    const head = textHeadBytes(written)
    if (head !== guess) {
      const from = this.#at + guess
      this.#bytes.copyWithin(this.#at + head, from, from + written)
    }
    this.#textHead(written)
    this.#at += written
  }

  #textHead(bytes: number): void {
    if (bytes < 32) this.#byte(0xa0 | bytes)
    else if (bytes < 0x1_0000) {
      this.#byte(0xda)
      this.#view.setUint16(this.#at, bytes)
      this.#at += 2
    } else this.#uint32(0xdb, bytes)
  }

  #binary(bytes: Uint8Array): void {
    this.#uint32(0xc6, bytes.length)
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #array(array: readonly Plain[]): void {
    this.head(array.length, 0x90, 15, 0xdc)
    for (const item of array) this.value(item)
  }

  #map(map: PlainObject): void {
    const keys = Object.keys(map)
    this.head(keys.length, 0x80, 15, 0xde)
    for (const key of keys) {
      this.#text(key)
      this.value(map[key] ?? null)
    }
  }

  #uint32(type: number, value: number): void {
    this.#byte(type)
    this.#room(4)
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  #byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + bytes))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

const utf8 = new TextEncoder()

function textHeadBytes(bytes: number): number {
  return bytes < 32 ? 1 : bytes < 0x1_0000 ? 3 : 5
}
