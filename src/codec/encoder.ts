import { types } from 'node:util'
import { EVENT_BYTES, VALUE_DEPTH } from '../base/limits'
import type { Redactor } from '../event/redact'
import { decodeValue } from './decode'
import { FlatWriter, isError } from './flat'
import { ownNames, thrownText } from './hostile'
import { ReadyText, textBytes } from './keys'
import { OVERRUN } from './writer'

/** What an event carries beside its fields. Absent parts cost nothing. */
export interface EventExtras {
  readonly error?: unknown
  readonly traceId?: string | undefined
  readonly spanId?: string | undefined
  readonly parent?: number | undefined
  readonly thread?: number | undefined
  /** Fields of the logger or of the context; those of the call win. */
  readonly bound?: Readonly<Record<string, unknown>> | undefined
  /**
   * The fields are a logger's info object: its keys `level` and `message` are no fields, and neither is the `level` that
   * the logger set on the error; texts under `traceId` or `trace_id`, `spanId` or `span_id` are the event's ids.
   */
  readonly info?: boolean | undefined
}

const NONE: EventExtras = Object.freeze({})
/** For an info that brings nothing else. */
export const INFO_ONLY: EventExtras = Object.freeze({ info: true })
/** Texts of messages that are remembered. */
const MESSAGES = 256
const SEQ_AT = 2
const TIME_AT = 11

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
  /** Where the fields of an event end that has an error: it must not be crowded out. */
  readonly #beforeError: number
  #facility = new ReadyText('')
  #message = new ReadyText('')
  readonly #messages = new Map<string, ReadyText>()
  #unknown = 0
  readonly #thread: number

  /**
   * @param capacity bytes that one event takes at most, 4 KiB or more
   * @param thread that events are marked with; those of the main thread, 0, are not
   */
  constructor(redactor: Redactor, capacity = EVENT_BYTES, thread = 0) {
    super(capacity, redactor)
    this.#capacity = capacity
    this.#thread = thread
    this.#beforeError = (capacity * 5) >> 3
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
  encode(
    time: number,
    severity: number,
    message: unknown,
    facility: string,
    fields: unknown,
    extras = NONE,
  ): number {
    const capacity = this.#capacity
    this.at = 19
    this.cutBytes = 0
    this.eventError = extras.error
    this.fromInfo = extras.info === true
    this.infoTraceId = undefined
    this.infoSpanId = undefined
    this.view.setFloat64(TIME_AT, time)
    this.bytes[this.at++] = severity
    this.limit = capacity >> 1
    this.#text(message)
    if (this.#facility.text !== facility) this.#facility = new ReadyText(facility.slice(0, 256))
    this.ready(this.#facility)
    this.limit = this.eventError === undefined ? capacity - RESERVED : this.#beforeError
    this.#fields(fields, extras)
    this.limit = capacity - RESERVED
    this.#more(extras)
    this.cut = this.cutBytes
    return this.at
  }

  /** Sets the `seq` of the event that was encoded last. */
  stamp(seq: number): void {
    this.view.setFloat64(SEQ_AT, seq)
  }

  /** Programs log some hundred texts again and again; a second copy of one costs less than its first. */
  #text(message: unknown): void {
    if (typeof message !== 'string') this.#otherText(message)
    else if (message === this.#message.text) this.ready(this.#message)
    else {
      const known = this.#messages.get(message)
      if (known !== undefined) {
        this.#message = known
        this.ready(known)
      } else this.#newText(message)
    }
  }

  /** One in four is remembered: what is made up anew for each call costs the others their place. */
  #newText(message: string): void {
    if (!this.shortText(message)) this.longText(this.redactor.text(message))
    else if ((++this.#unknown & 3) === 0) {
      if (this.#messages.size >= MESSAGES) this.#messages.clear()
      this.#message = new ReadyText(message)
      this.#messages.set(message, this.#message)
    }
  }

  /** An object as a message is shown as JSON of what a field would show, so that nothing escapes redaction. */
  #otherText(message: unknown): void {
    if (typeof message === 'object' && message !== null && !isError(message)) {
      const start = this.at
      this.startValues()
      this.value(message)
      // Hardly anybody logs an object as a message: what shows it is loaded then.
      const { toJson } = require('../event/json') as typeof import('../event/json')
      const shown = toJson(decodeValue(this.bytes.subarray(start, this.at)))
      this.at = start
      this.plainText(typeof shown === 'string' ? shown : JSON.stringify(shown))
    } else this.plainText(textOf(message))
  }

  #fields(fields: unknown, extras: EventExtras): void {
    const { bound } = extras
    if (fields === undefined && bound === undefined) {
      this.byte(0x80)
      return
    }
    const { cutBytes } = this
    const head = this.openMap()
    try {
      if (bound !== undefined && this.needsCare(bound)) this.#withCare(head, fields, bound)
      else if (fields === undefined) this.close(head, this.flat(bound as object))
      else if (typeof fields !== 'object' || fields === null || this.needsCare(fields)) {
        this.#withCare(head, fields, bound)
      } else {
        const count = bound === undefined ? 0 : this.flat(bound, fields)
        this.close(head, count + this.flat(fields))
      }
      if (this.eventError === undefined || this.at <= this.#beforeError || this.limit === this.#beforeError)
        return
    } catch {
      // Once more, with care.
    }
    this.cutBytes = cutBytes
    this.eventError = extras.error
    this.limit = this.#beforeError
    this.#again(head, fields, bound)
  }

  /** The fields once more, because a getter threw, or since an error was found behind fields that leave it no room. */
  #again(head: number, fields: unknown, bound: EventExtras['bound']): void {
    this.at = head + 3
    try {
      this.#withCare(head, fields, bound)
    } catch (error) {
      this.at = head + 3
      this.startValues()
      const count = bound === undefined ? 0 : this.entries(bound, ownNames(bound), VALUE_DEPTH)
      this.raw(FIELDS_FAILED)
      this.text(thrownText(error))
      this.close(head, count + 1)
    }
  }

  #withCare(head: number, fields: unknown, bound: EventExtras['bound']): void {
    if (typeof fields === 'object' && fields !== null) this.#carefully(head, fields, bound)
    else this.#otherFields(head, fields, bound)
  }

  /** Getters that throw, redaction by path or function, class instances. */
  #carefully(head: number, given: object, bound: EventExtras['bound']): void {
    this.startValues()
    const fields = jsonOf(given)
    if (isError(fields)) {
      this.eventError ??= fields
      this.close(head, bound === undefined ? 0 : this.entries(bound, ownNames(bound), VALUE_DEPTH))
      return
    }
    if (!holdsFields(fields)) {
      this.#otherFields(head, fields, bound)
      return
    }
    const own = this.fieldNames(fields)
    const names = own.filter((name) => !this.takePartOf(fields, name))
    let count = 0
    if (bound !== undefined) {
      const kept = ownNames(bound).filter((name) => !own.includes(name))
      count += this.entries(bound, kept, VALUE_DEPTH)
    }
    count += this.entries(fields, names, VALUE_DEPTH)
    this.close(head, count)
  }

  #otherFields(head: number, fields: unknown, bound: EventExtras['bound']): void {
    let count = 0
    this.startValues()
    if (bound !== undefined) count += this.entries(bound, ownNames(bound), VALUE_DEPTH)
    if (fields !== undefined && fields !== null)
      count += this.entries({ value: fields }, VALUE_NAME, VALUE_DEPTH)
    this.close(head, count)
  }

  #more(extras: EventExtras): void {
    if (extras === NONE || (extras === INFO_ONLY && (this.infoTraceId ?? this.infoSpanId) === undefined)) {
      if (this.eventError === undefined && this.cutBytes === 0 && this.#thread === 0) {
        this.bytes[0] = 0x96
        return
      }
    }
    const head = this.at
    this.at = head + 1
    let count = this.#errorOf()
    count += this.#pairOf('traceId', this.infoTraceId ?? extras.traceId)
    count += this.#pairOf('spanId', this.infoSpanId ?? extras.spanId)
    count += this.#pairOf('parent', extras.parent)
    count += this.#pairOf('thread', extras.thread ?? (this.#thread === 0 ? undefined : this.#thread))
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
    this.startValues('error')
    const start = this.at
    try {
      if (typeof error === 'object') this.error(error, 12, false, this.fromInfo)
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
    this.#otherText(error)
  }

  #pairOf(name: 'traceId' | 'spanId' | 'parent' | 'thread' | 'cut', value: unknown): number {
    if (typeof value !== 'number' && typeof value !== 'string') return 0
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

/** Bytes kept free for trace, span, parent, thread and cut, and for what runs over the limit before them. */
const RESERVED = OVERRUN + 160

function textOf(value: unknown): string {
  if (isError(value)) return errorText(value)
  if (value === undefined) return ''
  return typeof value === 'function' ? '[function]' : String(value)
}

function errorText(error: Error): string {
  try {
    return String(error.message === '' ? error.name : error.message)
  } catch (thrown) {
    return `[threw ${thrownText(thrown)}]`
  }
}

/** What an instance with a `toJSON` shows of itself. */
function jsonOf(object: object): unknown {
  if (isError(object) || !holdsFields(object)) return object
  try {
    const toJSON: unknown = (object as { toJSON?: unknown }).toJSON
    return typeof toJSON === 'function' ? toJSON.call(object, '') : object
  } catch {
    return object
  }
}

/** Whether the own properties of an object are fields. Of a Map or a Date they are not what it holds. */
function holdsFields(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isBoxedPrimitive(value))
    return false
  return !(
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    value instanceof URL
  )
}
