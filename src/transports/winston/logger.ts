import type { Info } from './info'

/** What is used of a winston logger. */
export interface WinstonLogger {
  readonly levels: Readonly<Record<string, number>>
  readonly level?: string | undefined
  readonly silent?: boolean | undefined
  /** False once it was ended. */
  readonly writable?: boolean
  /** Infos that wait to be formatted. */
  readonly writableLength?: number
  readonly _addDefaultMeta?: unknown
  readonly format: {
    readonly options?: unknown
    transform(info: Info, options?: unknown): unknown
  }
}

/** The logger that a stream is: itself, or, for a child, the one that its calls end in. Undefined for other streams. */
export function loggerOf(stream: unknown): WinstonLogger | undefined {
  let object: unknown = stream
  // A child is made with its parent as prototype; the state of the stream is the root's own.
  while (isObject(object) && !Object.hasOwn(object, '_readableState')) object = Object.getPrototypeOf(object)
  return isLogger(object) ? object : undefined
}

/** The name of the level that lets everything through. */
export function leastSevereLevel(levels: Readonly<Record<string, number>>): string | undefined {
  let least: string | undefined
  for (const name of Object.keys(levels)) {
    if (least === undefined || Number(levels[name]) > Number(levels[least])) least = name
  }
  return least
}

function isLogger(value: unknown): value is WinstonLogger {
  if (!isObject(value)) return false
  const { levels, format, write, push, _transform } = value as Record<string, unknown>
  const methods = [write, push, _transform].every((method) => typeof method === 'function')
  return methods && isObject(levels) && isObject(format)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
