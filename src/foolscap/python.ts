import { type Dict, Float, type Value } from './json'

/** What `str()` shows of a value in Python 3. */
export function pythonStr(value: Value): string {
  return typeof value === 'string' ? value : pythonRepr(value)
}

/** What `repr()` shows of a value in Python 3. */
export function pythonRepr(value: Value, ascii = false): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return textRepr(value, ascii)
  if (value instanceof Float) return floatRepr(value.value)
  if (typeof value === 'object') return isDict(value) ? dictRepr(value, ascii) : listRepr(value, ascii)
  return String(value)
}

export function isDict(value: Value | undefined): value is Dict {
  return value instanceof Map
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}

/** The shortest digits that mean the same number, as in JavaScript; Python turns to an exponent at other sizes. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  if (Object.is(value, -0)) return '-0.0'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) return withExponent(value.toExponential())
  const text = String(value)
  return text.includes('.') ? text : `${text}.0`
}

/** JavaScript's `1e+5` as C and Python write it: at least two digits in the exponent. */
export function withExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

function listRepr(list: readonly Value[], ascii: boolean): string {
  return `[${list.map((item) => pythonRepr(item, ascii)).join(', ')}]`
}

function dictRepr(dict: Dict, ascii: boolean): string {
  const entries = Array.from(dict, ([key, value]) => `${textRepr(key, ascii)}: ${pythonRepr(value, ascii)}`)
  return `{${entries.join(', ')}}`
}

/** What Python takes for not printable: controls, formats, surrogates, private and unassigned ones, separators but the blank. */
const ODD = /[\\\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu
const NOT_ASCII = /[^\x20-\x7e]|\\/gu

function textRepr(text: string, ascii: boolean): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(ascii ? NOT_ASCII : ODD, escapeOf)
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code > 0xffff) return `\\U${hex.padStart(8, '0')}`
  return (
    SHORT_ESCAPES.get(char) ?? (code > 0xff ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`)
  )
}
