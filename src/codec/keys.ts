import type { Redactor } from '../event/redact'

/** Keys longer than this are cut: nobody names a field so, but somebody logs a map keyed by documents. */
const KEY_CHARS = 256
/** Distinct keys that are remembered; programs have hundreds, maps keyed by ids have no end. */
const REMEMBERED = 2048

/**
 * MessagePack text, ready to be copied four bytes at a time: `words` may hold up to three bytes more than `length`.
 * That is a third of the time of a loop over bytes, which matters for what every event repeats.
 */
export class ReadyText {
  readonly words: Int32Array
  readonly length: number

  constructor(readonly text: string) {
    const bytes = textBytes(text)
    const padded = new Uint8Array((bytes.length + 3) & ~3)
    padded.set(bytes)
    this.words = new Int32Array(padded.buffer)
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
  #misses = 0

  constructor(
    readonly name: string,
    readonly redacted: boolean,
    escapes: boolean,
  ) {
    this.ready = new ReadyText(escapes && /^\$+$/.test(name) ? `${name}$` : name.slice(0, KEY_CHARS))
    this.usual = NO_TEXT
  }

  /**
   * Told of a short ASCII value that was not the usual one. It becomes so at the 1st, 2nd, 4th, 8th … of these and then
   * at every 256th, so that a key whose values never repeat costs next to nothing.
   */
  missed(text: string): void {
    const misses = ++this.#misses
    if ((misses & (misses - 1)) === 0 || (misses & 255) === 0) this.usual = new ReadyText(text)
  }
}

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
    this.first = new Key('', false, false)
  }

  /** The key called `name`; and it is the one expected after `previous` from now on. */
  after(previous: Key, name: string): Key {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = new Key(name, this.#redactor.takesName(name), this.#escapes)
      if (this.#keys.size >= REMEMBERED) this.#keys = new Map()
      this.#keys.set(name, key)
    }
    previous.next = key
    return key
  }
}

/** MessagePack text of at most 65,535 bytes. */
export function textBytes(text: string): Uint8Array {
  const body = Buffer.from(text, 'utf8')
  const n = body.length
  const head = n < 32 ? [0xa0 | n] : n < 256 ? [0xd9, n] : [0xda, n >> 8, n & 0xff]
  return Uint8Array.from([...head, ...body])
}

const NO_TEXT = new ReadyText('')
