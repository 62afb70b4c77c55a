import { decodeEvent, peekSeverity } from '../codec/decode'
import type { ErrorRecord, LogEvent, Plain } from '../event/event'
import { facilityMatches } from '../event/facility'
import { meaningOf } from '../event/tagged'
import { fillTemplate } from '../event/template'
import type { Fields } from './wire'

const MAX_TEXT = 1000
const MAX_FACILITY = 256

/**
 * What a subscriber of a tail wants to see. The text is looked for as it is, in any case: a pattern that
 * somebody else made up could keep the publisher busy for ever.
 */
export class TailFilter {
  readonly #severity: number
  readonly #facility: string
  readonly #text: string

  constructor(params: Fields) {
    this.#severity = params.has('severity') ? params.count('severity', 24, 1) : 1
    this.#facility = params.has('facility') ? params.text('facility', MAX_FACILITY) : ''
    this.#text = (params.has('text') ? params.text('text', MAX_TEXT) : '').toLowerCase()
  }

  passes(payload: Uint8Array): boolean {
    if (peekSeverity(payload) < this.#severity) return false
    if (this.#facility === '' && this.#text === '') return true
    const event = decoded(payload)
    // What cannot be read here is the subscriber's to see, not ours to hide
    if (event === undefined) return true
    return (
      facilityMatches(this.#facility, event.facility) &&
      (this.#text === '' || eventHasText(event, this.#text))
    )
  }
}

/**
 * Whether lower-case `text` is in the message as people see it, the facility, a field's value, or the error.
 */
export function eventHasText(event: LogEvent, text: string): boolean {
  const has = (one: string): boolean => one.toLowerCase().includes(text)
  return (
    has(event.message) ||
    has(fillTemplate(event.message, event.fields)) ||
    has(event.facility) ||
    Object.values(event.fields).some((value) => valueHas(value, has)) ||
    (event.error !== undefined && errorHas(event.error, has))
  )
}

type Has = (text: string) => boolean

function errorHas({ name, message, stack, code, cause, errors, fields }: ErrorRecord, has: Has): boolean {
  if ([name, message, stack ?? '', String(code ?? '')].some(has)) return true
  return [cause ?? null, ...(errors ?? []), fields ?? null].some((value) => valueHas(value, has))
}

function valueHas(value: Plain, has: Has): boolean {
  const meaning = meaningOf(value)
  switch (meaning.kind) {
    case 'literal':
      return meaning.value !== null && has(String(meaning.value))
    case 'list':
    case 'set':
      return meaning.items.some((item) => valueHas(item, has))
    case 'record':
      return meaning.entries.some(([, item]) => valueHas(item, has))
    case 'map':
      return meaning.entries.some(([key, item]) => valueHas(key, has) || valueHas(item, has))
    case 'error':
      return Object.values(meaning.parts).some((part) => valueHas(part, has))
    case 'date':
      return has(meaning.iso ?? '')
    case 'typed':
      return meaning.numbers.some((number) => has(String(number)))
    case 'bytes':
    case 'undefined':
    case 'proxy':
      return false
    default:
      return has(meaning.text)
  }
}

function decoded(payload: Uint8Array): LogEvent | undefined {
  try {
    return decodeEvent(payload)
  } catch {
    return undefined
  }
}
