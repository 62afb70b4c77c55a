import { types } from 'node:util'
import { VALUE_DEPTH, VALUE_ENTRIES } from '../base/limits'
import { REDACTED } from '../base/secret-names'
import type { Redactor } from '../event/redact'
import {
  errorName,
  hasOwn,
  isArray,
  isPlain,
  kindName,
  nameOf,
  ownNames,
  read,
  thrownText,
  unboxed,
} from './hostile'
import { type Key, KeyTable } from './keys'
import { literal, TagWriter, UNDEFINED, V_KEY } from './tags'

/**
 * Writes any value as plain MessagePack, by value, now, in one pass. Never throws, whatever user code the value runs.
 *
 * What MessagePack lacks becomes a map whose key `$` names the kind (FORMAT.md, "Values"). A `$` that holds a number is
 * the mark of a collection that was cut: so many entries are missing.
 */
export class ValueWriter extends TagWriter {
  protected readonly keys: KeyTable
  readonly #ancestors: object[] = []
  /** Names from the event's fields down to the value in hand; kept only where paths are redacted. */
  #path = ''
  /** Whether each value must be shown to the redactor. */
  readonly #watched: boolean

  constructor(capacity: number, redactor: Redactor, keys = new KeyTable(redactor)) {
    super(capacity, redactor)
    this.keys = keys
    this.#watched = redactor.hasPaths || redactor.hasFunctions
  }

