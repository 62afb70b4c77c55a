import type { ErrorRecord, LogEvent, Plain } from '../../event/event'
import { meaningOf } from '../../event/tagged'
import { messageText } from '../../event/template'

/** What an incident knows of an event beside the event. */
export interface FilterContext {
  /** Microseconds since the epoch: what times such as `-12s` count from. */
  readonly triggerTime?: number
  readonly mark?: 'trigger' | 'further'
}

/** An event that terms are asked about. What several of them need is made once, and only when it is needed. */
export class Subject {
  readonly event: LogEvent
  readonly context: FilterContext
  #message: string | undefined
  #texts: readonly string[] | undefined
  #lowered: readonly string[] | undefined

  constructor(event: LogEvent, context: FilterContext) {
    this.event = event
    this.context = context
  }

  /** The message, filled in. */
  get message(): string {
    this.#message ??= messageText(this.event)
    return this.#message
  }

  /** Everything that is searched for a text. */
  get texts(): readonly string[] {
    this.#texts ??= this.#collect()
    return this.#texts
  }

  get lowered(): readonly string[] {
    this.#lowered ??= this.texts.map((text) => text.toLowerCase())
    return this.#lowered
  }

  #collect(): readonly string[] {
    const { message, facility, fields, error } = this.event
    const texts = [this.message]
    if (this.message !== message) texts.push(message)
    if (facility !== '') texts.push(facility)
    for (const key of Object.keys(fields)) addTexts(fields[key] ?? null, texts)
    if (error !== undefined) addErrorTexts(error, texts)
    return texts
  }
}

/** The texts of a value and of what lies in it, as people see them; nothing of what has no text. */
export function textsOf(value: Plain): readonly string[] {
  const texts: string[] = []
  addTexts(value, texts)
  return texts
}

function addTexts(value: Plain, texts: string[]): void {
  if (typeof value === 'string') {
    texts.push(value)
    return
  }
  const meaning = meaningOf(value)
  switch (meaning.kind) {
    case 'literal':
      texts.push(Object.is(meaning.value, -0) ? '-0' : String(meaning.value))
      return
    case 'list':
    case 'set':
      for (const item of meaning.items) addTexts(item, texts)
      return
    case 'record':
      for (const [, item] of meaning.entries) addTexts(item, texts)
      return
    case 'map':
      for (const [key, item] of meaning.entries) {
        addTexts(key, texts)
        addTexts(item, texts)
      }
      return
    case 'error':
      for (const part of Object.keys(meaning.parts))
        if (part !== '$') addTexts(meaning.parts[part] ?? null, texts)
      return
    case 'date':
      texts.push(meaning.iso ?? 'invalid date')
      return
    case 'typed':
      for (const number of meaning.numbers) texts.push(String(number))
      return
    case 'undefined':
    case 'proxy':
      texts.push(meaning.kind)
      return
    case 'bytes':
      return
    default:
      texts.push(meaning.text)
  }
}

function addErrorTexts(
  { name, message, stack, code, cause, errors, fields }: ErrorRecord,
  texts: string[],
): void {
  texts.push(name, message)
  if (stack !== undefined) texts.push(stack)
  if (code !== undefined) texts.push(String(code))
  if (cause !== undefined) addTexts(cause, texts)
  for (const one of errors ?? []) addTexts(one, texts)
  if (fields !== undefined) addTexts(fields, texts)
}
