import { FlogError } from '../base/errors'
import { DECODE_DEPTH } from '../base/limits'
import type { ErrorRecord, LogEvent, Plain, PlainObject } from '../event/event'

/**
 * MessagePack → plain values and events, for bytes that anybody may have written.
 *
 * Strict where `msgpackr` is lenient: depth is bounded, lengths are held against the bytes that are there, 0xc1 and
 * extension types are refused, map keys are strings, and no object that comes out has a prototype to reach
 * (https://github.com/msgpack/msgpack/blob/master/spec.md).
 */

/** Offsets in an encoded event; see FORMAT.md, "Event". */
const SEQ_AT = 2
const TIME_AT = 11
const SEVERITY_AT = 19

/** `seq` of the encoded event that starts at `at`; no check is made. */
export function peekSeq(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getFloat64(at + SEQ_AT)
}

/** Time, in microseconds, of the encoded event that starts at `at`; no check is made. */
export function peekTime(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getFloat64(at + TIME_AT)
}

/** Severity, 1–24, of the encoded event that starts at `at`; no check is made. */
export function peekSeverity(bytes: Uint8Array, at = 0): number {
  return bytes[at + SEVERITY_AT] ?? 0
}

/**
 * The one value that `bytes` holds.
 * @throws FlogError FLOG_VALUE_MALFORMED when they hold anything else
 */
export function decodeValue(bytes: Uint8Array): Plain {
  const cursor = new Cursor(bytes)
  const value = cursor.value(DECODE_DEPTH)
  cursor.end()
  return value
}

/**
 * The first value in `bytes` and its length, where padding or other values may follow.
 * @throws FlogError FLOG_VALUE_MALFORMED
 */
export function decodePrefix(bytes: Uint8Array): { readonly value: Plain; readonly length: number } {
  const cursor = new Cursor(bytes)
  const value = cursor.value(DECODE_DEPTH)
  return { value, length: cursor.at }
}

/**
 * The event that `bytes`, or the part of them from `start` to `end`, hold. Elements and keys that a newer writer added are
 * ignored.
 * @throws FlogError FLOG_EVENT_MALFORMED
 */
export function decodeEvent(bytes: Uint8Array, start = 0, end = bytes.length): LogEvent {
  const cursor = new Cursor(bytes, start, end)
  try {
    return cursor.isUsualEvent() ? usualEvent(cursor) : unusualEvent(cursor)
  } catch (error) {
    if (FlogError.is(error, 'FLOG_VALUE_MALFORMED')) throw malformedEvent(error.message, error)
    throw error
  }
}

/** Written as our writer does: a head of fixed width, six elements or seven. */
function usualEvent(cursor: Cursor): LogEvent {
  const count = cursor.count()
  const seq = cursor.value(0)
  const time = cursor.value(0)
  const severity = cursor.value(0)
  const message = cursor.familiar()
  const facility = cursor.familiar()
  const fields = cursor.value(DECODE_DEPTH - 1)
  const more = count > 6 ? cursor.value(DECODE_DEPTH - 1) : undefined
  cursor.end()
  return assemble(seq, time, severity, message, facility, fields, more)
}

function unusualEvent(cursor: Cursor): LogEvent {
  const parts = cursor.value(DECODE_DEPTH)
  cursor.end()
  if (!Array.isArray(parts) || parts.length < 6) throw malformedEvent('not an array of at least 6 elements')
  const [seq, time, severity, message, facility, fields, more] = parts as readonly Plain[]
  return assemble(seq, time, severity, message, facility, fields, more)
}

/** An object without anything inherited, yet with fast properties: its prototype is an empty object without one. */
export const Bare = function Bare() {} as unknown as new () => Record<string, Plain>
Object.defineProperty(Bare, 'prototype', { value: Object.freeze(Object.create(null)) })

function assemble(
  seq: Plain | undefined,
  time: Plain | undefined,
  severity: Plain | undefined,
  message: Plain | undefined,
  facility: Plain | undefined,
  fields: Plain | undefined,
  more: Plain | undefined,
): LogEvent {
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0)
    throw malformedEvent('seq is no whole number')
  if (typeof time !== 'number') throw malformedEvent('time is no number')
  if (!isSeverity(severity)) throw malformedEvent('severity is not 1 to 24')
  if (typeof message !== 'string') throw malformedEvent('message is no text')
  const base = {
    seq,
    time,
    severity,
    message,
    facility: typeof facility === 'string' ? facility : '',
    fields: isPlainObject(fields) ? fields : EMPTY,
  }
  return isPlainObject(more) ? { ...base, ...extras(more) } : base
}

