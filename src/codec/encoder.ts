import { EVENT_BYTES } from '../base/limits'
import type { Redactor } from '../event/redact'
import { FlatWriter, isError } from './flat'
import { ReadyText, textBytes } from './keys'

/** What an event carries beside its fields. Absent parts cost nothing. */
export interface EventExtras {
  readonly error?: unknown
  readonly traceId?: string | undefined
  readonly spanId?: string | undefined
  readonly parent?: number | undefined
  readonly thread?: number | undefined
  /** Fields of the logger or of the context; those of the call win. */
  readonly bound?: Readonly<Record<string, unknown>> | undefined
}

const NONE: EventExtras = Object.freeze({})
const SEQ_AT = 2

/**
 * Event → MessagePack in private memory: `[seq, time, severity, message, facility, fields, more?]` (FORMAT.md, "Event").
 *
 * The common event, a text and a handful of flat fields, takes a path of its own (`flat.ts`); everything else goes
 * the long way (`values.ts`). An encoder in use must not be used again from inside: `busy` says so.
 */
export class EventEncoder extends FlatWriter {
  busy = false
  /** Bytes that the last event lost to the limit. */
  cut = 0
  readonly #capacity: number
  #facility = new ReadyText('')
  #message = new ReadyText('')
  #messages = 0

  /** @param capacity bytes that one event takes at most, 4 KiB or more */
  constructor(redactor: Redactor, capacity = EVENT_BYTES) {
    super(capacity, redactor)
    this.#capacity = capacity
    this.bytes[1] = 0xcb
    this.bytes[10] = 0xcb
  }

  /**
   * Encodes an event; its bytes are `bytes.subarray(0, result)` until the next call. Never throws.
   * @param time microseconds since the epoch
   * @param severity 1–24
   * @param fields an object, an Error, undefined; anything else becomes the field `value`
   * @returns length in bytes
   */
  encode(time: number, severity: number, message: unknown, facility: string, fields: unknown, extras = NONE): number {
    const capacity = this.#capacity
    this.at = 19
    this.cutBytes = 0
    this.eventError = extras.error
    this.view.setFloat64(11, time)
    this.bytes[this.at++] = severity
    this.limit = capacity >> 1
    this.#text(message)
    if (this.#facility.text !== facility) this.#facility = new ReadyText(facility.slice(0, 256))
    this.ready(this.#facility)
    this.limit = this.eventError === undefined ? capacity - 1024 : (capacity * 3) >> 2
    this.#fields(fields, extras.bound)
    this.limit = capacity - 512
    this.#more(extras)
    this.cut = this.cutBytes
    return this.at
  }

  /** Sets the `seq` of the event that was encoded last. */
  stamp(seq: number): void {
    this.view.setFloat64(SEQ_AT, seq)
  }

  /** Most calls name the same text again and again; a second copy of it costs less than its first. */
  #text(message: unknown): void {
    if (typeof message !== 'string') this.plainText(message === undefined ? '' : textOf(message))
    else if (message === this.#message.text) this.ready(this.#message)
    else if (!this.shortText(message)) this.longText(this.redactor.text(message))
    else if ((++this.#messages & 3) === 0) this.#message = new ReadyText(message)
  }

  #fields(fields: unknown, bound: EventExtras['bound']): void {
    if (fields === undefined && bound === undefined) {
      this.byte(0x80)
      return
    }
    const head = this.openMap()
    if (typeof fields !== 'object' || fields === null) {
      this.#otherFields(head, fields, bound)
      return
    }
    const start = this.at
    try {
      if (bound !== undefined || this.needsCare(fields)) this.#carefully(head, fields, bound)
      else this.flat(head, fields)
    } catch (error) {
      this.at = start
      this.startValues()
      this.close(head, 1)
      this.raw(FIELDS_FAILED)
      this.text(String(error instanceof Error ? error.message : 'unreadable fields').slice(0, 200))
    }
  }

  /** Getters that throw, redaction by path or function, bound fields, class instances. */
  #carefully(head: number, fields: object, bound: EventExtras['bound']): void {
    this.startValues()
    if (isError(fields)) {
      this.eventError ??= fields
      this.close(head, bound === undefined ? 0 : this.entries(bound, Object.keys(bound), 16))
      return
    }
    const names = Object.keys(fields).filter((name) => !this.#takesErrorOf(fields, name))
    let count = 0
    if (bound !== undefined) {
      const kept = Object.keys(bound).filter((name) => !Object.hasOwn(fields, name))
      count += this.entries(bound, kept, 16)
    }
    count += this.entries(fields, names, 16)
    this.close(head, count)
  }

  #otherFields(head: number, fields: unknown, bound: EventExtras['bound']): void {
    let count = 0
    this.startValues()
    if (bound !== undefined) count += this.entries(bound, Object.keys(bound), 16)
    if (fields !== undefined && fields !== null) count += this.entries({ value: fields }, VALUE_NAME, 16)
    this.close(head, count)
  }

  #takesErrorOf(fields: object, name: string): boolean {
    if (name !== 'err' && name !== 'error') return false
    const own = Object.getOwnPropertyDescriptor(fields, name)
    return this.takeError(name, own?.value)
  }

  #more(extras: EventExtras): void {
    if (this.eventError === undefined && extras === NONE && this.cutBytes === 0) {
      this.bytes[0] = 0x96
      return
    }
    const head = this.at
    this.at = head + 1
    let count = this.#errorOf()
    count += this.#pairOf('traceId', extras.traceId)
    count += this.#pairOf('spanId', extras.spanId)
    count += this.#pairOf('parent', extras.parent)
    count += this.#pairOf('thread', extras.thread)
    if (this.cutBytes > 0) count += this.#pairOf('cut', this.cutBytes)
    this.bytes[head] = 0x80 | count
    this.bytes[0] = count === 0 ? 0x96 : 0x97
    if (count === 0) this.at = head
  }

