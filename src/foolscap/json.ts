/**
 * A value as Python's `json` writes it, with what `JSON.parse` loses: whole numbers of any size apart from floats, NaN and
 * infinities, and keys of any name.
 */
export type Value = null | boolean | Whole | Float | string | readonly Value[] | Dict
/** A `number` where it is safe, a `bigint` beyond. */
export type Whole = number | bigint
export type Dict = ReadonlyMap<string, Value>

/** A number that was written with a point, an exponent, or as a word. */
export class Float {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** Why a text is no JSON, and where. */
export class JsonError extends Error {
  readonly at: number

  constructor(expected: string, at: number) {
    super(`${expected} expected at character ${at + 1}`)
    this.name = 'JsonError'
    this.at = at
  }
}

/** As deep as Python reads without being told otherwise, more or less; far less than any stack here. */
const DEPTH = 900

/**
 * Reads one JSON value as Python's `json.loads` does: `NaN`, `Infinity` and `-Infinity` are numbers, lone surrogates stay, and
 * of equal keys the last one counts.
 * @throws JsonError for anything else
 */
export function parseJson(text: string): Value {
  const parser = new Parser(text)
  const value = parser.value(DEPTH)
  parser.end()
  return value
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const BLANK = /[ \t\r\n]*/y
/** Up to the next character that ends a text or needs care. Python takes no raw control characters. */
const ORDINARY = /[ !#-[\]-\uffff]*/y
const HEX = /[\da-fA-F]{4}/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const WORDS: readonly (readonly [string, Value])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new Float(Number.NaN)],
  ['Infinity', new Float(Number.POSITIVE_INFINITY)],
  ['-Infinity', new Float(Number.NEGATIVE_INFINITY)],
]
/** Digits of the longest whole number that is read: making a number of more takes time that grows with their square. */
const DIGITS = 4300

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Value {
    this.#blank()
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === '{' || first === '[') {
      if (depth === 0) throw this.#expected('less depth')
      this.#at++
      return first === '{' ? this.#dict(depth - 1) : this.#list(depth - 1)
    }
    const word = WORDS.find(([word]) => this.#text.startsWith(word, this.#at))
    if (word === undefined) return this.#number()
    this.#at += word[0].length
    return word[1]
  }

  end(): void {
    this.#blank()
    if (this.#at < this.#text.length) throw this.#expected('the end')
  }

  #dict(depth: number): Dict {
    const entries = new Map<string, Value>()
    if (this.#takes('}')) return entries
    do {
      this.#blank()
      if (this.#text[this.#at] !== '"') throw this.#expected('a key')
      const key = this.#string()
      if (!this.#takes(':')) throw this.#expected('a colon')
      entries.set(key, this.value(depth))
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#expected('a comma or }')
    return entries
  }

  #list(depth: number): readonly Value[] {
    const items: Value[] = []
    if (this.#takes(']')) return items
    do items.push(this.value(depth))
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#expected('a comma or ]')
    return items
  }

  #string(): string {
    this.#at++
    let text = ''
    for (;;) {
      text += this.#match(ORDINARY) ?? ''
      const next = this.#text[this.#at]
      if (next === '"') {
        this.#at++
        return text
      }
      if (next !== '\\') throw this.#expected('the end of a text')
      text += this.#escape()
    }
  }

  #escape(): string {
    const kind = this.#text[this.#at + 1] ?? ''
    this.#at += 2
    if (kind === 'u') {
      const hex = this.#match(HEX)
      if (hex === undefined) throw this.#expected('four hexadecimal digits')
      return String.fromCharCode(Number.parseInt(hex, 16))
    }
    const char = ESCAPES[kind]
    if (char === undefined) throw this.#expected('an escape')
    return char
  }

  #number(): Value {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#expected('a value')
    const [text, fraction, exponent] = match
    if (fraction === undefined && exponent === undefined) {
      if (text.length > DIGITS) throw this.#expected(`a number of at most ${DIGITS} digits`)
      this.#at += text.length
      return wholeOf(text)
    }
    this.#at += text.length
    return new Float(Number(text))
  }

  #takes(char: string): boolean {
    this.#blank()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #blank(): void {
    const code = this.#text.charCodeAt(this.#at)
    if (code <= 0x20) this.#match(BLANK)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at += match[0].length
    return match[0]
  }

  #expected(what: string): JsonError {
    return new JsonError(what, this.#at)
  }
}

function wholeOf(digits: string): Whole {
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number + 0 : BigInt(digits)
}
