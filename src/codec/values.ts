import { types } from 'node:util'
import { VALUE_DEPTH, VALUE_ENTRIES } from '../base/limits'
import { REDACTED, type Redactor } from '../event/redact'
import { type Key, KeyTable, textBytes } from './keys'
import { Writer } from './writer'

/**
 * Writes any value as plain MessagePack, by value, now, in one pass. Never throws, whatever user code the value runs.
 *
 * What MessagePack lacks becomes a map whose key `$` names the kind (FORMAT.md, "Values"). A `$` that holds a number is
 * the mark of a collection that was cut: so many entries are missing.
 */
export class ValueWriter extends Writer {
  protected readonly keys: KeyTable
  readonly #ancestors: object[] = []
  #path = ''

  constructor(capacity: number, redactor: Redactor, keys = new KeyTable(redactor)) {
    super(capacity, redactor)
    this.keys = keys
  }

  /** Forgets what a value before this one left behind. */
  protected startValues(): void {
    this.#ancestors.length = 0
    this.#path = ''
  }

  protected value(value: unknown, depth = VALUE_DEPTH): void {
    switch (typeof value) {
      case 'string':
        this.text(value)
        return
      case 'number':
        this.num(value)
        return
      case 'boolean':
        this.bool(value)
        return
      case 'object':
        if (value === null) this.nil()
        else this.#object(value, depth)
        return
      case 'undefined':
        this.raw(UNDEFINED)
        return
      case 'bigint':
        this.#bigint(value)
        return
      case 'symbol':
        this.#tag('symbol', value.description ?? '')
        return
      case 'function':
        this.#tag('function', nameOf(value))
    }
  }

  /** Any text as a value: redacted, cut, and with lone surrogates kept, each where it applies. */
  protected text(text: string): void {
    if (this.shortText(text)) return
    const kept = this.redactor.text(text)
    if (!isWellFormed(kept)) this.#loneSurrogates(kept)
    else if (kept.length * 3 <= this.limit - this.at) this.longText(kept)
    else this.#cutText(kept)
  }

  /**
   * The entries of a plain object: reads each property once, redacts, and counts what does not fit.
   * @returns entries written
   */
  protected entries(object: object, names: readonly string[], depth: number): number {
    let written = 0
    let key = this.keys.first
    const parent = this.#path
    for (const name of names) {
      if (written >= VALUE_ENTRIES || this.full) {
        this.#missing(names.length - written)
        return written + 1
      }
      key = key.next?.name === name ? key.next : this.keys.after(key, name)
      this.ready(key.ready)
      if (this.redactor.hasPaths) this.#path = parent === '' ? name : `${parent}.${name}`
      this.#entry(object, key, depth)
      written++
    }
    this.#path = parent
    return written
  }

  /** An error as a map: name, message, stack, code, cause, errors and its own other properties under `fields`. */
  protected error(error: object, depth: number, tagged: boolean): void {
    this.#ancestors.push(error)
    const head = this.openMap()
    let count = tagged ? this.#tagHead('error') : 0
    count += this.#errorText('name', errorName(error))
    count += this.#errorText('message', read(error, 'message'))
    count += this.#errorText('stack', read(error, 'stack'))
    const code = read(error, 'code')
    if (typeof code === 'string' || typeof code === 'number') count += this.#pair('code', code, depth)
    if (hasOwn(error, 'cause')) count += this.#pair('cause', read(error, 'cause'), depth - 1)
    const errors = read(error, 'errors')
    if (Array.isArray(errors)) count += this.#pair('errors', errors, depth - 1)
    count += this.#errorFields(error, depth - 1)
    this.close(head, count)
    this.#ancestors.pop()
  }

  #entry(object: object, key: Key, depth: number): void {
    if (key.redacted || (this.redactor.hasPaths && this.redactor.takesPath(this.#path))) {
      this.text(REDACTED)
      return
    }
    let value: unknown
    try {
      value = (object as Record<string, unknown>)[key.name]
    } catch (error) {
      this.#tag('thrown', thrownText(error))
      return
    }
    if (this.redactor.hasFunctions) value = this.redactor.value(key.name, value)
    this.value(value, depth)
  }

  #object(object: object, depth: number): void {
    if (depth <= 0) {
      this.#tag('deep', kindName(object))
      return
    }
    if (this.#ancestors.includes(object)) {
      this.#tag('circular', String(this.#ancestors.length - this.#ancestors.indexOf(object)))
      return
    }
    const start = this.at
    const ancestors = this.#ancestors.length
    const path = this.#path
    try {
      this.#known(object, depth)
    } catch (error) {
      this.at = start
      this.#ancestors.length = ancestors
      this.#path = path
      this.#tag('thrown', thrownText(error))
    }
  }

