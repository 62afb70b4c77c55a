import {
  ERROR_MESSAGE_CHARS,
  ERROR_STACK_CHARS,
  ERROR_VALUE_CHARS,
  ERROR_VALUE_DEPTH,
  ERROR_VALUE_ENTRIES,
} from '../../base/kernel-limits'
import { DEFAULT_REDACTED_NAMES, plainName, REDACTED } from '../../base/secret-names'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** An error as plain values, capped and redacted. */
export interface PlainError {
  readonly [key: string]: Json
  readonly name: string
  readonly message: string
}

/** What takes long to show, and is no use to anybody. */
const HUGE = 10n ** 100n
const UNREADABLE = '[unreadable]'
/** `scheme://user:password@host`, as the recorder has it; bounded, so that a long text takes linear time. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]*:)[^\s/"'<>`]{1,500}(?=@)/gi
/** Read by name, wherever they are; all other properties of an error are taken as they come. */
const NAMED = new Set(['name', 'message', 'stack', 'cause', 'errors'])

/**
 * Makes anything that may be thrown or be at work into plain JSON of bounded size: no secrets under the usual names, no
 * cycles, no getter that throws gets through. The kernel has this small one of its own, since it stands on `base` alone and
 * needs neither paths nor functions nor bytes, as the recorder's encoder does. Nothing here throws.
 */
export class Plainer {
  readonly #names: readonly string[]

  /** @param redact further names whose values are taken out */
  constructor(redact: readonly string[] = []) {
    this.#names = [...DEFAULT_REDACTED_NAMES, ...redact.map(plainName)]
  }

  /** What was thrown, an error or anything else. */
  error(thrown: unknown): PlainError {
    const walk: Walk = { left: ERROR_VALUE_CHARS, above: new Set() }
    const value = this.#value(thrown, walk, 0)
    if (isPlainError(value)) return value
    const message = typeof value === 'string' ? value : this.text(JSON.stringify(value))
    return { name: kindOf(thrown), message }
  }

  value(value: unknown): Json {
    return this.#value(value, { left: ERROR_VALUE_CHARS, above: new Set() }, 0)
  }

  /** A text without passwords in URLs, cut to `chars`. */
  text(text: string, chars: number = ERROR_MESSAGE_CHARS): string {
    // A piece more than is kept, lest half a password at the cut be missed.
    const near = text.length > chars + 600 ? text.slice(0, chars + 600) : text
    return cut(near.includes('@') ? near.replace(URL_PASSWORD, `$1${REDACTED}`) : near, chars)
  }

