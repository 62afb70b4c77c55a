import type { Plain } from '../../event/event'
import { invalidFilter } from './invalid'
import { KEYWORDS } from './keywords'
import type { Comparison, Expression, Words } from './lexer'
import { compares, type Predicate, regularExpression } from './operators'
import { textsOf } from './subject'
import { numberIn, valueAt, valueCompares, valueEquals } from './values'

/** @throws FlogError FLOG_FILTER_INVALID */
export function predicateOf(token: Words | Expression | Comparison): Predicate {
  switch (token.kind) {
    case 'words': {
      const wanted = token.text.toLowerCase()
      return ({ lowered }) => lowered.some((text) => text.includes(wanted))
    }
    case 'expression': {
      const expression = regularExpression(token.source, token.flags, token.at)
      return ({ texts }) => texts.some((text) => expression.test(text))
    }
    case 'comparison':
      return comparison(token)
  }
}

/** Before the name of a field that is a word of the grammar. */
const FIELDS = 'fields.'

function comparison(token: Comparison): Predicate {
  const keyword = token.isQuotedKey ? undefined : KEYWORDS.get(token.key)
  if (keyword !== undefined) return keyword(token)
  const isMarked = !token.isQuotedKey && token.key.startsWith(FIELDS) && token.key.length > FIELDS.length
  const path = isMarked ? token.key.slice(FIELDS.length) : token.key
  const isRight = fieldTest(token)
  return ({ event }) => {
    const found = valueAt(event, path)
    return found !== undefined && isRight(found)
  }
}

/** What has to hold for the field; an event that lacks it does not match. */
function fieldTest({ key, operator, value, valueAt: at, flags }: Comparison): (found: Plain) => boolean {
  const number = numberIn(value)
  switch (operator) {
    case ':': {
      const wanted = value.toLowerCase()
      return (found) => textsOf(found).some((text) => text.toLowerCase().includes(wanted))
    }
    case '~': {
      const expression = regularExpression(value, flags ?? '', at)
      return (found) => textsOf(found).some((text) => expression.test(text))
    }
    case '=':
      return (found) => valueEquals(found, value, number)
    case '!=':
      return (found) => !valueEquals(found, value, number)
    default:
      if (Number.isNaN(number)) throw invalidFilter(at, `a number after ${key}${operator}, not ${value}`)
      return (found) => valueCompares(found, (one) => compares(operator, one, number))
  }
}
