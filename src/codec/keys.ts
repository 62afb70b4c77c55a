import type { Redactor } from '../event/redact'

/** Bytes; longer keys are cut: nobody names a field so, but somebody logs a map keyed by documents. */
const KEY_BYTES = 256
/** Distinct keys that are remembered; programs have hundreds, maps keyed by ids have no end. */
const REMEMBERED = 2048

/**
 * MessagePack text, ready to be copied eight bytes at a time: `doubles` may hold up to seven bytes more than `length`. That
 * is a third of the time of a loop over bytes, which matters for what every event repeats.
 *
 * Copying through a float64 keeps all bits but those of a signalling NaN, which would need a byte of 0xf0 or more right
 * before one of 0x7f or 0xff: in UTF-8 there is no such place.
 */
export class ReadyText {
  readonly doubles: Float64Array
  readonly length: number

  constructor(readonly text: string) {
    const bytes = textBytes(text)
    const padded = new Uint8Array((bytes.length + 7) & ~7)
    padded.set(bytes)
    this.doubles = new Float64Array(padded.buffer)
    this.length = bytes.length
  }
}

/** A field's name as the encoder needs it: ready bytes, and whether its value is taken out. */
export class Key {
  readonly ready: ReadyText
  /** The key that came after this one the last time: events of one kind have their keys in one order. */
  next: Key | undefined
  /** A text that was this key's value: methods, routes and states repeat. */
  usual: ReadyText
  readonly part: InfoPart
  /** Times that the value was the usual one, since that was last decided. */
  hits = 0
  #misses = 0

  /** @param shown the name as it is written */
  constructor(
    readonly name: string,
    readonly redacted: boolean,
    shown: string,
  ) {
    this.ready = new ReadyText(shown)
    this.part = infoPart(name)
    this.usual = NO_TEXT
  }

  /**
   * Told of a short ASCII value that was not the usual one. It becomes so at the 1st, 2nd, 4th, 8th … of these and then at
   * every 256th. Of a key whose values never repeat nothing is usual, so that it costs no comparison.
   */
  missed(text: string): void {
    const misses = ++this.#misses
    if ((misses & (misses - 1)) !== 0 && (misses & 255) !== 0) return
    const repeats = misses < 16 || this.hits > 0 || (misses & 4095) === 0
    this.usual = repeats ? new ReadyText(internalised(text)) : NO_TEXT
    this.hits = 0
  }
}

/** What a key means in a logger's info object, where some are parts of the event and no fields. */
export const InfoPart = {
  field: 0,
  /** Level and message, which whoever hands over the info has seen to. */
  own: 1,
  traceId: 2,
  spanId: 3,
} as const
export type InfoPart = (typeof InfoPart)[keyof typeof InfoPart]

export function infoPart(name: string): InfoPart {
  return INFO_PARTS.get(name) ?? InfoPart.field
}

const INFO_PARTS: ReadonlyMap<string, InfoPart> = new Map<string, InfoPart>([
  ['level', InfoPart.own],
  ['message', InfoPart.own],
  ['traceId', InfoPart.traceId],
  ['trace_id', InfoPart.traceId],
  ['spanId', InfoPart.spanId],
  ['span_id', InfoPart.spanId],
])

/** Remembers keys by name. `first` stands before the first key of an event. */
export class KeyTable {
  readonly first: Key
  readonly #redactor: Redactor
  readonly #escapes: boolean
  #keys = new Map<string, Key>()

  /**
   * @param escapes whether keys that consist of `$` alone get one more, since `$` marks a tagged value: true for what users
   *   log, false for what has been through here already
   */
  constructor(redactor: Redactor, escapes = true) {
    this.#redactor = redactor
    this.#escapes = escapes
    this.first = new Key('', false, '')
  }

  /** The key called `name`; and it is the one expected after `previous` from now on. */
  after(previous: Key, name: string): Key {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = new Key(name, this.#redactor.takesName(name), this.#shown(name))
      // Neither is remembered: a key may be a document, and would be kept alive.
      if (name.length > KEY_BYTES) return key
      if (this.#keys.size >= REMEMBERED) this.#keys = new Map()
      this.#keys.set(name, key)
    }
    previous.next = key
    return key
  }

  #shown(name: string): string {
    const kept = cutText(this.#redactor.text(name), KEY_BYTES)
    return this.#escapes && ONLY_DOLLARS.test(kept) ? `${kept}$` : kept
  }
}

const ONLY_DOLLARS = /^\$+$/

/** The longest prefix of at most `room` bytes of UTF-8 that does not split a character. */
export function cutText(text: string, room: number): string {
  let end = Math.min(text.length, room)
  let bytes = Buffer.byteLength(text.slice(0, end))
  while (bytes > room && end > 0) {
    end = Math.max(0, end - Math.max(1, Math.ceil((bytes - room) / 3)))
    bytes = Buffer.byteLength(text.slice(0, end))
  }
  const splits = end < text.length && isHighSurrogate(text.charCodeAt(end - 1))
  return text.slice(0, splits ? end - 1 : end)
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

/** The engine's one copy of a short text: a slice would keep the whole text that it was cut from. */
function internalised(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text
}

/** MessagePack text of at most 65,535 bytes. */
export function textBytes(text: string): Uint8Array {
  const body = Buffer.from(text, 'utf8')
  const n = body.length
  const head = n < 32 ? [0xa0 | n] : n < 256 ? [0xd9, n] : [0xda, n >> 8, n & 0xff]
  return Uint8Array.from([...head, ...body])
}

const NO_TEXT = new ReadyText('')
