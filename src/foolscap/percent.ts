import { type Dict, Float, type Value } from './json'
import { isDict, isList, pythonRepr, pythonStr, withExponent } from './python'

/** A piece of a format: text to be taken as it is, or a place for a value. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** `name`: `%(name)s`; absent for a value by position. `plain`: neither flags nor width nor precision. */
  | {
      readonly kind: 'value'
      readonly name?: string
      readonly plain: boolean
      readonly type: string
      readonly text: string
    }

/**
 * `format % values` of Python 3 in pieces, each with the text that it stands for.
 * @param values a dictionary for `%(name)s`, a list for values by position
 * @returns undefined where Python would throw, or the text would be longer than {@link FORMATTED_CHARS}
 */
export function formatPercent(format: string, values: Dict | readonly Value[]): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  const positions = new Positions(values)
  let room = FORMATTED_CHARS
  let at = 0
  for (const match of format.matchAll(DIRECTIVE)) {
    const between = format.slice(at, match.index)
    if (between.includes('%')) return undefined
    pieces.push(textPiece(between))
    at = match.index + match[0].length
    const piece = pieceOf(match, values, positions)
    room -= piece?.text.length ?? 0
    if (piece === undefined || room < 0) return undefined
    pieces.push(piece)
  }
  const rest = format.slice(at)
  if (rest.includes('%') || !positions.isAllTaken) return undefined
  return [...pieces, textPiece(rest)].filter(({ text }) => text !== '')
}

/** The text that the pieces make. */
export function textOfPieces(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('')
}

/** What values may add to one message: a width can ask for as much as it likes. */
export const FORMATTED_CHARS = 256 * 1024
const WIDTH = 10_000

