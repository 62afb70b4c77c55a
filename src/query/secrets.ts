import { REDACTED } from '../base/secret-names'
import type { LogEvent, Plain, PlainObject } from '../event/event'
import { REDACTION_FAILED, Redactor } from '../event/redact'
import { meaningOf } from '../event/tagged'
import type { IncidentPart } from '../incident/parser'

/** One kind of secret, by how it looks. */
interface SecretKind {
  /** In the singular and the plural, for people. */
  readonly name: readonly [one: string, many: string]
  readonly pattern: RegExp
}

/** None of these finds anything in what redaction leaves behind. */
const KINDS: readonly SecretKind[] = [
  {
    name: ['private key', 'private keys'],
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^-]*(?:-(?!----)[^-]*)*(?:-----END [A-Z0-9 ]{0,60}-----)?/g,
  },
  {
    name: ['bearer token', 'bearer tokens'],
    pattern: /\bbearer[ \t]+[\w~+/-][\w.~+/-]{15,}=*/gi,
  },
  { name: ['JSON web token', 'JSON web tokens'], pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}/g },
  {
    name: ['password of HTTP authorization', 'passwords of HTTP authorization'],
    pattern: /\bauthorization["']?[ \t]*[:=][ \t]*["']?basic[ \t]+[A-Za-z0-9+/]{8,}=*/gi,
  },
  {
    name: ['AWS key', 'AWS keys'],
    pattern:
      /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\baws_?secret[\w ]{0,20}["']?[ \t]*[:=][ \t]*["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi,
  },
  {
    name: ['GitHub token', 'GitHub tokens'],
    pattern: /\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{22,}/g,
  },
  { name: ['GitLab token', 'GitLab tokens'], pattern: /\bglpat-[\w-]{20,}/g },
  {
    name: ['Slack token', 'Slack tokens'],
    pattern: /\bxox[abeoprs]-[\w-]{10,}|\bhooks\.slack\.com\/services\/[\w/]{20,}/g,
  },
  { name: ['Stripe key', 'Stripe keys'], pattern: /\b(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}/g },
  { name: ['Google key', 'Google keys'], pattern: /\bAIza[\w-]{35}/g },
  { name: ['npm token', 'npm tokens'], pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: ['SendGrid key', 'SendGrid keys'], pattern: /\bSG\.[\w-]{16,32}\.[\w-]{16,64}/g },
  {
    name: ['key of a language model', 'keys of language models'],
    pattern: /\bsk-(?:(?:proj|ant|svcacct|admin)-[\w-]{20,}|[A-Za-z0-9]{32,})/g,
  },
  {
    // Not in the address of a request, which is a kind of its own; nor what stands there in the place of a value.
    name: ['secret beside its name', 'secrets beside their names'],
    pattern:
      /(?<![?&\w-])[\w-]{0,40}(?:password|passwd|passphrase|secret|api[_-]?key|(?:access|auth|refresh|api)[_-]token)(?:=|["']: ?)(?!null\b|true\b|false\b|undefined\b|\$\{)["']?[^\s"'&,;*[\](){}<>]{6,}/gi,
  },
  {
    name: ['secret in the address of a request', 'secrets in addresses of requests'],
    pattern:
      /[?&](?:access_token|refresh_token|id_token|token|api_?key|client_secret|secret|password|passwd|signature|sig)=[^\s&#"'<>[\]]{6,}/gi,
  },
]

const URL_PASSWORD = ['password in a URL', 'passwords in URLs'] as const
const NAMED = ['value named like a secret', 'values named like secrets'] as const

/** Without one of these a text holds none of the kinds. It costs a tenth of looking for all of them. */
const HINT =
  /-----BEGIN|bearer|eyJ|authorization|AKIA|ASIA|aws_?secret|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|hooks\.slack|_live_|_test_|whsec_|AIza|npm_|SG\.|sk-|[?&]\w{2,20}=|(?:passw(?:or)?d|passphrase|secret|key|token)(?:=|["']:)/i

/** What finds secret-looking values in texts: for whoever wants them taken out. Names and URLs are with the defaults of redaction. */
export const SECRET_PATTERNS: readonly RegExp[] = KINDS.map(({ pattern }) => pattern)

/** Whether one of these may find something; costs less than to try them all. */
export function mayHoldSecret(text: string): boolean {
  return HINT.test(text)
}

/** Secret-looking values of one kind in a file. The values themselves are nowhere kept. */
export interface SecretFinding {
  readonly count: number
  /** In the singular or the plural, as the count has it. */
  readonly what: string
  /** The first place: an event by its `seq`, or another part of the file. */
  readonly where: { readonly seq: number } | 'header' | 'trailer'
}

type Place = SecretFinding['where']

const DEPTH = 100
const MIN_CHARS = 4
const REMEMBERED_NAMES = 4096

/** Looks for values in an incident that somebody may not want to hand on. */
export class SecretFinder {
  readonly #defaults = new Redactor()
  readonly #found = new Map<readonly [string, string], { count: number; readonly where: Place }>()
  #names = new Map<string, boolean>()

  take(part: IncidentPart): void {
    switch (part.kind) {
      case 'header':
        this.#value(part.header as unknown as Plain, 'header', DEPTH)
        this.#arguments(part.header.argv ?? [])
        return
      case 'events':
        for (const { event } of part.events) this.#event(event)
        return
      case 'trailer':
        this.#value(part.trailer as unknown as Plain, 'trailer', DEPTH)
    }
  }

  /** What there was, most frequent first. */
  findings(): readonly SecretFinding[] {
    return [...this.#found]
      .map(([[one, many], { count, where }]) => ({ count, what: count === 1 ? one : many, where }))
      .sort((a, b) => b.count - a.count)
  }

  #event(event: LogEvent): void {
    const where = { seq: event.seq }
    this.#text(event.message, where)
    this.#text(event.facility, where)
    this.#value(event.fields, where, DEPTH)
    if (event.error !== undefined) this.#value(event.error as unknown as PlainObject, where, DEPTH)
  }

  /** `--token=…`, and `--token …`. */
  #arguments(words: readonly string[]): void {
    for (const [index, word] of words.entries()) {
      const [, name, value] = /^--?([\w.-]+)=(.+)$/s.exec(word) ?? []
      const before = /^--?([\w.-]+)$/.exec(words[index - 1] ?? '')?.[1]
      if (name !== undefined && value !== undefined) {
        if (this.#isSecretName(name) && holdsSomething(value)) this.#add(NAMED, 1, 'header')
      } else if (before !== undefined && this.#isSecretName(before) && holdsSomething(word)) {
        this.#add(NAMED, 1, 'header')
      }
    }
  }

  #value(value: Plain, where: Place, depth: number): void {
    if (typeof value === 'string') {
      this.#text(value, where)
      return
    }
    if (typeof value !== 'object' || value === null || depth === 0) return
    const meaning = meaningOf(value)
    switch (meaning.kind) {
      case 'list':
      case 'set':
        for (const item of meaning.items) this.#value(item, where, depth - 1)
        return
      case 'record':
        for (const [key, item] of meaning.entries) this.#entry(key, item, where, depth - 1)
        return
      case 'map':
        for (const [key, item] of meaning.entries) {
          if (typeof key === 'string') this.#entry(key, item, where, depth - 1)
          else this.#value(item, where, depth - 1)
        }
        return
      case 'error':
        for (const key of Object.keys(meaning.parts))
          if (key !== '$') this.#entry(key, meaning.parts[key] ?? null, where, depth - 1)
        return
      case 'literal':
        if (typeof meaning.value === 'string') this.#text(meaning.value, where)
        return
      case 'bytes':
        this.#text(textIn(meaning.bytes), where)
        return
      case 'typed':
      case 'date':
      case 'undefined':
      case 'proxy':
        return
      default:
        this.#text(meaning.text, where)
    }
  }

  #entry(key: string, value: Plain, where: Place, depth: number): void {
    this.#text(key, where)
    if (this.#isSecretName(key) && holdsSomething(value)) this.#add(NAMED, 1, where)
    else this.#value(value, where, depth)
  }

  #text(text: string, where: Place): void {
    if (text.length < MIN_CHARS) return
    if (text.includes('@') && this.#defaults.text(text) !== text) this.#add(URL_PASSWORD, 1, where)
    if (!HINT.test(text)) return
    for (const { name, pattern } of KINDS) {
      const count = text.match(pattern)?.length ?? 0
      if (count > 0) this.#add(name, count, where)
    }
  }

  #isSecretName(name: string): boolean {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    if (this.#names.size >= REMEMBERED_NAMES) this.#names = new Map()
    const isSecret = this.#defaults.takesName(name)
    this.#names.set(name, isSecret)
    return isSecret
  }

  #add(name: readonly [string, string], count: number, where: Place): void {
    const known = this.#found.get(name)
    if (known === undefined) this.#found.set(name, { count, where })
    else known.count += count
  }
}

/** The text that bytes may be, where redaction has to look for one. */
export function textIn(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}

const utf8 = new TextDecoder('utf-8')

/** Whether there is a text, or a collection that may have one: a `tokens: 5` says nothing to anybody. */
function holdsSomething(value: Plain): boolean {
  const meaning = meaningOf(value)
  switch (meaning.kind) {
    case 'literal': {
      const text = meaning.value
      return (
        typeof text === 'string' && text.length >= MIN_CHARS && text !== REDACTED && text !== REDACTION_FAILED
      )
    }
    case 'list':
    case 'set':
    case 'record':
    case 'map':
      return JSON.stringify(value).length > 2 + MIN_CHARS
    case 'bytes':
    case 'cut':
    case 'bigint':
    case 'url':
      return true
    default:
      return false
  }
}
