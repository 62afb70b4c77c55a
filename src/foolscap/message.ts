import type { ErrorRecord, PlainObject } from '../event/event'
import { fillTemplate } from '../event/template'
import type { Dict } from './json'
import { formatPercent, type Piece, textOfPieces } from './percent'
import { isList } from './python'

/** A message of ours, and which keys of the event it has used up. */
export interface Message {
  readonly message: string
  readonly used: readonly string[]
  /** A field to be added: the message itself, where it would be taken for a template. */
  readonly literal?: { readonly name: string; readonly text: string }
}

/**
 * The message of an event: `format` filled in from the event, else `message` with `args`, else `message` as it stands.
 * What Foolscap could not format is shown raw.
 *
 * A format becomes a template of ours, so that like events are seen to be alike, as far as that shows the same text.
 * Positional arguments are what the program passed: JSON has made a list of the tuple, which Foolscap itself stumbles over.
 */
export function messageOfEvent(event: Dict, fields: PlainObject, error: ErrorRecord | undefined): Message {
  const format = event.get('format')
  const message = event.get('message')
  const args = event.get('args')
  if (typeof format === 'string') {
    const pieces = formatPercent(format, event)
    if (pieces === undefined) return { ...literalMessage(format, fields, error), used: ['format'] }
    return { ...fromPieces(pieces, fields, error), used: isReversible(pieces) ? ['format'] : [] }
  }
  if (typeof message !== 'string')
    return { message: '', used: message === undefined || message === null ? ['message'] : [] }
  const pieces = isList(args) ? formatPercent(message, args) : undefined
  if (pieces === undefined) return { ...literalMessage(message, fields, error), used: ['message'] }
  return { ...positional(message, pieces, fields, error), used: ['message'] }
}

/** Nothing is lost of a format that consists of plain places: it can be made again from the template. */
function isReversible(pieces: readonly Piece[]): boolean {
  return pieces.every((piece) => piece.kind === 'text' || (piece.plain && piece.name !== undefined))
}

function fromPieces(
  pieces: readonly Piece[],
  fields: PlainObject,
  error: ErrorRecord | undefined,
): Omit<Message, 'used'> {
  const text = textOfPieces(pieces)
  const template = templateOf(pieces, fields, error).toWellFormed()
  const isRight = fillTemplate(template, fields, error) === text
  return isRight ? { message: template } : literalMessage(text, fields, error)
}

/** `fields.args` has them: our readers put them in too. */
function positional(
  message: string,
  pieces: readonly Piece[],
  fields: PlainObject,
  error: ErrorRecord | undefined,
): Omit<Message, 'used'> {
  const text = textOfPieces(pieces)
  const isRight = message.isWellFormed() && fillTemplate(message, fields, error) === text
  return isRight ? { message } : literalMessage(text, fields, error)
}

const NAME = /^[^{}\s"',:]{1,128}$/

function templateOf(pieces: readonly Piece[], fields: PlainObject, error: ErrorRecord | undefined): string {
  const shown = pieces.map((piece) => {
    if (piece.kind === 'text' || piece.name === undefined || !NAME.test(piece.name))
      return escaped(piece.text)
    const token = `{${piece.name}}`
    return fillTemplate(token, fields, error) === piece.text ? token : escaped(piece.text)
  })
  return shown.join('')
}

function escaped(text: string): string {
  return text.replace(/[{}]/g, '$&$&')
}

/** A text that our readers must not take for a template. */
function literalMessage(
  text: string,
  fields: PlainObject,
  error: ErrorRecord | undefined,
): Omit<Message, 'used'> {
  const message = text.toWellFormed()
  if (fillTemplate(message, fields, error) === message) return { message }
  const name = LITERAL_NAMES.find((name) => !Object.hasOwn(fields, name)) ?? 'message'
  return { message: `{${name}}`, literal: { name, text: message } }
}

/** Not `message`: the event may have one that its format hides. */
const LITERAL_NAMES = ['text', 'message.text']
