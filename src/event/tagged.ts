import type { Plain, PlainObject } from './event'

/**
 * What a plain value stands for. MessagePack lacks some kinds of JavaScript values; the encoder writes them
 * as maps whose key `$` names the kind (`incident/FORMAT.md`, "Values"). A tag that is not known, or lacks
 * its parts, reads as a record.
 */
export type Meaning =
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `missing`: how many more there were; the encoder cut them. The same below. */
  | { readonly kind: 'list' | 'set'; readonly items: readonly Plain[]; readonly missing: number }
  | {
      readonly kind: 'record'
      readonly entries: readonly (readonly [string, Plain])[]
      readonly missing: number
    }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Plain, Plain])[]; readonly missing: number }
  /** A typed array other than of bytes, `Float32Array` for instance. */
  | { readonly kind: 'typed'; readonly type: string; readonly numbers: readonly (number | bigint)[] }
  /** Parts as {@link ErrorRecord} has them. */
  | { readonly kind: 'error'; readonly parts: PlainObject }
  /** null: an invalid date. */
  | { readonly kind: 'date'; readonly iso: string | null }
  /** A text of which the last `bytes` bytes are missing. */
  | { readonly kind: 'cut'; readonly text: string; readonly bytes: number }
  | { readonly kind: TextKind; readonly text: string }
  | { readonly kind: 'undefined' | 'proxy' }

/** Kinds that are told by one text. */
type TextKind = 'bigint' | 'symbol' | 'function' | 'regexp' | 'url' | 'circular' | 'deep' | 'thrown'

export function meaningOf(value: Plain): Meaning {
  if (typeof value !== 'object' || value === null) return { kind: 'literal', value }
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value }
  if (isList(value)) return { kind: 'list', ...listOf(value) }
  const tag = value['$']
  return (typeof tag === 'string' ? TAGS.get(tag)?.(value, tag) : undefined) ?? recordOf(value)
}

/**
 * The field called `name`; else, where that has dots, what lies at the path: `user.name`, `items.0`.
 * Undefined where there is none.
 */
export function fieldAt(fields: PlainObject, name: string): Plain | undefined {
  const whole = entryOf(fields, name)
  if (whole !== undefined || !name.includes('.')) return whole
  let value: Plain | undefined = fields
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
    value = entryOf(value as PlainObject, part)
  }
  return value
}

/** Keys that consist of `$` alone are stored with one more. */
function entryOf(object: PlainObject, name: string): Plain | undefined {
  const key = ONLY_DOLLARS.test(name) ? `${name}$` : name
  return Object.hasOwn(object, key) ? object[key] : undefined
}

const ONLY_DOLLARS = /^\$+$/

type TagReader = (object: PlainObject, tag: string) => Meaning | undefined

const readText: TagReader = ({ v }, tag) => {
  return typeof v === 'string' || typeof v === 'number'
    ? { kind: tag as TextKind, text: String(v) }
    : undefined
}

const TAGS: ReadonlyMap<string, TagReader> = new Map<string, TagReader>([
  ['undefined', () => ({ kind: 'undefined' })],
  ['proxy', () => ({ kind: 'proxy' })],
  ['bigint', readText],
  ['symbol', readText],
  ['function', readText],
  ['regexp', readText],
  ['url', readText],
  ['circular', readText],
  ['deep', readText],
  ['thrown', readText],
  ['date', ({ v }) => (typeof v === 'string' || v === null ? { kind: 'date', iso: v } : undefined)],
  ['map', ({ v }) => (isList(v) ? mapOf(v) : undefined)],
  ['set', ({ v }) => (isList(v) ? { kind: 'set', ...listOf(v) } : undefined)],
  ['error', (parts) => ({ kind: 'error', parts })],
  ['text', ({ v }) => (v instanceof Uint8Array ? { kind: 'literal', value: utf16(v) } : undefined)],
  [
    'cut',
    ({ v, bytes }) => (typeof v === 'string' ? { kind: 'cut', text: v, bytes: countOf(bytes) } : undefined),
  ],
  ['typed', ({ type, v }) => (typeof type === 'string' ? typedOf(type, v) : undefined)],
])

function isList(value: Plain | undefined): value is readonly Plain[] {
  return Array.isArray(value)
}

function countOf(value: Plain | undefined): number {
  return typeof value === 'number' && value > 0 ? value : 0
}

/** A list that was cut ends with a map that has nothing but `$`, the number of items missing. */
function listOf(list: readonly Plain[]): { readonly items: readonly Plain[]; readonly missing: number } {
  const last = list.at(-1)
  if (typeof last !== 'object' || last === null || isList(last) || last instanceof Uint8Array)
    return { items: list, missing: 0 }
  const missing = countOf(last['$'])
  return missing > 0 ? { items: list.slice(0, -1), missing } : { items: list, missing: 0 }
}

function mapOf(list: readonly Plain[]): Meaning {
  const { items, missing } = listOf(list)
  const entries = items.map((pair): readonly [Plain, Plain] => {
    return isList(pair) ? [pair[0] ?? null, pair[1] ?? null] : [pair, null]
  })
  return { kind: 'map', entries, missing }
}

function recordOf(object: PlainObject): Meaning {
  const missing = countOf(object['$'])
  const entries: [string, Plain][] = []
  for (const [key, value] of Object.entries(object)) {
    if (missing > 0 && key === '$') continue
    entries.push([key.length > 1 && ONLY_DOLLARS.test(key) ? key.slice(1) : key, value])
  }
  return { kind: 'record', entries, missing }
}

function utf16(units: Uint8Array): string {
  const view = new DataView(units.buffer, units.byteOffset, units.byteLength)
  let text = ''
  for (let at = 0; at + 1 < units.length; at += 2) text += String.fromCharCode(view.getUint16(at, true))
  return text
}

type ElementReader = (view: DataView, at: number) => number | bigint

/** Bytes per element and how one is read; little-endian, as every machine that runs Node is. */
const ELEMENTS: ReadonlyMap<string, readonly [size: number, read: ElementReader]> = new Map<
  string,
  readonly [number, ElementReader]
>([
  ['Int8Array', [1, (view, at) => view.getInt8(at)]],
  ['Uint8ClampedArray', [1, (view, at) => view.getUint8(at)]],
  ['Int16Array', [2, (view, at) => view.getInt16(at, true)]],
  ['Uint16Array', [2, (view, at) => view.getUint16(at, true)]],
  ['Int32Array', [4, (view, at) => view.getInt32(at, true)]],
  ['Uint32Array', [4, (view, at) => view.getUint32(at, true)]],
  ['Float32Array', [4, (view, at) => view.getFloat32(at, true)]],
  ['Float64Array', [8, (view, at) => view.getFloat64(at, true)]],
  ['BigInt64Array', [8, (view, at) => view.getBigInt64(at, true)]],
  ['BigUint64Array', [8, (view, at) => view.getBigUint64(at, true)]],
])

function typedOf(type: string, v: Plain | undefined): Meaning | undefined {
  if (isList(v)) return { kind: 'typed', type, numbers: v.filter((number) => typeof number === 'number') }
  if (!(v instanceof Uint8Array)) return undefined
  const element = ELEMENTS.get(type)
  if (element === undefined) return { kind: 'bytes', bytes: v }
  const [size, read] = element
  const view = new DataView(v.buffer, v.byteOffset, v.byteLength)
  const numbers = Array.from({ length: Math.floor(v.length / size) }, (_, index) => read(view, index * size))
  return { kind: 'typed', type, numbers }
}
