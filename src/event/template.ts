import type { ErrorRecord, LogEvent, Plain, PlainObject } from './event'
import { toJson } from './json'
import { renderPlain } from './render'
import { fieldAt, meaningOf } from './tagged'

/** What the values may add to a message, all together: the same long field may be named a thousand times. */
const ADDED_CHARS = 64 * 1024
/** Values other than text in a message. */
const VALUE_CHARS = 1000

/** The message of an event, filled in. */
export function messageText(event: LogEvent): string {
  return fillTemplate(event.message, event.fields, event.error)
}

/**
 * A message with its values filled in.
 *
 * - `{orderId}` is the field of that name; `{user.name}` the field `user.name` or, inside the field `user`,
 *   its `name`; `{items.0}`. `{err}` and `{error}` are the event's error where no field has that name. What
 *   is not there stays as it is.
 * - `{{` and `}}` stand for braces, in messages in which something was filled in. Any other message is shown
 *   as it was logged: it may be JSON, where two braces mean two braces.
 * - `%s %d %i %f %j %o %O %c %%` take what `fields.args` has, in order, where that is a list: positional
 *   arguments that a logger passed along without putting them in.
 *
 * Text is put in as it is, control characters too; other values as `renderPlain` has them. Adds at most
 * 65,536 characters. Never throws.
 */
export function fillTemplate(message: string, fields: PlainObject, error?: ErrorRecord): string {
  const args = fields['args']
  const positional = Array.isArray(args) && message.includes('%') ? new Positional(args) : undefined
  if (positional === undefined && !message.includes('{')) return message
  const named = error === undefined ? fields : { ...errorFields(error), ...fields }
  let filled = false
  let room = ADDED_CHARS
  const text = message.replace(TOKEN, (token: string, name: string | undefined) => {
    if (token === '{{') return '{'
    if (token === '}}') return '}'
    const value = name === undefined ? positional?.next(token) : textOf(fieldAt(named, name))
    if (value === undefined) return token
    filled ||= token !== '%%'
    const added = value.length > room ? `${value.slice(0, room)}…` : value
    room -= Math.min(room, value.length)
    return added
  })
  return filled ? text : message
}

/** Names have no spaces, quotes, colons or commas, so that logged JSON is not taken for a template. */
const TOKEN = /\{\{|\}\}|\{([^{}\s"',:]{1,128})\}|%[sdifjoOc%]/g

/** An error that was logged as one of these fields is the event's own, no longer a field. */
function errorFields(error: ErrorRecord): PlainObject {
  const tagged: PlainObject = { $: 'error', ...error }
  return { err: tagged, error: tagged }
}

function textOf(value: Plain | undefined): string | undefined {
  if (value === undefined) return undefined
  const meaning = meaningOf(value)
  if (meaning.kind === 'literal' && typeof meaning.value === 'string') return meaning.value
  return meaning.kind === 'cut' ? `${meaning.text}…` : renderPlain(value, VALUE_CHARS)
}

/** Arguments for `%` tokens, with the meaning that `util.format` gives these. */
class Positional {
  readonly #args: readonly Plain[]
  #taken = 0

  constructor(args: readonly Plain[]) {
    this.#args = args
  }

  /** Text for a token, or undefined where no argument is left for it. */
  next(token: string): string | undefined {
    if (token === '%%') return '%'
    const arg = this.#args[this.#taken]
    if (arg === undefined) return undefined
    this.#taken++
    switch (token) {
      case '%c':
        return ''
      case '%d':
        return String(numberOf(arg))
      case '%i':
        return String(Math.trunc(numberOf(arg)))
      case '%f':
        return String(Number.parseFloat(textOf(arg) ?? ''))
      case '%j':
        return JSON.stringify(toJson(arg)) ?? 'undefined'
      default:
        return textOf(arg)
    }
  }
}

function numberOf(arg: Plain): number {
  const meaning = meaningOf(arg)
  if (meaning.kind === 'bigint') return Number(meaning.text)
  return meaning.kind === 'literal' ? Number(meaning.value) : Number.NaN
}
