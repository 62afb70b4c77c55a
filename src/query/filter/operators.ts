import { messageOf } from '../../base/errors'
import { invalidFilter } from './invalid'
import type { Operator } from './lexer'
import type { Subject } from './subject'

export type Predicate = (subject: Subject) => boolean

/** Whether `number` stands to `limit` as the operator says; `:` and `=` are the same. */
export function compares(operator: Operator, number: number, limit: number): boolean {
  switch (operator) {
    case '<':
      return number < limit
    case '<=':
      return number <= limit
    case '>':
      return number > limit
    case '>=':
      return number >= limit
    case '!=':
      return number !== limit
    default:
      return number === limit
  }
}

/** @throws FlogError FLOG_FILTER_INVALID with what the engine says of it */
export function regularExpression(source: string, flags: string, at: number): RegExp {
  try {
    return new RegExp(source, flags)
  } catch (error) {
    throw invalidFilter(at, `a regular expression (${messageOf(error)})`)
  }
}