  #known(object: object, depth: number): void {
    if (types.isProxy(object)) {
      this.#proxy(object, depth)
    } else if (Array.isArray(object)) this.#array(object, depth)
    else if (ArrayBuffer.isView(object) || types.isAnyArrayBuffer(object)) this.#bytes(object)
    else if (types.isDate(object)) this.#date(object)
    else if (types.isNativeError(object) || object instanceof Error) this.error(object, depth, true)
    else if (types.isMap(object)) this.#mapTag(object, depth)
    else if (types.isSet(object)) this.#setTag(object, depth)
    else if (types.isRegExp(object)) this.#tag('regexp', String(object))
    else if (object instanceof URL) this.#tag('url', object.href)
    else if (types.isBoxedPrimitive(object)) this.value(object.valueOf(), depth)
    else this.#plain(object, depth)
  }

  /** A proxy may answer anything: it is read like a plain object, and what it throws is caught above. */
  #proxy(object: object, depth: number): void {
    if (Array.isArray(object)) this.#array(object, depth)
    else if (object instanceof Error) this.error(object, depth, true)
    else this.#plain(object, depth)
  }

  #plain(object: object, depth: number): void {
    const toJSON: unknown = (object as { toJSON?: unknown }).toJSON
    this.#ancestors.push(object)
    if (typeof toJSON === 'function') {
      // One more level: a toJSON that answers with another such object for ever must end somewhere.
      this.value(toJSON.call(object, ''), depth - 1)
    } else {
      const head = this.openMap()
      this.close(head, this.entries(object, Object.keys(object), depth - 1))
    }
    this.#ancestors.pop()
  }

  #array(array: readonly unknown[], depth: number): void {
    this.#ancestors.push(array)
    const head = this.openArray()
    this.close(head, this.#items(array, array.length, depth))
    this.#ancestors.pop()
  }

  #items(items: Iterable<unknown> | readonly unknown[], total: number, depth: number): number {
    let written = 0
    const indexed = Array.isArray(items)
    const iterator = indexed ? undefined : (items as Iterable<unknown>)[Symbol.iterator]()
    while (written < total) {
      if (written >= VALUE_ENTRIES || this.full) {
        this.bytes[this.at++] = 0x81
        this.#missing(total - written)
        return written + 1
      }
      this.value(indexed ? items[written] : iterator?.next().value, depth - 1)
      written++
    }
    return written
  }

  #mapTag(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#ancestors.push(map)
    this.#openTag('map', 2)
    this.raw(V_KEY)
    const head = this.openArray()
    this.close(head, this.#items(this.#pairsOf(map), mapSize.call(map) as number, depth))
    this.#ancestors.pop()
  }

  /** A map's entries as pairs; the value of a text key that is to be redacted is. */
  *#pairsOf(map: ReadonlyMap<unknown, unknown>): Iterable<readonly [unknown, unknown]> {
    for (const [key, value] of mapEntries.call(map) as Iterable<[unknown, unknown]>) {
      const taken = typeof key === 'string' && this.redactor.takesName(key)
      yield [key, taken ? REDACTED : value]
    }
  }

  #setTag(set: ReadonlySet<unknown>, depth: number): void {
    this.#ancestors.push(set)
    this.#openTag('set', 2)
    this.raw(V_KEY)
    const head = this.openArray()
    this.close(head, this.#items(setValues.call(set) as Iterable<unknown>, setSize.call(set) as number, depth))
    this.#ancestors.pop()
  }

  #bytes(object: ArrayBufferView | ArrayBufferLike): void {
    const bytes = ArrayBuffer.isView(object)
      ? new Uint8Array(object.buffer, object.byteOffset, object.byteLength)
      : new Uint8Array(object)
    const kind = ArrayBuffer.isView(object) ? kindName(object) : 'Uint8Array'
    if (kind === 'Uint8Array') {
      this.binary(bytes)
      return
    }
    this.#openTag('typed', 3)
    this.raw(TYPE_KEY)
    this.plainText(kind)
    this.raw(V_KEY)
    this.binary(bytes)
  }

  #date(date: Date): void {
    const ms = Date.prototype.getTime.call(date)
    this.#openTag('date', 2)
    this.raw(V_KEY)
    if (Number.isNaN(ms)) this.nil()
    else this.plainText(new Date(ms).toISOString())
  }

  #bigint(value: bigint): void {
    // A decimal text of a number with millions of digits takes seconds; nobody reads them.
    const huge = value > HUGE || value < -HUGE
    this.#tag('bigint', huge ? `0x${BigInt.asUintN(256, value).toString(16)}…` : value.toString())
  }

  #loneSurrogates(text: string): void {
    const units = Buffer.from(text.slice(0, Math.max((this.limit - this.at) >> 1, 0)), 'utf16le')
    this.cutBytes += text.length * 2 - units.length
    this.#openTag('text', 2)
    this.raw(V_KEY)
    this.binary(units)
  }

  #cutText(text: string): void {
    const before = this.cutBytes
    this.#openTag('cut', 3)
    this.raw(V_KEY)
    this.longText(text)
    this.raw(BYTES_KEY)
    this.num(this.cutBytes - before)
  }

  #errorText(name: string, text: unknown): number {
    if (typeof text !== 'string') return 0
    this.raw(literal(name))
    const kept = this.redactor.text(text)
    // The message may be long and the stack repeats it: neither may crowd out the other.
    this.longText(kept.length > 8192 ? `${kept.slice(0, 8192)}…` : kept)
    return 1
  }

  #errorFields(error: object, depth: number): number {
    const names = Object.keys(error).filter((name) => !ERROR_KEYS.has(name))
    if (names.length === 0) return 0
    this.raw(literal('fields'))
    const head = this.openMap()
    this.close(head, this.entries(error, names, depth))
    return 1
  }

  #pair(name: string, value: unknown, depth: number): number {
    this.raw(literal(name))
    this.value(value, depth)
    return 1
  }

  #missing(entries: number): void {
    this.cutBytes += entries
    this.raw(TAG_KEY)
    this.num(entries)
  }

  #tagHead(tag: string): 1 {
    this.raw(TAG_KEY)
    this.raw(literal(tag))
    return 1
  }

  #openTag(tag: string, entries: number): void {
    this.bytes[this.at++] = 0x80 | entries
    this.#tagHead(tag)
  }

  #tag(tag: string, text: string): void {
    this.#openTag(tag, 2)
    this.raw(V_KEY)
    const short = text.length > 256 ? `${text.slice(0, 256)}…` : text
    this.plainText(short.toWellFormed())
  }
}

