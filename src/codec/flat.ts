import { types } from 'node:util'
import { VALUE_ENTRIES } from '../base/limits'
import { REDACTED } from '../base/secret-names'
import { InfoPart, infoPart, type Key } from './keys'
import { ValueWriter } from './values'

/** Texts up to here are written by the loop below. */
const LOOPED_TEXT = 32
const AT_SIGN = 0x40

/**
 * The way of nearly all events: a flat object of short texts and numbers.
 *
 * Position and buffers are locals of one function: kept in the object, every byte would wait for the one before it to
 * come back from memory (measured: 190 ns an event through small methods, 95 ns so). Whatever is not short and flat is
 * handed, value by value, to {@link ValueWriter}.
 */
export class FlatWriter extends ValueWriter {
  /** The error among the fields, which becomes the event's own. */
  protected eventError: unknown
  /** Whether the fields are a logger's info object, of which some keys are parts of the event. */
  protected fromInfo = false
  protected infoTraceId: string | undefined
  protected infoSpanId: string | undefined

  /**
   * Writes the entries of a plain object behind an open map. Getters may throw through it.
   * @param except another object, whose entries come as well, and win
   * @returns entries written
   */
  protected flat(fields: object, except?: object): number {
    const bytes = this.bytes
    const view = this.view
    const loops = !this.searchesAll
    const fromInfo = this.fromInfo
    let at = this.at
    let count = 0
    let taken = 0
    let key = this.keys.first
    for (const name in fields) {
      if (at >= this.limit || count >= VALUE_ENTRIES) {
        this.at = at
        for (const later of ERROR_NAMES) this.takePartOf(fields, later)
        this.missing(this.fieldNames(fields).length - count - taken)
        at = this.at
        count++
        break
      }
      const expected: Key | undefined = key.next
      key = expected !== undefined && expected.name === name ? expected : this.keys.after(key, name)
      if (except !== undefined && Object.hasOwn(except, name)) {
        taken++
        continue
      }
      if (fromInfo && key.part !== InfoPart.field) {
        if (key.part === InfoPart.own) continue
        if (!key.redacted && this.takeId(key.part, (fields as Record<string, unknown>)[name])) {
          taken++
          continue
        }
      }
      const start = at
      let doubles = key.ready.doubles
      for (let i = 0, p = at; i < doubles.length; i++, p += 8) view.setFloat64(p, doubles[i] as number, true)
      at += key.ready.length
      count++
      const value: unknown = key.redacted ? REDACTED : (fields as Record<string, unknown>)[name]
      if (typeof value === 'string' && loops && value.length < LOOPED_TEXT) {
        const length = value.length
        if (length === key.usual.text.length && value === key.usual.text) {
          doubles = key.usual.doubles
          for (let i = 0, p = at; i < doubles.length; i++, p += 8)
            view.setFloat64(p, doubles[i] as number, true)
          at += length + 1
          key.hits++
          continue
        }
        let i = 0
        for (; i + 4 <= length; i += 4) {
          const a = value.charCodeAt(i)
          const b = value.charCodeAt(i + 1)
          const c = value.charCodeAt(i + 2)
          const d = value.charCodeAt(i + 3)
          if ((a | b | c | d) > 0x7f) break
          if (a === AT_SIGN || b === AT_SIGN || c === AT_SIGN || d === AT_SIGN) break
          view.setInt32(at + 1 + i, a | (b << 8) | (c << 16) | (d << 24), true)
        }
        for (; i < length; i++) {
          const code = value.charCodeAt(i)
          if (code > 0x7f || code === AT_SIGN) break
          bytes[at + 1 + i] = code
        }
        if (i === length) {
          bytes[at] = 0xa0 | length
          at += length + 1
          key.missed(value)
          continue
        }
      } else if (typeof value === 'number') {
        const whole = value | 0
        if (whole !== value) {
          bytes[at] = 0xcb
          view.setFloat64(at + 1, value)
          at += 9
        } else if (whole >= 0x80) {
          bytes[at] = 0xd2
          view.setInt32(at + 1, whole)
          at += 5
        } else if (whole > 0) bytes[at++] = whole
        else {
          this.at = at
          this.num(value)
          at = this.at
        }
        continue
      }
      this.at = at
      if (typeof value === 'object' && value !== null && this.takeError(name, value)) {
        at = start
        count--
        taken++
      } else {
        this.value(value)
        at = this.at
      }
    }
    this.at = at
    return count
  }

  /**
   * Whether the object is anything but a plain one, or its values must be shown to somebody. Asking for `constructor` costs
   * a third of asking for the prototype; whoever has one of his own just takes the long way.
   */
  protected needsCare(fields: object): boolean {
    return this.redactor.seesValues || fields.constructor !== Object
  }

  /** An error under `err` or `error` is the event's error, not one of its fields. */
  protected takeError(name: string, value: unknown): boolean {
    if ((name !== 'err' && name !== 'error') || this.eventError !== undefined || !isError(value)) return false
    this.eventError = value
    return true
  }

  /** An error or id that is to be taken out, or exchanged by a function, stays a field like any other. */
  protected takePartOf(fields: object, name: string): boolean {
    const part = this.fromInfo ? infoPart(name) : InfoPart.field
    if (name !== 'err' && name !== 'error' && part === InfoPart.field) return false
    const { redactor } = this
    if (redactor.takesName(name) || redactor.takesPath(name)) return false
    const value: unknown = Object.getOwnPropertyDescriptor(fields, name)?.value
    const isPart = isError(value) || part !== InfoPart.field
    if (redactor.hasFunctions && isPart && redactor.value(name, value) !== value) return false
    return part === InfoPart.field ? this.takeError(name, value) : this.takeId(part, value)
  }

  protected fieldNames(fields: object): string[] {
    const names = Object.keys(fields)
    return this.fromInfo ? names.filter((name) => infoPart(name) !== InfoPart.own) : names
  }

  /** A text under a key that tracing libraries use is the event's id, not one of its fields. */
  protected takeId(part: InfoPart, value: unknown): boolean {
    if (typeof value !== 'string' || value === '') return false
    if (part === InfoPart.traceId) this.infoTraceId = value
    else if (part === InfoPart.spanId) this.infoSpanId = value
    else return false
    return true
  }
}

const ERROR_NAMES = ['err', 'error']

/** An error of this or another realm. A proxy is not asked. */
export function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true
  return typeof value === 'object' && value !== null && !types.isProxy(value) && value instanceof Error
}