function extras(more: PlainObject): Partial<LogEvent> {
  const out: { -readonly [K in keyof LogEvent]?: LogEvent[K] } = {}
  const { error, traceId, spanId, parent, thread, cut } = more
  if (isPlainObject(error)) out.error = errorRecord(error)
  if (typeof traceId === 'string') out.traceId = traceId
  if (typeof spanId === 'string') out.spanId = spanId
  if (typeof parent === 'number') out.parent = parent
  if (typeof thread === 'number') out.thread = thread
  if (typeof cut === 'number') out.cut = cut
  return out
}

function errorRecord(map: PlainObject): ErrorRecord {
  const { name, message, stack, code, cause, errors, fields } = map
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : '',
    ...(typeof stack === 'string' && { stack }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(cause !== undefined && { cause }),
    ...(Array.isArray(errors) && { errors: errors as readonly Plain[] }),
    ...(isPlainObject(fields) && { fields }),
  }
}

function isSeverity(value: Plain | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 24
}

const EMPTY: PlainObject = Object.freeze(new Bare())

function isPlainObject(value: Plain | undefined): value is PlainObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function malformedEvent(what: string, cause?: unknown): FlogError {
  return new FlogError('FLOG_EVENT_MALFORMED', `not an event: ${what}`, { cause })
}

function malformed(what: string, at: number): FlogError {
  return new FlogError('FLOG_VALUE_MALFORMED', `${what} at byte ${at}`, { details: { at } })
}

