import { SPLAT } from 'triple-beam'
import { isError } from '../../codec/flat'
import type { Info } from './info'

/** The parts of an error that winston lays out among the fields, when it takes one apart. */
interface FlatError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly cause?: unknown
}

/**
 * The error that an info is about, in whatever way it was logged: as the message, as the argument after it, under `err` or
 * `error`, or taken apart by a child logger or `format.errors()`. Undefined where there is none, and where it is among the
 * fields in a way that the encoder finds by itself.
 * @param logged the error before any format
 */
export function errorOf(info: Info, logged: Error | undefined): object | undefined {
  if (logged !== undefined) return logged
  if (typeof info.message === 'object' && isError(info.message)) return info.message
  const splat = info[SPLAT]
  if (Array.isArray(splat) && splat.length > 0) {
    const argument: unknown = splat.find(isError)
    if (argument !== undefined) return argument as Error
  }
  return typeof info['stack'] === 'string' ? flattened(info, info['stack']) : undefined
}

/** The fields without the parts of the error. */
export function fieldsBeside(info: Info, error: object): object {
  if (isError(info)) return info
  const fields: Record<string, unknown> = Object.create(null)
  const { stack, cause } = error as Partial<FlatError>
  for (const name of Object.keys(info)) {
    const value = info[name]
    const isPart =
      value === error || (name === 'stack' && value === stack) || (name === 'cause' && value === cause)
    if (!isPart) fields[name] = value
  }
  return fields
}

function flattened(info: Info, stack: string): object | undefined {
  if (isError(info)) return undefined
  const nested: unknown = isError(info['error']) ? info['error'] : info['err']
  if (isError(nested)) return nested
  if (!stack.includes('\n    at ')) return undefined
  const header = /^([\w$.]+)(?:: ([\s\S]*?))?\n {4}at /.exec(stack)
  const flat: FlatError = {
    name: ownName(info['name']) ?? header?.[1] ?? 'Error',
    message: header?.[2] ?? '',
    stack,
  }
  return info['cause'] === undefined ? flat : { ...flat, cause: info['cause'] }
}

/** A class that names itself does so in a property, which is copied; other fields are called `name` too. */
function ownName(name: unknown): string | undefined {
  return typeof name === 'string' && /(?:Error|Exception)$/.test(name) ? name : undefined
}
