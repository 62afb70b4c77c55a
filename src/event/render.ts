import type { Plain, PlainObject } from './event'
import { type Meaning, meaningOf } from './tagged'

/** Characters of a value on one line, unless the caller asks for more or fewer. */
const LINE_CHARS = 1000
/** Deeper than any decoder lets through; a value made in memory might be. */
const DEPTH = 100
const SHOWN_BYTES = 16

/**
 * A value for people, on one line, in at most `maxChars` characters: `7`, `shop`, `"two words"`, `{id: 7,
 * tags: ["a"]}`, `123n`, `Map{"a" => 1}`, `TypeError: no such order`. A text by itself has quotes only where
 * it needs them. Control characters are escaped, so that it can go to a terminal. Never throws.
 */
export function renderPlain(value: Plain, maxChars = LINE_CHARS): string {
  if (typeof value === 'string' && value.length <= maxChars && standsAlone(value)) return value
  const line = new Line(maxChars)
  line.value(value, DEPTH)
  return line.text
}

/** The kinds that are one word, for people and programs alike. */
export function wordFor(meaning: Extract<Meaning, { readonly kind: WordKind }>): string {
  switch (meaning.kind) {
    case 'undefined':
      return 'undefined'
    case 'proxy':
      return '[proxy]'
    case 'bigint':
      return `${meaning.text}n`
    case 'symbol':
      return `Symbol(${meaning.text})`
    case 'function':
      return meaning.text === '' ? '[function]' : `[function ${meaning.text}]`
    case 'circular':
      return '[circular]'
    case 'deep':
      return `[${meaning.text}]`
    case 'thrown':
      return `[threw: ${meaning.text}]`
    case 'url':
    case 'regexp':
      return meaning.text
  }
}

/** What stands for what the encoder cut. */
export function missingText(count: number, what: 'byte' | 'entry'): string {
  const plural = what === 'byte' ? 'bytes' : 'entries'
  return `… (+${count} ${count === 1 ? what : plural})`
}

type WordKind =
  | 'undefined'
  | 'proxy'
  | 'bigint'
  | 'symbol'
  | 'function'
  | 'circular'
  | 'deep'
  | 'thrown'
  | 'url'
  | 'regexp'

/** No space, control or formatting character, quote, bracket, comma or equals sign. */
const BARE = /^[^\s\p{C}"'`=,{}()[\]]+$/u
/** Texts that would read as something else. */
const MISTAKEN = /^(?:-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?n?|-?Infinity|NaN|true|false|null|undefined)$/i
/** Beyond what JSON escapes: what moves a cursor, changes colours or reorders the line. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** One line of bounded length; what does not fit is cut, and `…` says so. */
class Line {
  text = ''
  #full = false
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  value(value: Plain, depth: number): void {
    if (this.#full) return
    if (depth === 0) this.#add('[too deep]')
    else this.#meaning(meaningOf(value), depth)
  }

  #meaning(meaning: Meaning, depth: number): void {
    switch (meaning.kind) {
      case 'literal':
        this.#literal(meaning.value)
        break
      case 'cut':
        this.#quoted(meaning.text)
        this.#add(` ${missingText(meaning.bytes, 'byte')}`)
        break
      case 'bytes':
        this.#add(bytesText(meaning.bytes))
        break
      case 'list':
        this.#list(meaning, depth)
        break
      case 'set':
        this.#add('Set')
        this.#list(meaning, depth)
        break
      case 'map':
        this.#add('Map')
        this.#collection('{}', meaning, ([key, value]) => {
          this.value(key, depth - 1)
          this.#add(' => ')
          this.value(value, depth - 1)
        })
        break
      case 'record':
        this.#record(meaning, depth)
        break
      case 'typed':
        this.#add(`${meaning.type}[${meaning.numbers.slice(0, this.#max).join(', ')}]`)
        break
      case 'error':
        this.#error(meaning.parts, depth)
        break
      case 'date':
        this.#unquoted(meaning.iso ?? 'invalid date')
        break
      default:
        this.#unquoted(wordFor(meaning))
    }
  }

  #literal(value: null | boolean | number | string): void {
    if (typeof value === 'string') this.#quoted(value)
    else this.#add(Object.is(value, -0) ? '-0' : String(value))
  }

  #list(meaning: Extract<Meaning, { readonly kind: 'list' | 'set' }>, depth: number): void {
    const { items, missing, kind } = meaning
    this.#collection(kind === 'list' ? '[]' : '{}', { entries: items, missing }, (item) =>
      this.value(item, depth - 1),
    )
  }

  #record(meaning: Extract<Meaning, { readonly kind: 'record' }>, depth: number): void {
    this.#collection('{}', meaning, ([key, value]) => {
      if (standsAlone(key)) this.#add(key)
      else this.#quoted(key)
      this.#add(': ')
      this.value(value, depth - 1)
    })
  }

  #collection<T>(
    brackets: '[]' | '{}',
    { entries, missing }: { readonly entries: readonly T[]; readonly missing: number },
    entry: (entry: T) => void,
  ): void {
    this.#add(brackets.slice(0, 1))
    let separator = ''
    for (const each of entries) {
      if (this.#full) return
      this.#add(separator)
      entry(each)
      separator = ', '
    }
    if (missing > 0) this.#add(`${separator}${missingText(missing, 'entry')}`)
    this.#add(brackets.slice(1))
  }

  #error({ name, message, code, cause }: PlainObject, depth: number): void {
    this.#unquoted(typeof name === 'string' ? name : 'Error')
    if (typeof code === 'string' || typeof code === 'number') this.#unquoted(` [${code}]`)
    if (typeof message === 'string' && message !== '') this.#unquoted(`: ${message}`)
    if (cause === undefined) return
    this.#add(', caused by ')
    this.value(cause, depth - 1)
  }

  #quoted(text: string): void {
    this.#add(escapeUnsafe(JSON.stringify(text.slice(0, this.#max))))
  }

  #unquoted(text: string): void {
    this.#add(escapeUnsafe(text.slice(0, this.#max + 1)))
  }

  #add(text: string): void {
    if (this.#full) return
    const all = this.text + text
    this.#full = all.length > this.#max
    // Half a character beyond the first 65,536 is no text.
    this.text = this.#full
      ? `${all.slice(0, Math.max(0, this.#max - 1)).replace(/[\ud800-\udbff]$/, '')}…`
      : all
  }
}

function bytesText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )
  return `<${bytes.length} bytes${shown === '' ? '' : ` ${shown}`}${bytes.length > SHOWN_BYTES ? '…' : ''}>`
}

function standsAlone(text: string): boolean {
  return BARE.test(text) && !MISTAKEN.test(text)
}

function escapeUnsafe(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
