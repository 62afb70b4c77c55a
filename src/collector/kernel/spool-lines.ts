import type { ErrorRow } from './event'
import { jsonLine } from './plain'

/** What of a row may still change while it is gathered and decided about. */
export type Change = Pick<ErrorRow, 'repeat' | 'lastTime' | 'action' | 'reason'>

/**
 * A line of a spool: a row as it is sent; what became of it since; or rows that are acknowledged. A row that went into another
 * one is named beside that one's new count, lest it be counted twice or not at all.
 */
export type Line =
  | { readonly kind: 'row'; readonly row: ErrorRow }
  | {
      readonly kind: 'change'
      readonly of: string
      readonly change: Change
      readonly without: string | undefined
    }
  | { readonly kind: 'done'; readonly ids: readonly string[] }

export function rowLine(row: ErrorRow): string {
  return `${jsonLine(row)}\n`
}

export function changeLine(of: string, change: Change, without?: string): string {
  return `${jsonLine({ of, ...change, without })}\n`
}

export function doneLine(ids: readonly string[]): string {
  return `${jsonLine({ done: ids })}\n`
}

export function changeOf({ repeat, lastTime, action, reason }: Change): Change {
  return {
    repeat,
    ...(lastTime !== undefined && { lastTime }),
    ...(action !== undefined && { action }),
    ...(reason !== undefined && { reason }),
  }
}

/** Undefined for a line that is torn or damaged. */
export function parseLine(text: string): Line | undefined {
  const value = parsed(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { id, of, repeat, without, done } = value as Readonly<Record<string, unknown>>
  if (typeof id === 'string') return { kind: 'row', row: value as ErrorRow }
  if (typeof of === 'string' && typeof repeat === 'number')
    return {
      ...{ kind: 'change', of, change: changeOf(value as Change) },
      without: typeof without === 'string' ? without : undefined,
    }
  if (Array.isArray(done)) return { kind: 'done', ids: done.filter((one) => typeof one === 'string') }
  return undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