const TAG_KEY = textBytes('$')
const V_KEY = textBytes('v')
const TYPE_KEY = textBytes('type')
const BYTES_KEY = textBytes('bytes')
const UNDEFINED = Uint8Array.from([0x81, ...TAG_KEY, ...textBytes('undefined')])
const HUGE = 2n ** 1024n
const ERROR_KEYS = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors'])

// The getters themselves: a subclass or an own property cannot lie to them.
const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get as () => unknown
const setSize = Object.getOwnPropertyDescriptor(Set.prototype, 'size')?.get as () => unknown
const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values

const literals = new Map<string, Uint8Array>()
function literal(text: string): Uint8Array {
  let bytes = literals.get(text)
  if (bytes === undefined) {
    bytes = textBytes(text)
    literals.set(text, bytes)
  }
  return bytes
}

function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name]
  } catch (error) {
    return `[threw ${thrownText(error)}]`
  }
}

function hasOwn(object: object, name: string): boolean {
  try {
    return Object.hasOwn(object, name)
  } catch {
    return false
  }
}

function errorName(error: object): unknown {
  const name = read(error, 'name')
  return typeof name === 'string' ? name : kindName(error)
}

function nameOf(value: object): string {
  const name = read(value, 'name')
  return typeof name === 'string' ? name : ''
}

function kindName(object: object): string {
  try {
    const constructor: unknown = object.constructor
    return typeof constructor === 'function' ? nameOf(constructor) : 'Object'
  } catch {
    return 'Object'
  }
}

function thrownText(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error)
  } catch {
    return 'something that cannot be shown'
  }
}