/** One view a buffer, as long as the same one is asked for again and again, which is the case in every loop. */
let lastBytes: Uint8Array | undefined
let lastView: DataView | undefined
function viewOf(bytes: Uint8Array): DataView {
  if (bytes === lastBytes && lastView !== undefined) return lastView
  lastBytes = bytes
  lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return lastView
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
/** Up to here a loop over characters is faster than a call into the decoder. */
const SHORT_TEXT = 24

/**
 * Names of fields, messages and facilities come again and again. The last one with these few bytes and this length is
 * remembered, and is given out where all bytes are the same: it need not be made anew, nor looked up in the engine's table of
 * names.
 */
const familiarTexts: string[] = new Array<string>(1024).fill('')
const FAMILIAR_BYTES = 64

class Cursor {
  at: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.at = start
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#end = end
  }

  end(): void {
    if (this.at !== this.#end) throw malformed('unexpected bytes after the value', this.at)
  }

  /** An array of six or seven elements that begins with two float64. */
  isUsualEvent(): boolean {
    const [bytes, at] = [this.#bytes, this.at]
    return (
      ((bytes[at] as number) & 0xfe) === 0x96 &&
      this.#end - at > SEVERITY_AT &&
      bytes[at + SEQ_AT - 1] === 0xcb &&
      bytes[at + TIME_AT - 1] === 0xcb
    )
  }

  /** Elements of the short array that begins here. */
  count(): number {
    return (this.#bytes[this.#take(1)] as number) & 0x0f
  }

  /** A value that is mostly a text that was here before. */
  familiar(): Plain {
    const at = this.at
    if (at >= this.#end) return this.value(0)
    const type = this.#bytes[at] as number
    if (type >= 0xa0 && type < 0xc0) {
      this.at = at + 1
      return this.#familiarText(type & 0x1f)
    }
    if (type === 0xd9 && at + 1 < this.#end) {
      this.at = at + 2
      return this.#familiarText(this.#bytes[at + 1] as number)
    }
    return this.value(0)
  }

  #familiarText(length: number): string {
    const at = this.at
    if (length === 0 || length > FAMILIAR_BYTES || length > this.#end - at) return this.#text(length)
    const bytes = this.#bytes
    const slot =
      ((bytes[at] as number) * 7 +
        (bytes[at + (length >> 1)] as number) * 61 +
        (bytes[at + length - 1] as number) * 13 +
        length * 31) &
      (familiarTexts.length - 1)
    const known = familiarTexts[slot] as string
    if (known.length === length && isAt(known, bytes, at)) {
      this.at = at + length
      return known
    }
    const text = this.#text(length)
    familiarTexts[slot] = text
    return text
  }

  value(depth: number): Plain {
    const at = this.#take(1)
    const type = this.#bytes[at] as number
    if (type < 0x80) return type
    if (type < 0x90) return this.#map(type & 0x0f, depth)
    if (type < 0xa0) return this.#array(type & 0x0f, depth)
    if (type < 0xc0) return this.#text(type & 0x1f)
    if (type >= 0xe0) return type - 0x100
    return this.#tagged(type, at, depth)
  }

  #tagged(type: number, at: number, depth: number): Plain {
    const view = this.#view
    switch (type) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#binary(view.getUint8(this.#take(1)))
      case 0xc5:
        return this.#binary(view.getUint16(this.#take(2)))
      case 0xc6:
        return this.#binary(view.getUint32(this.#take(4)))
      case 0xca:
        return view.getFloat32(this.#take(4))
      case 0xcb:
        return view.getFloat64(this.#take(8))
      case 0xcc:
        return view.getUint8(this.#take(1))
      case 0xcd:
        return view.getUint16(this.#take(2))
      case 0xce:
        return view.getUint32(this.#take(4))
      case 0xcf:
        return wide(view.getBigUint64(this.#take(8)))
      case 0xd0:
        return view.getInt8(this.#take(1))
      case 0xd1:
        return view.getInt16(this.#take(2))
      case 0xd2:
        return view.getInt32(this.#take(4))
      case 0xd3:
        return wide(view.getBigInt64(this.#take(8)))
      case 0xd9:
        return this.#text(view.getUint8(this.#take(1)))
      case 0xda:
        return this.#text(view.getUint16(this.#take(2)))
      case 0xdb:
        return this.#text(view.getUint32(this.#take(4)))
      case 0xdc:
        return this.#array(view.getUint16(this.#take(2)), depth)
      case 0xdd:
        return this.#array(view.getUint32(this.#take(4)), depth)
      case 0xde:
        return this.#map(view.getUint16(this.#take(2)), depth)
      case 0xdf:
        return this.#map(view.getUint32(this.#take(4)), depth)
      default:
        throw malformed(`type 0x${type.toString(16)} is not allowed here`, at)
    }
  }

  #map(count: number, depth: number): PlainObject {
    this.#expectEntries(count * 2, depth)
    const map = new Bare()
    for (let i = 0; i < count; i++) {
      const at = this.at
      const key = this.familiar()
      if (typeof key !== 'string') throw malformed('a map key is no text', at)
      map[key] = this.value(depth - 1)
    }
    return map
  }

  #array(count: number, depth: number): readonly Plain[] {
    this.#expectEntries(count, depth)
    const array: Plain[] = []
    for (let i = 0; i < count; i++) array.push(this.value(depth - 1))
    return array
  }

  #expectEntries(count: number, depth: number): void {
    if (depth <= 0) throw malformed('nested too deeply', this.at)
    if (count > this.#end - this.at) throw malformed('more entries than bytes', this.at)
  }

  #binary(length: number): Uint8Array {
    const at = this.#take(length)
    return Uint8Array.prototype.slice.call(this.#bytes, at, at + length)
  }

  #text(length: number): string {
    const at = this.#take(length)
    const bytes = this.#bytes
    if (length <= SHORT_TEXT) {
      let text = ''
      let i = at
      for (const end = at + length; i < end; i++) {
        const code = bytes[i] as number
        if (code > 0x7f) break
        text += String.fromCharCode(code)
      }
      if (i === at + length) return text
    }
    return utf8.decode(bytes.subarray(at, at + length))
  }

  #take(length: number): number {
    const at = this.at
    if (length > this.#end - at) throw malformed('the value ends too early', at)
    this.at = at + length
    return at
  }
}

/** Only a text of ASCII has a character for each byte, and the same ones. */
function isAt(text: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[at + i]) return false
  return true
}

/** A 64-bit integer: a number where it is exact, else tagged like a BigInt. */
function wide(value: bigint): Plain {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER))
    return Number(value)
  const map = new Bare()
  map['$'] = 'bigint'
  map['v'] = String(value)
  return map
}