  #errorOf(): number {
    const error = this.eventError
    this.eventError = undefined
    if (error === undefined || error === null) return 0
    this.raw(ERROR_KEY)
    this.startValues()
    const start = this.at
    try {
      if (typeof error === 'object') this.error(error, 12, false)
      else this.#errorOfText(error)
    } catch {
      this.at = start
      this.raw(UNREADABLE_ERROR)
    }
    return 1
  }

  /** Anything may be thrown: `throw 'no'`. */
  #errorOfText(error: unknown): void {
    this.bytes[this.at++] = 0x82
    this.raw(NAME_KEY)
    this.plainText(typeof error)
    this.raw(MESSAGE_KEY)
    this.plainText(textOf(error))
  }

  #pairOf(name: 'traceId' | 'spanId' | 'parent' | 'thread' | 'cut', value: string | number | undefined): number {
    if (value === undefined) return 0
    this.raw(MORE_KEYS[name])
    if (typeof value === 'number') this.num(value)
    else this.plainText(value.slice(0, 256))
    return 1
  }
}

const ERROR_KEY = textBytes('error')
const NAME_KEY = textBytes('name')
const MESSAGE_KEY = textBytes('message')
const FIELDS_FAILED = textBytes('fields failed')
const UNREADABLE_ERROR = Uint8Array.from([0x81, ...NAME_KEY, ...textBytes('unreadable error')])
const VALUE_NAME = ['value']
const MORE_KEYS = {
  traceId: textBytes('traceId'),
  spanId: textBytes('spanId'),
  parent: textBytes('parent'),
  thread: textBytes('thread'),
  cut: textBytes('cut'),
}

function textOf(value: unknown): string {
  try {
    if (value instanceof Error) return value.message
    if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? String(value)
    return String(value)
  } catch {
    return '[a message that cannot be shown]'
  }
}