  /** Forgets what a value before this one left behind. @param path of the values to come */
  protected startValues(path = ''): void {
    this.#ancestors.length = 0
    this.#path = path
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
        this.bigint(value)
        return
      case 'symbol':
        this.tag('symbol', value.description ?? '')
        return
      case 'function':
        this.tag('function', nameOf(value))
    }
  }

  /**
   * The entries of a plain object: reads each property once, redacts, and counts what does not fit.
   * @returns entries written
   */
  protected entries(object: object, names: readonly string[], depth: number): number {
    let written = 0
    let key = this.keys.first
    for (const name of names) {
      if (written >= VALUE_ENTRIES || this.full) {
        this.missing(names.length - written)
        return written + 1
      }
      key = key.next?.name === name ? key.next : this.keys.after(key, name)
      this.ready(key.ready)
      this.#entry(object, key, depth)
      written++
    }
    return written
  }

  /**
   * An error as a map: name, message, stack, code, cause, errors and its own other properties under `fields`.
   * @param ofInfo a logger set `level` on it, which is left out
   */
  protected error(error: object, depth: number, tagged: boolean, ofInfo = false): void {
    this.#ancestors.push(error)
    const head = this.openMap()
    let count = tagged ? this.tagHead('error') : 0
    count += this.#errorText('name', errorName(error))
    count += this.#errorText('message', read(error, 'message'))
    count += this.#errorText('stack', read(error, 'stack'))
    const code = read(error, 'code')
    const hasCode = typeof code === 'string' || typeof code === 'number'
    if (hasCode) count += this.#errorPart('code', code, depth)
    if (hasOwn(error, 'cause')) count += this.#errorPart('cause', read(error, 'cause'), depth - 1)
    const errors = read(error, 'errors')
    const hasErrors = isArray(errors)
    if (hasErrors) count += this.#errorPart('errors', errors, depth - 1)
    const shown = [...ERROR_PARTS, hasCode && 'code', hasErrors && 'errors', ofInfo && 'level']
    const others = ownNames(error).filter((name) => !shown.includes(name))
    count += this.#errorFields(error, others, depth - 1)
    this.close(head, count)
    this.#ancestors.pop()
  }

  #entry(object: object, key: Key, depth: number): void {
    if (key.redacted) {
      this.text(REDACTED)
      return
    }
    let value: unknown
    try {
      value = (object as Record<string, unknown>)[key.name]
    } catch (error) {
      this.tag('thrown', thrownText(error))
      return
    }
    this.#found(key.name, value, depth)
  }

  /** Writes what was found under a name or an index, unless it is taken out because of its path or by a function. */
  #found(name: string | number, value: unknown, depth: number): void {
    if (!this.#watched) {
      this.value(value, depth)
      return
    }
    const parent = this.#path
    this.#path = parent === '' ? String(name) : `${parent}.${name}`
    this.value(this.#watch(name, value), depth)
    this.#path = parent
  }

  #watch(name: string | number, value: unknown): unknown {
    return this.redactor.takesPath(this.#path) ? REDACTED : this.redactor.value(String(name), value)
  }

  #object(object: object, depth: number): void {
    if (depth <= 0) {
      this.tag('deep', kindName(object))
      return
    }
    if (this.#ancestors.includes(object)) {
      this.tag('circular', String(this.#ancestors.length - this.#ancestors.indexOf(object)))
      return
    }
    const { at, cutBytes } = this
    const ancestors = this.#ancestors.length
    const path = this.#path
    try {
      this.#known(object, depth)
    } catch (error) {
      this.at = at
      this.cutBytes = cutBytes
      this.#ancestors.length = ancestors
      this.#path = path
      this.tag('thrown', thrownText(error))
    }
  }

  #known(object: object, depth: number): void {
    if (types.isProxy(object)) this.#proxy(object, depth)
    else if (Array.isArray(object)) this.#array(object, depth)
    else if (isPlain(object)) this.#plain(object, depth)
    else if (ArrayBuffer.isView(object)) this.typed(object)
    else if (types.isAnyArrayBuffer(object)) this.binary(new Uint8Array(object))
    else if (types.isDate(object)) this.date(object)
    else if (types.isNativeError(object) || object instanceof Error) this.error(object, depth, true)
    else if (types.isMap(object)) this.#mapTag(object, depth)
    else if (types.isSet(object)) this.#setTag(object, depth)
    else if (types.isRegExp(object)) this.tag('regexp', String(object))
    else if (object instanceof URL) this.tag('url', object.href)
    else if (types.isBoxedPrimitive(object)) this.value(unboxed(object), depth)
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
    const shown: unknown = typeof toJSON === 'function' ? toJSON.call(object, '') : object
    if (shown === object) {
      const head = this.openMap()
      this.close(head, this.entries(object, Object.keys(object), depth - 1))
    } else {
      // One more level: a toJSON that answers with another such object for ever must end somewhere.
      this.value(shown, depth - 1)
    }
    this.#ancestors.pop()
  }

  #array(array: readonly unknown[], depth: number): void {
    this.#ancestors.push(array)
    this.#list(array, array.length, depth)
    this.#ancestors.pop()
  }

  #setTag(set: ReadonlySet<unknown>, depth: number): void {
    this.#ancestors.push(set)
    this.openTag('set', 2)
    this.raw(V_KEY)
    this.#list(firstOf(setValues.call(set)), setSize.call(set) as number, depth)
    this.#ancestors.pop()
  }

  /** @param total of which `items` may be the first */
  #list(items: readonly unknown[], total: number, depth: number): void {
    const head = this.openArray()
    let written = 0
    while (written < total && written < VALUE_ENTRIES && !this.full) {
      this.#item(items, written, depth - 1)
      written++
    }
    this.close(head, this.#rest(written, total))
  }

  #item(items: readonly unknown[], index: number, depth: number): void {
    let item: unknown
    try {
      item = items[index]
    } catch (error) {
      this.tag('thrown', thrownText(error))
      return
    }
    this.#found(index, item, depth)
  }

  #mapTag(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#ancestors.push(map)
    this.openTag('map', 2)
    this.raw(V_KEY)
    const head = this.openArray()
    let written = 0
    for (const [key, value] of firstOf(mapEntries.call(map))) {
      if (this.full) break
      this.byte(0x92)
      this.value(key, depth - 1)
      this.#mapValue(key, value, depth - 1)
      written++
    }
    this.close(head, this.#rest(written, mapSize.call(map) as number))
    this.#ancestors.pop()
  }

  #mapValue(key: unknown, value: unknown, depth: number): void {
    if (typeof key === 'string' && this.redactor.takesName(key)) this.text(REDACTED)
    else this.#found(typeof key === 'string' || typeof key === 'number' ? key : '', value, depth)
  }

  /** Marks a list that was cut. @returns its entries, the mark included */
  #rest(written: number, total: number): number {
    if (!(written < total)) return written
    this.byte(0x81)
    this.missing(Math.min(total - written, MOST_MISSING))
    return written + 1
  }

  /** Name, message or stack. The name stands even where there is no room left. */
  #errorText(name: string, text: unknown): number {
    if (typeof text !== 'string') return 0
    if (this.full && name !== 'name') {
      this.cutBytes += text.length
      return 0
    }
    const shown = this.#errorShown(name, text)
    this.raw(literal(name))
    this.bounded(typeof shown === 'string' ? this.redactor.text(shown) : REDACTED, ERROR_TEXT_BYTES)
    return 1
  }

  #errorPart(name: string, value: unknown, depth: number): number {
    if (this.full) {
      this.cutBytes++
      return 0
    }
    this.raw(literal(name))
    if (this.redactor.takesName(name)) this.text(REDACTED)
    else this.#found(name, value, depth)
    return 1
  }

  #errorShown(name: string, text: string): unknown {
    if (this.redactor.takesName(name)) return REDACTED
    if (!this.#watched) return text
    const parent = this.#path
    this.#path = parent === '' ? name : `${parent}.${name}`
    const shown = this.#watch(name, text)
    this.#path = parent
    return shown
  }

  #errorFields(error: object, names: readonly string[], depth: number): number {
    if (names.length === 0) return 0
    if (this.full) {
      this.cutBytes += names.length
      return 0
    }
    this.raw(literal('fields'))
    const head = this.openMap()
    this.close(head, this.entries(error, names, depth))
    return 1
  }
}

/** An array may claim any length. */
const MOST_MISSING = 0xffffffff
/** An error's message may be long and its stack repeats it: neither may crowd out the other. */
const ERROR_TEXT_BYTES = 8192
const ERROR_PARTS = ['name', 'message', 'stack', 'cause']

// The getters themselves: a subclass or an own property cannot lie to them.
const mapSize = getterOf(Map.prototype, 'size')
const setSize = getterOf(Set.prototype, 'size')
const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values

function getterOf(prototype: object, name: PropertyKey): () => unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as () => unknown
}

/** As many as are ever written, before user code can change the collection. */
function firstOf<T>(iterator: Iterator<T>): readonly T[] {
  const items: T[] = []
  while (items.length < VALUE_ENTRIES) {
    const { done, value } = iterator.next()
    if (done === true) break
    items.push(value)
  }
  return items
}
