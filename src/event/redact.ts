import { invalidOption } from '../base/errors'
import { DEFAULT_REDACTED_NAMES, plainName, REDACTED } from '../base/secret-names'

/** Stands in the place of what a redaction function failed on: better nothing than a secret. */
export const REDACTION_FAILED = '[redaction failed]'

/**
 * What to take out of events before they become bytes:
 * - a name (`'password'`): the value of every key of that name, in any case, with or without `-` and `_`, at any depth;
 * - a dotted path (`'user.card.number'`): that value; in an array, with its index or, for all items, without;
 *   `'error.config.auth'` is a property of the event's own error;
 * - a regular expression: every match in messages, texts, stacks and recorded lines;
 * - a function: sees every value with its key and returns what may be kept.
 */
export type Redaction = string | RegExp | RedactionFunction
export type RedactionFunction = (key: string, value: unknown) => unknown

export interface RedactionOptions {
  /** Default true: {@link DEFAULT_REDACTED_NAMES} and passwords in URLs. */
  readonly defaults?: boolean
  readonly also?: readonly Redaction[]
}

/**
 * `scheme://user:password@host`: the password, up to the last `@` before the path, since people do not escape theirs.
 * Looked for only in texts that hold an `@`. The scheme is bounded, else a long text without one takes quadratic time.
 */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]*:)[^\s/"'<>`]+(?=@)/gi

/** Decides what of an event may be kept. Immutable; made once a recorder. */
export class Redactor {
  readonly hasFunctions: boolean
  readonly hasPaths: boolean
  /** True when more than a key's name decides: the encoder then takes its slower way. */
  readonly seesValues: boolean
  /** True when every text must be searched, not just those with an `@`. */
  readonly searchesAll: boolean
  readonly #names = new Set<string>()
  readonly #paths = new Set<string>()
  readonly #patterns: RegExp[] = []
  readonly #functions: RedactionFunction[] = []
  readonly #defaults: boolean

  /** @throws FlogError FLOG_OPTION_INVALID */
  constructor(redact: readonly Redaction[] | RedactionOptions = []) {
    const options: RedactionOptions = isList(redact) ? { also: redact } : redact
    this.#defaults = options.defaults ?? true
    for (const entry of options.also ?? []) this.#add(entry)
    this.hasFunctions = this.#functions.length > 0
    this.hasPaths = this.#paths.size > 0
    this.seesValues = this.hasFunctions || this.hasPaths
    this.searchesAll = this.#patterns.length > 0
  }

  /** Whether the value of a key of this name is taken out, at whatever depth. */
  takesName(name: string): boolean {
    const plain = plainName(name)
    if (this.#names.has(plain)) return true
    return this.#defaults && DEFAULT_REDACTED_NAMES.some((suffix) => plain.endsWith(suffix))
  }

  /**
   * Whether the value at this dotted path is taken out. Indices of arrays are part of a path, and may be left out in the
   * one that was given: `users.card` means the `card` of each.
   */
  takesPath(path: string): boolean {
    const plain = path.toLowerCase()
    return this.#paths.has(plain) || this.#paths.has(plain.replace(/\.\d+(?=\.|$)/g, ''))
  }

  /** The text without what the patterns match. Never throws. */
  text(text: string): string {
    try {
      let kept = text
      if (this.#defaults && kept.includes('@')) kept = kept.replace(URL_PASSWORD, `$1${REDACTED}`)
      for (const pattern of this.#patterns) kept = kept.replace(pattern, REDACTED)
      return kept
    } catch {
      // A pattern may run out of stack on a text of megabytes.
      return REDACTION_FAILED
    }
  }

  /** The value that the functions leave. Never throws. */
  value(key: string, value: unknown): unknown {
    let kept = value
    for (const redact of this.#functions) {
      try {
        kept = redact(key, kept)
      } catch {
        return REDACTION_FAILED
      }
    }
    return kept
  }

  #add(entry: unknown): void {
    if (typeof entry === 'function') this.#functions.push(entry as RedactionFunction)
    else if (entry instanceof RegExp) this.#patterns.push(globally(entry))
    else if (typeof entry !== 'string' || entry === '') {
      throw invalidOption('redact', 'names, dotted paths, regular expressions and functions', entry)
    } else if (entry.includes('.')) this.#addPath(entry.toLowerCase())
    else this.#names.add(plainName(entry))
  }

  /** An event's own error is found under `error`, wherever it came from. */
  #addPath(path: string): void {
    this.#paths.add(path)
    if (path.startsWith('err.')) this.#paths.add(`error.${path.slice(4)}`)
  }
}

function isList(redact: readonly Redaction[] | RedactionOptions): redact is readonly Redaction[] {
  return Array.isArray(redact)
}

function globally(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`)
}