/** https://docs.python.org/3/library/stdtypes.html#printf-style-string-formatting */
const DIRECTIVE =
  /%(?:\(([^()]{0,200})\))?([-#0 +]*)(\*|\d{1,9})?(?:\.(\*|\d{0,9}))?[hlL]?([diouxXeEfFgGcrsa%])/g

interface Directive {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly type: string
}

function textPiece(text: string): Piece {
  return { kind: 'text', text }
}

function pieceOf(
  match: RegExpExecArray,
  values: Dict | readonly Value[],
  positions: Positions,
): Piece | undefined {
  const [whole, name, flags = '', widthText, precisionText, type = ''] = match
  const width = widthText === '*' ? positions.takeNumber() : Number(widthText ?? 0)
  const precision = precisionText === '*' ? positions.takeNumber() : precisionOf(precisionText)
  if (width === undefined || Math.abs(width) > WIDTH || (precision ?? 0) > WIDTH) return undefined
  if (type === '%') return textPiece('%')
  const value = name === undefined ? positions.take() : named(values, name)
  if (value === undefined) return undefined
  const sided = width < 0 ? `${flags}-` : flags
  const text = converted(value, { flags: sided, width: Math.abs(width), precision, type })
  if (text === undefined) return undefined
  const plain = whole === (name === undefined ? `%${type}` : `%(${name})${type}`)
  return { kind: 'value', ...(name !== undefined && { name }), plain, type, text }
}

function precisionOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function named(values: Dict | readonly Value[], name: string): Value | undefined {
  return isDict(values) ? values.get(name) : undefined
}

/** Hands out values by position. A dictionary is one value, and need not be used. */
class Positions {
  readonly #values: readonly Value[]
  readonly #mayRemain: boolean
  #taken = 0

  constructor(values: Dict | readonly Value[]) {
    this.#values = isList(values) ? values : [values]
    this.#mayRemain = !isList(values)
  }

  get isAllTaken(): boolean {
    return this.#mayRemain || this.#taken === this.#values.length
  }

  take(): Value | undefined {
    return this.#values[this.#taken++]
  }

  takeNumber(): number | undefined {
    const value = this.take()
    return typeof value === 'number' ? value : undefined
  }
}

function converted(value: Value, directive: Directive): string | undefined {
  switch (directive.type) {
    case 's':
      return textual(pythonStr(value), directive)
    case 'r':
      return textual(pythonRepr(value), directive)
    case 'a':
      return textual(pythonRepr(value, true), directive)
    case 'c':
      return character(value, directive)
    case 'd':
    case 'i':
    case 'u':
      return whole(wholeOf(value, true), directive)
    case 'o':
    case 'x':
    case 'X':
      return whole(wholeOf(value, false), directive)
    default:
      return float(floatOf(value), directive)
  }
}

function textual(text: string, { precision, width, flags }: Directive): string {
  const shown = precision === undefined ? text : Array.from(text).slice(0, precision).join('')
  return padded(shown, width, flags)
}

function character(value: Value, { width, flags }: Directive): string | undefined {
  if (typeof value === 'string')
    return Array.from(value).length === 1 ? padded(value, width, flags) : undefined
  const code = typeof value === 'boolean' ? Number(value) : value
  if (typeof code !== 'number' || code < 0 || code > 0x10ffff) return undefined
  return padded(String.fromCodePoint(code), width, flags)
}

function padded(text: string, width: number, flags: string): string {
  const missing = ' '.repeat(Math.max(0, width - Array.from(text).length))
  return flags.includes('-') ? `${text}${missing}` : `${missing}${text}`
}

/** A float is cut for `%d`, and refused for `%x`. */
function wholeOf(value: Value, takesFloat: boolean): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return BigInt(value)
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (!takesFloat || !(value instanceof Float) || !Number.isFinite(value.value)) return undefined
  return BigInt(Math.trunc(value.value))
}

const RADIX: Readonly<Record<string, readonly [radix: number, prefix: string]>> = {
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

function whole(number: bigint | undefined, directive: Directive): string | undefined {
  if (number === undefined) return undefined
  const [radix, prefix] = RADIX[directive.type] ?? [10, '']
  const digits = (number < 0n ? -number : number).toString(radix).padStart(directive.precision ?? 0, '0')
  const shown = directive.type === 'X' ? digits.toUpperCase() : digits
  return signed(number < 0n, directive.flags.includes('#') ? prefix : '', shown, directive)
}

function floatOf(value: Value): number | undefined {
  if (value instanceof Float) return value.value
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

/** JavaScript shows at most that many digits. */
const FLOAT_DIGITS = 100

function float(number: number | undefined, directive: Directive): string | undefined {
  const precision = directive.precision ?? 6
  if (number === undefined || precision > FLOAT_DIGITS) return undefined
  const size = Math.abs(number)
  const kind = directive.type.toLowerCase()
  if (!Number.isFinite(size) && directive.flags.includes('0'))
    return float(number, { ...directive, flags: directive.flags.replaceAll('0', '') })
  const text = Number.isFinite(size)
    ? finite(size, kind, precision, directive.flags.includes('#'))
    : Number.isNaN(size)
      ? 'nan'
      : 'inf'
  const shown = kind === directive.type ? text : text.toUpperCase()
  return signed(number < 0 || Object.is(number, -0), '', shown, directive)
}

function finite(size: number, kind: string, precision: number, isAlternate: boolean): string {
  if (kind === 'e') return withPoint(exponential(size, precision), isAlternate)
  if (kind === 'f') return withPoint(fixed(size, precision), isAlternate)
  const digits = Math.max(1, precision)
  const [, exponent = '0'] = exponential(size, digits - 1).split('e')
  const isLong = Number(exponent) < -4 || Number(exponent) >= digits
  const text = isLong ? exponential(size, digits - 1) : fixed(size, digits - 1 - Number(exponent))
  if (isAlternate) return withPoint(text, true)
  return text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text
}

function withPoint(text: string, isAlternate: boolean): string {
  return isAlternate && !text.includes('.') ? text.replace(/(?=e|$)/, '.') : text
}

/** Digits that show whether a number is exactly in the middle. */
const MORE_DIGITS = 30

function fixed(size: number, digits: number): string {
  if (size >= 1e21) return `${BigInt(size)}${digits === 0 ? '' : `.${'0'.repeat(digits)}`}`
  const more = size.toFixed(Math.min(FLOAT_DIGITS, digits + MORE_DIGITS))
  return toEven(size.toFixed(digits), more)
}

function exponential(size: number, digits: number): string {
  const [mantissa = '', exponent = ''] = size.toExponential(digits).split('e')
  const [more = ''] = size.toExponential(Math.min(FLOAT_DIGITS, digits + MORE_DIGITS)).split('e')
  const cut = toEven(mantissa, more)
  return withExponent(`${cut}e${exponent}`)
}

/** JavaScript rounds what is in the middle up, Python to the even digit. */
function toEven(text: string, more: string): string {
  const length = text.includes('.') ? text.length : text.length + 1
  if (!/^\.?50*$/.test(more.slice(text.length)) || more.length < length) return text
  const down = more.slice(0, text.length)
  return /[02468]$/.test(down) ? down : text
}

function signed(isNegative: boolean, prefix: string, digits: string, { flags, width }: Directive): string {
  const sign = isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  const head = `${sign}${prefix}`
  if (!flags.includes('0') || flags.includes('-')) return padded(`${head}${digits}`, width, flags)
  return `${head}${digits.padStart(width - head.length, '0')}`
}
