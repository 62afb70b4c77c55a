import { REDACTED } from '../../base/secret-names'
import type { Plain, PlainObject } from '../../event/event'
import { Redactor } from '../../event/redact'
import { meaningOf } from '../../event/tagged'
import { textsOf } from '../filter/subject'
import { mayHoldSecret, SECRET_PATTERNS, textIn } from '../secrets'
import type { Literals } from './literals'

export interface Scrubbing {
  /** Names and dotted paths of fields, as the recorder's option `redact` takes them. */
  readonly fields?: readonly string[]
  readonly patterns?: readonly RegExp[]
  /** The recorder's default list, passwords in URLs, and all that `flog verify` points out; default false. */
  readonly defaults?: boolean
}

/** Takes values out of what was decoded, and says which. */
export class ValueScrubber {
  /** Values that were taken out, or texts in which something was. */
  removed = 0
  readonly #named: Redactor
  readonly #redactor: Redactor
  /** For texts in which something looks like a secret. */
  readonly #secrets: Redactor
  readonly #usesDefaults: boolean
  readonly #known: Literals
  readonly #taken: Literals

  /**
   * @param known values to take out wherever they are
   * @param taken gets the values of the fields that are taken out
   * @throws FlogError FLOG_OPTION_INVALID for an empty name
   */
  constructor({ fields = [], patterns = [], defaults = false }: Scrubbing, known: Literals, taken: Literals) {
    this.#named = new Redactor({ defaults: false, also: fields })
    this.#redactor = new Redactor({ defaults, also: patterns })
    this.#secrets = new Redactor({ defaults: false, also: SECRET_PATTERNS })
    this.#usesDefaults = defaults
    this.#known = known
    this.#taken = taken
  }

  text(text: string): string {
    const safe = this.#usesDefaults && mayHoldSecret(text) ? this.#secrets.text(text) : text
    const kept = this.#known.without(this.#redactor.text(safe))
    if (kept !== text) this.removed++
    return kept
  }

  /** A value under a name: taken out because of it, or searched. @param path of the value, from the event's fields on */
  entry(name: string, value: Plain, path = name): Plain {
    const isNamed = this.#named.takesName(name) || (this.#named.hasPaths && this.#named.takesPath(path))
    if (isNamed || (this.#usesDefaults && this.#redactor.takesName(name))) return this.#take(value, isNamed)
    return this.value(value, path)
  }

  value(value: Plain, path: string): Plain {
    if (typeof value === 'string') return this.text(value)
    if (typeof value === 'number') return this.#number(value)
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof Uint8Array) return this.#bytes(value)
    if (Array.isArray(value)) return value.map((item: Plain, index) => this.value(item, `${path}.${index}`))
    return this.#map(value as PlainObject, path)
  }

  /** @param path empty for the event's fields */
  #map(map: PlainObject, path: string): Plain {
    const tag = map['$']
    if (tag === 'text') {
      const meaning = meaningOf(map)
      const text = meaning.kind === 'literal' ? String(meaning.value) : ''
      const kept = this.text(text)
      return kept === text ? map : kept
    }
    if (tag === 'map' && Array.isArray(map['v'])) {
      return { ...map, v: (map['v'] as readonly Plain[]).map((pair) => this.#pair(pair, path)) }
    }
    // Of a tagged value the keys are ours; of an error they are its parts.
    return typeof tag === 'string' && tag !== 'error' ? this.#tagged(map, path) : this.entries(map, path)
  }

  entries(map: PlainObject, path: string): PlainObject {
    const kept: Record<string, Plain> = {}
    for (const key of Object.keys(map)) {
      const value = map[key] ?? null
      const name = ONLY_DOLLARS.test(key) ? key.slice(1) : key
      put(
        kept,
        key === '$' ? key : this.text(key),
        key === '$' ? value : this.entry(name, value, path === '' ? name : `${path}.${name}`),
      )
    }
    return kept
  }

  #tagged(map: PlainObject, path: string): PlainObject {
    const kept: Record<string, Plain> = {}
    for (const key of Object.keys(map)) {
      const value = map[key] ?? null
      put(kept, key, key === 'v' ? this.value(value, path) : value)
    }
    return kept
  }

  #pair(pair: Plain, path: string): Plain {
    if (!Array.isArray(pair)) return this.value(pair, path)
    const [key = null, value = null] = pair as readonly Plain[]
    if (typeof key !== 'string') return [this.value(key, path), this.value(value, path)]
    return [this.text(key), this.entry(key, value, path === '' ? key : `${path}.${key}`)]
  }

  #number(number: number): Plain {
    const text = String(number)
    const kept = this.text(text)
    return kept === text ? number : kept
  }

  #bytes(bytes: Uint8Array): Plain {
    const text = textIn(bytes)
    return this.text(text) === text ? bytes : REDACTED
  }

  #take(value: Plain, isNamed: boolean): Plain {
    if (value === REDACTED) return value
    this.removed++
    for (const text of textsOf(value)) {
      // A field of the default list may say `token: expired`: its word stands elsewhere for good reason.
      if (isNamed ? !MEANINGLESS.test(text) : !WORDS.test(text)) this.#taken.add(text)
    }
    return REDACTED
  }
}

/** Keys of users that consist of `$` alone are stored with one more. */
const ONLY_DOLLARS = /^\$\$+$/
const MEANINGLESS = /^(?:true|false|null|undefined|invalid date)$/
const WORDS = /^(?:[\p{L}\s]*|\d{1,5})$/u

/** Also a key such as `__proto__` is only a key. */
function put(map: Record<string, Plain>, key: string, value: Plain): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
}