  #value(value: unknown, walk: Walk, depth: number): Json {
    switch (typeof value) {
      case 'string':
        return this.#spend(this.text(value, Math.max(0, Math.min(ERROR_MESSAGE_CHARS, walk.left))), walk)
      case 'number':
        return Number.isFinite(value) ? value : String(value)
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#object(value, walk, depth)
      case 'function':
        return '[function]'
      case 'bigint':
        return isHuge(value) ? '[huge whole number]' : this.#spend(String(value), walk)
      default:
        return this.#spend(this.text(String(value)), walk)
    }
  }

  #object(value: object, walk: Walk, depth: number): Json {
    if (walk.above.has(value)) return '[circular]'
    if (depth > ERROR_VALUE_DEPTH || walk.left <= 0) return '[cut]'
    // One that is huge leaves as much to those that come after it.
    const given = depth === 0 ? walk.left : Math.ceil(walk.left / 2)
    const share = { left: given, above: walk.above }
    const plain = this.#container(value, share, depth)
    walk.left -= given - share.left
    return plain
  }

  #container(value: object, walk: Walk, depth: number): Json {
    walk.above.add(value)
    try {
      if (isError(value)) return this.#error(value, walk, depth)
      if (Array.isArray(value)) return this.#list(value, value.length, walk, depth)
      if (value instanceof Date) return isoOf(value)
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
      if (value instanceof Set) return this.#list(value, value.size, walk, depth)
      if (value instanceof Map) return this.#list(this.#pairs(value), value.size, walk, depth)
      return this.#properties(value, walk, depth)
    } catch {
      return UNREADABLE
    } finally {
      walk.above.delete(value)
    }
  }

  #error(error: object, walk: Walk, depth: number): PlainError {
    const name = read(error, 'name')
    const message = read(error, 'message')
    const stack = read(error, 'stack')
    const [cause, errors] = [read(error, 'cause'), read(error, 'errors')]
    return {
      ...this.#properties(error, walk, depth, NAMED),
      name: typeof name === 'string' && name !== '' ? cut(name, 100) : 'Error',
      message: this.#spend(this.text(typeof message === 'string' ? message : ''), walk),
      ...(typeof stack === 'string' && {
        stack: this.#spend(this.text(stack, Math.max(0, Math.min(ERROR_STACK_CHARS, walk.left))), walk),
      }),
      ...(cause !== undefined && { cause: this.#value(cause, walk, depth + 1) }),
      ...(Array.isArray(errors) && { errors: this.#value(errors, walk, depth + 1) }),
    }
  }

  #list(values: Iterable<unknown>, length: number, walk: Walk, depth: number): Json {
    const list: Json[] = []
    for (const value of values) {
      if (list.length >= ERROR_VALUE_ENTRIES || walk.left <= 0) {
        list.push(`[${length - list.length} more]`)
        break
      }
      list.push(this.#value(value, walk, depth + 1))
      walk.left -= 2
    }
    return list
  }

  *#pairs(map: ReadonlyMap<unknown, unknown>): Generator<unknown> {
    for (const [key, value] of map) yield [key, isText(key) && this.#takes(key) ? REDACTED : value]
  }

  #properties(value: object, walk: Walk, depth: number, except?: ReadonlySet<string>): PlainProperties {
    const properties: { [key: string]: Json } = {}
    const keys = Object.keys(value).filter((key) => except?.has(key) !== true)
    for (const [index, key] of keys.entries()) {
      if (index >= ERROR_VALUE_ENTRIES || walk.left <= 0) {
        properties['…'] = `[${keys.length - index} more]`
        break
      }
      const name = this.#spend(cut(key, 100), walk)
      const kept = this.#takes(key) ? REDACTED : this.#value(read(value, key), walk, depth + 1)
      Object.defineProperty(properties, name, { value: kept, enumerable: true, configurable: true })
    }
    return properties
  }

  #takes(key: string): boolean {
    const plain = plainName(key)
    return this.#names.some((name) => plain.endsWith(name))
  }

  #spend(text: string, walk: Walk): string {
    walk.left -= text.length + 4
    return text
  }
}

type PlainProperties = { readonly [key: string]: Json }

interface Walk {
  /** Characters that may still be kept. */
  left: number
  /** The objects that the present one is in. */
  readonly above: Set<object>
}

/** One line of JSON in which nothing moves a cursor, ends a line, or turns the writing around. */
export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value))
}

/** A text with every control character as `\u001b`, line ends and bidirectional overrides among them. */
export function escaped(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Also an error that came from elsewhere as JSON. */
function isPlainError(value: Json): value is PlainError {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('message' in value)) return false
  return typeof value.name === 'string' && typeof value.message === 'string'
}

function isText(key: unknown): key is string {
  return typeof key === 'string'
}

function isHuge(value: bigint): boolean {
  return value > HUGE || value < -HUGE
}

function isoOf(date: Date): string {
  const ms = Date.prototype.getTime.call(date)
  return Number.isNaN(ms) ? 'Invalid Date' : new Date(ms).toISOString()
}

function isError(value: object): boolean {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

function kindOf(thrown: unknown): string {
  return thrown === null ? 'null' : typeof thrown
}

function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return UNREADABLE
  }
}

function cut(text: string, chars: number): string {
  return text.length <= chars
    ? text
    : `${text.slice(0, Math.max(0, chars - 1)).replace(/[\ud800-\udbff]$/, '')}…`
}
