import type { LogEvent, Plain, PlainObject } from '../../event/event'
import { fieldAt, meaningOf } from '../../event/tagged'
import { textsOf } from './subject'

/** A field by name or path; the parts of the event's error as `error.code`, where no field has that name. */
export function valueAt(event: LogEvent, path: string): Plain | undefined {
  const value = fieldAt(event.fields, path)
  if (value !== undefined || event.error === undefined) return value
  if (path === 'error' || path === 'err') return { $: 'error', ...event.error } satisfies PlainObject
  const dot = path.indexOf('.')
  const isOfError = dot > 0 && (path.slice(0, dot) === 'error' || path.slice(0, dot) === 'err')
  return isOfError ? fieldAt(event.error as unknown as PlainObject, path.slice(dot + 1)) : undefined
}

/** Whether a value, or one of a list, is what `text` says: as text, or the same number. */
export function valueEquals(value: Plain, text: string, number: number): boolean {
  if (typeof value === 'string') return value === text
  if (typeof value === 'number') return Object.is(value, number) || value === number || String(value) === text
  const meaning = meaningOf(value)
  switch (meaning.kind) {
    case 'list':
    case 'set':
      return meaning.items.some((item) => valueEquals(item, text, number))
    case 'bigint':
      return meaning.text === text || `${meaning.text}n` === text
    case 'record':
    case 'map':
    case 'error':
    case 'typed':
    case 'bytes':
      return false
    default:
      return textsOf(value).some((one) => one === text)
  }
}

/** Whether `isRight` holds for a value that is a number, or reads as one, or for one of a list. */
export function valueCompares(value: Plain, isRight: (number: number) => boolean): boolean {
  if (typeof value === 'number') return isRight(value)
  if (typeof value === 'string') return NUMBER.test(value) && isRight(Number(value))
  const meaning = meaningOf(value)
  switch (meaning.kind) {
    case 'list':
    case 'set':
      return meaning.items.some((item) => valueCompares(item, isRight))
    case 'bigint':
      return isRight(Number(meaning.text))
    case 'typed':
      return meaning.numbers.some((number) => isRight(Number(number)))
    default:
      return false
  }
}

/** The number that a text is, or NaN: no blank, no hexadecimal, no empty text. */
export function numberIn(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
