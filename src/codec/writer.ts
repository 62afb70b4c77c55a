import type { Redactor } from '../event/redact'
import { cutText, type ReadyText } from './keys'

/** Texts up to here are written by a loop; longer ones by the engine, whose call costs as much as the loop over these. */
const LOOPED_TEXT = 64
const AT_SIGN = 0x40

/**
 * Bytes that an entry may run over a limit that it started below: a long key, a short value, and the mark of what is
 * missing for each of the collections around it.
 */
export const OVERRUN = 640

/**
 * Writes MessagePack primitives into private memory. Nothing of it is shared: user code (getters, proxies, `toJSON`) may
 * run between two writes and log again, which takes another writer.
 *
 * `limit` is soft: short things may run over it by up to {@link OVERRUN} bytes, long texts never do. Who writes a
 * collection asks {@link Writer.full} before each entry.
 */
export class Writer {
  static readonly SLACK = 1024

  /** Same memory three times; `longs` starts at byte 0. */
  readonly bytes: Buffer
  readonly longs: BigUint64Array
  protected readonly view: DataView
  protected at = 0
  protected limit: number
  /** Bytes left out so far because of the limit; collections count at least one byte an entry. */
  protected cutBytes = 0
  protected readonly redactor: Redactor
  protected readonly searchesAll: boolean

  /** @param capacity bytes that one value may take in all, at least 4 KiB */
  constructor(capacity: number, redactor: Redactor) {
    const memory = new ArrayBuffer((capacity + Writer.SLACK + 7) & ~7)
    this.bytes = Buffer.from(memory)
    this.longs = new BigUint64Array(memory)
    this.view = new DataView(memory)
    this.limit = capacity - Writer.SLACK
    this.redactor = redactor
    this.searchesAll = redactor.searchesAll
  }

  protected get full(): boolean {
    return this.at >= this.limit
  }

  protected byte(value: number): void {
    this.bytes[this.at++] = value
  }

  protected raw(bytes: Uint8Array): void {
    const target = this.bytes
    let at = this.at
    for (let i = 0; i < bytes.length; i++) target[at++] = bytes[i] as number
    this.at = at
  }

  protected ready(text: ReadyText): void {
    const doubles = text.doubles
    const view = this.view
    let at = this.at
    this.at = at + text.length
    for (let i = 0; i < doubles.length; i++, at += 8) view.setFloat64(at, doubles[i] as number, true)
  }

  protected nil(): void {
    this.bytes[this.at++] = 0xc0
  }

  protected bool(value: boolean): void {
    this.bytes[this.at++] = value ? 0xc3 : 0xc2
  }

  /** Integers in their shortest form, -0 and everything else as float64. */
  protected num(value: number): void {
    const at = this.at
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) this.at = this.#int(value, at)
    else {
      this.bytes[at] = 0xcb
      this.view.setFloat64(at + 1, value)
      this.at = at + 9
    }
  }

  /** A text without a lone surrogate mark: those become U+FFFD. For messages and names, which must be texts. */
  protected plainText(text: string): void {
    if (!this.#short(text)) this.longText(this.redactor.text(text))
  }

  /** Writes a short ASCII text. False, and nothing written, where it is not one, or may hold something to take out. */
  protected shortText(text: string): boolean {
    return this.#short(text)
  }

  /** A text of any length, in UTF-8; cut at the limit. Redaction has been done. */
  protected longText(text: string): void {
    const room = Math.max(this.limit - this.at, 0)
    const fits = text.length * 3 <= room || Buffer.byteLength(text) <= room
    const kept = fits ? text : cutText(text, room)
    if (!fits) this.cutBytes += Buffer.byteLength(text) - Buffer.byteLength(kept)
    const at = this.at
    const head = kept.length * 3 < 0x10000 ? 3 : 5
    const length = this.bytes.write(kept, at + head, 'utf8')
    if (head === 3) {
      this.bytes[at] = 0xda
      this.view.setUint16(at + 1, length)
    } else {
      this.bytes[at] = 0xdb
      this.view.setUint32(at + 1, length)
    }
    this.at = at + head + length
  }

  /** Bytes; cut at the limit. */
  protected binary(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, Math.max(this.limit - this.at, 0))
    this.cutBytes += bytes.length - kept.length
    this.bytes[this.at] = 0xc6
    this.view.setUint32(this.at + 1, kept.length)
    this.bytes.set(kept, this.at + 5)
    this.at += 5 + kept.length
  }

  /** Room for a map's head; `closeMap` fills it in. At most 65,535 entries. */
  protected openMap(): number {
    this.bytes[this.at] = 0xde
    this.at += 3
    return this.at - 3
  }

  protected openArray(): number {
    this.bytes[this.at] = 0xdc
    this.at += 3
    return this.at - 3
  }

  protected close(head: number, entries: number): void {
    this.bytes[head + 1] = entries >> 8
    this.bytes[head + 2] = entries
  }

  #short(text: string): boolean {
    const length = text.length
    if (length > LOOPED_TEXT || this.searchesAll) return false
    const bytes = this.bytes
    let at = this.at
    if (length < 32) bytes[at++] = 0xa0 | length
    else {
      bytes[at++] = 0xd9
      bytes[at++] = length
    }
    const view = this.view
    let i = 0
    for (; i + 4 <= length; i += 4) {
      const a = text.charCodeAt(i)
      const b = text.charCodeAt(i + 1)
      const c = text.charCodeAt(i + 2)
      const d = text.charCodeAt(i + 3)
      if ((a | b | c | d) > 0x7f) return false
      if (a === AT_SIGN || b === AT_SIGN || c === AT_SIGN || d === AT_SIGN) return false
      view.setInt32(at + i, a | (b << 8) | (c << 16) | (d << 24), true)
    }
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f || code === AT_SIGN) return false
      bytes[at + i] = code
    }
    this.at = at + length
    return true
  }

  #int(value: number, at: number): number {
    const bytes = this.bytes
    if (value >= 0 && value < 0x80) {
      bytes[at] = value
      return at + 1
    }
    if (value < 0 && value >= -32) {
      bytes[at] = value + 0x100
      return at + 1
    }
    if (value > 0 && value < 0x10000) {
      bytes[at] = 0xcd
      bytes[at + 1] = value >> 8
      bytes[at + 2] = value
      return at + 3
    }
    bytes[at] = 0xd2
    bytes[at + 1] = value >> 24
    bytes[at + 2] = value >> 16
    bytes[at + 3] = value >> 8
    bytes[at + 4] = value
    return at + 5
  }
}
