import { types } from 'node:util'
import { cutText, textBytes } from './keys'
import { Writer } from './writer'

/**
 * Writes values that MessagePack lacks and that hold no others: as a map whose key `$` names the kind (FORMAT.md, "Values").
 * A `$` that holds a number is the mark of a collection that was cut: so many entries are missing.
 */
export class TagWriter extends Writer {
  /** Any text as a value: redacted, cut, and with lone surrogates kept, each where it applies. */
  protected text(text: string): void {
    if (this.shortText(text)) return
    const kept = this.redactor.text(text)
    if (!kept.isWellFormed()) this.#loneSurrogates(kept)
    else if (this.#fits(kept)) this.longText(kept)
    else this.#cutText(kept)
  }

  #fits(text: string): boolean {
    const room = this.limit - this.at
    return text.length * 3 <= room || Buffer.byteLength(text) <= room
  }

  protected typed(view: ArrayBufferView): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    if (types.isUint8Array(view)) {
      this.binary(bytes)
      return
    }
    this.openTag('typed', 3)
    this.raw(TYPE_KEY)
    this.raw(literal((typedArrayKind.call(view) as string | undefined) ?? 'DataView'))
    this.raw(V_KEY)
    this.binary(bytes)
  }

  protected date(date: Date): void {
    const ms = Date.prototype.getTime.call(date)
    this.openTag('date', 2)
    this.raw(V_KEY)
    if (Number.isNaN(ms)) this.nil()
    else this.plainText(new Date(ms).toISOString())
  }

  protected bigint(value: bigint): void {
    // A decimal text of a number with millions of digits takes seconds; nobody reads them.
    const size = value < 0n ? -value : value
    const sign = value < 0n ? '-' : ''
    const lowest = BigInt.asUintN(256, size).toString(16).padStart(64, '0')
    this.tag('bigint', size >= HUGE ? `${sign}0x…${lowest}` : value.toString())
  }

  #loneSurrogates(text: string): void {
    const room = Math.max((this.limit - this.at) >> 1, 0)
    const units = Buffer.from(text.slice(0, room), 'utf16le')
    this.cutBytes += text.length * 2 - units.length
    this.openTag('text', 2)
    this.raw(V_KEY)
    this.binary(units)
  }

  #cutText(text: string): void {
    const before = this.cutBytes
    this.openTag('cut', 3)
    this.raw(V_KEY)
    this.longText(text)
    this.raw(BYTES_KEY)
    this.num(this.cutBytes - before)
  }

  protected missing(entries: number): void {
    this.cutBytes += entries
    this.raw(TAG_KEY)
    this.num(entries)
  }

  protected tagHead(tag: string): 1 {
    this.raw(TAG_KEY)
    this.raw(literal(tag))
    return 1
  }

  protected openTag(tag: string, entries: number): void {
    this.bytes[this.at++] = 0x80 | entries
    this.tagHead(tag)
  }

  protected tag(tag: string, text: string): void {
    this.openTag(tag, 2)
    this.raw(V_KEY)
    if (!this.shortText(text)) this.bounded(this.redactor.text(text), TAG_TEXT_BYTES)
  }

  /** A text that must not crowd out others. It was redacted before: half a secret is no match. */
  protected bounded(text: string, bytes: number): void {
    if (text.length * 3 <= bytes) {
      this.longText(text)
      return
    }
    const kept = cutText(text, bytes)
    if (kept.length === text.length) this.longText(text)
    else {
      this.cutBytes += Buffer.byteLength(text) - Buffer.byteLength(kept)
      this.longText(`${kept}…`)
    }
  }
}

const TAG_KEY = textBytes('$')
export const V_KEY = textBytes('v')
const TYPE_KEY = textBytes('type')
const BYTES_KEY = textBytes('bytes')
export const UNDEFINED = Uint8Array.from([0x81, ...TAG_KEY, ...textBytes('undefined')])
const HUGE = 2n ** 1024n
const TAG_TEXT_BYTES = 1024

/** Not the object's own, which may lie. */
const typedArrayKind = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Int8Array.prototype),
  Symbol.toStringTag,
)?.get as () => unknown

const literals = new Map<string, Uint8Array>()
export function literal(text: string): Uint8Array {
  let bytes = literals.get(text)
  if (bytes === undefined) {
    bytes = textBytes(text)
    literals.set(text, bytes)
  }
  return bytes
}
