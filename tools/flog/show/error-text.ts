import type { ErrorRecord, Plain, PlainObject } from '../../../src/event/event'
import { renderPlain } from '../../../src/event/render'
import { isFrame, isOwnFrame } from '../../../src/event/stack'
import type { Style } from '../style'
import { escapeLine, escapeLines } from '../terminal'

const CAUSE_DEPTH = 16

/** An error as lines: its stack, or name and message, then code and fields, then what caused it. */
export function errorLines(error: ErrorRecord, depth = CAUSE_DEPTH): string[] {
  const lines = escapeLines(error.stack ?? headline(error))
  const message = escapeLines(error.message)[0] ?? ''
  if (error.stack !== undefined && !lines.some((line) => line.includes(message)))
    lines.unshift(...escapeLines(headline(error)))
  const extra = [
    ...(error.code === undefined ? [] : [`code=${escapeLine(String(error.code))}`]),
    ...Object.entries(error.fields ?? {}).map(([key, value]) => `${escapeLine(key)}=${renderPlain(value)}`),
  ]
  if (extra.length > 0) lines.push(`  ${extra.join(' ')}`)
  if (depth === 0) return lines
  for (const one of error.errors ?? []) lines.push(...nested('one of: ', one, depth))
  if (error.cause !== undefined) lines.push(...nested('caused by: ', error.cause, depth))
  return lines
}

/**
 * The same for people who look for their own source: in each stack its first frame stands out, and those of packages and of
 * Node stand back.
 */
export function styledErrorLines(error: ErrorRecord, style: Style): string[] {
  let own = false
  return errorLines(error).map((line) => {
    if (!isFrame(line)) {
      own = false
      return line
    }
    if (!isOwnFrame(line)) return style.dim(line)
    if (own) return line
    own = true
    return style.bold(line.replace(/^(\s*)\s\sat /, '$1› at '))
  })
}

function nested(label: string, value: Plain, depth: number): string[] {
  const error = asError(value)
  const [first = '', ...rest] = error === undefined ? [renderPlain(value)] : errorLines(error, depth - 1)
  return [`${label}${first}`, ...rest]
}

/** A nested error is a plain object with the tag `error`. */
function asError(value: Plain): ErrorRecord | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value))
    return undefined
  const { message, name } = value as PlainObject
  if (typeof message !== 'string') return undefined
  return { ...(value as unknown as ErrorRecord), name: typeof name === 'string' ? name : 'Error', message }
}

function headline({ name, message }: ErrorRecord): string {
  return message === '' ? name : `${name}: ${message}`
}
