import type { LogEvent, Plain } from '../../event/event'
import { meaningOf } from '../../event/tagged'

/** What an error is recognised by; a part that it lacks is empty. */
export interface ErrorName {
  readonly name: string
  readonly code: string
  readonly message: string
}

/** Errors looked at in one event: causes of causes, errors of errors. */
const MAX_ERRORS = 100

/** The error of an event, its causes, and the errors that it gathers; nearest first. */
export function errorChain({ error }: LogEvent): readonly ErrorName[] {
  if (error === undefined) return []
  const found: ErrorName[] = []
  const waiting: Plain[] = [{ $: 'error', ...error }]
  for (let next = waiting.shift(); next !== undefined && found.length < MAX_ERRORS; next = waiting.shift()) {
    const meaning = meaningOf(next)
    if (meaning.kind !== 'error') continue
    const { name, code, message, cause, errors } = meaning.parts
    found.push({ name: textOf(name), code: textOf(code), message: textOf(message) })
    if (cause !== undefined) waiting.push(cause)
    if (Array.isArray(errors)) waiting.push(...(errors as readonly Plain[]))
  }
  return found
}

function textOf(value: Plain | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
