import { invalidFilter } from './invalid'

/** Where something stands in the text of the filter: characters from 0, `end` is the first one after it. */
interface Place {
  readonly at: number
  readonly end: number
}

export type Operator = ':' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '~'

export interface Comparison extends Place {
  readonly kind: 'comparison'
  readonly key: string
  /** The name stood in quotes: it is a field's, whatever it means otherwise. */
  readonly isQuotedKey: boolean
  readonly operator: Operator
  readonly value: string
  readonly valueAt: number
  /** Flags of a value that stood between slashes. */
  readonly flags?: string
}

export interface Words extends Place {
  readonly kind: 'words'
  readonly text: string
}

export interface Expression extends Place {
  readonly kind: 'expression'
  readonly source: string
  readonly flags: string
}

export interface Sign extends Place {
  readonly kind: 'or' | 'and' | 'not' | 'open' | 'close' | 'end'
}

export type Token = Comparison | Words | Expression | Sign

/**
 * The tokens of a filter, in order; the last is `end`.
 * @throws FlogError FLOG_FILTER_INVALID for quotes that are not closed, and for a comparison without a value
 */
export function* tokensOf(text: string): Generator<Token, void> {
  let at = 0
  for (;;) {
    while (at < text.length && isBlank(text, at)) at++
    const token = tokenAt(text, at)
    yield token
    if (token.kind === 'end') return
    at = token.end
  }
}

function tokenAt(text: string, at: number): Token {
  if (at >= text.length) return { kind: 'end', at, end: at }
  switch (text[at]) {
    case '(':
      return { kind: 'open', at, end: at + 1 }
    case ')':
      return { kind: 'close', at, end: at + 1 }
    case '-':
    case '!':
      if (at + 1 < text.length && !isBlank(text, at + 1) && text[at + 1] !== ')')
        return { kind: 'not', at, end: at + 1 }
      break
    case '/': {
      const expression = expressionAt(text, at)
      if (expression !== undefined) return { kind: 'expression', at, ...expression }
      break
    }
    case '"': {
      const { value, end } = quotedAt(text, at)
      return comparisonAt(text, at, value, end, true) ?? { kind: 'words', text: value, at, end }
    }
  }
  return wordAt(text, at)
}

function wordAt(text: string, at: number): Token {
  const end = wordEnd(text, at)
  const word = text.slice(at, end)
  const connective = CONNECTIVES.get(word)
  if (connective !== undefined) return { kind: connective, at, end }
  const key = NAME.exec(word)?.[0]
  const comparison = key === undefined ? undefined : comparisonAt(text, at, key, at + key.length, false)
  return comparison ?? { kind: 'words', text: word, at, end }
}

const CONNECTIVES: ReadonlyMap<string, 'or' | 'and' | 'not'> = new Map([
  ['OR', 'or'],
  ['AND', 'and'],
  ['NOT', 'not'],
])

/** A time such as 12:30 and an address such as 10.0.0.1:80 begin with a digit, and are texts. */
const NAME = /^[\p{L}_$@#][^\s:=<>~!"()]*/u
const OPERATOR = /^(?:!=|<=|>=|[:=<>~])/

function comparisonAt(
  text: string,
  at: number,
  key: string,
  keyEnd: number,
  isQuotedKey: boolean,
): Comparison | undefined {
  const operator = OPERATOR.exec(text.slice(keyEnd, keyEnd + 2))?.[0] as Operator | undefined
  if (operator === undefined) return undefined
  const valueAt = keyEnd + operator.length
  // An address: `https://…`
  if (operator === ':' && text.startsWith('//', valueAt)) return undefined
  const value = valueFrom(text, valueAt, operator)
  if (value.end === valueAt) {
    const given = text.slice(at, valueAt)
    throw invalidFilter(
      valueAt,
      `a value after ${given} (to look for the text, put it in quotes: "${given}")`,
    )
  }
  return { kind: 'comparison', key, isQuotedKey, operator, valueAt, at, ...value }
}

function valueFrom(
  text: string,
  at: number,
  operator: Operator,
): { readonly value: string; readonly end: number; readonly flags?: string } {
  if (text[at] === '"') return quotedAt(text, at)
  if (operator === '~') {
    const expression = text[at] === '/' ? expressionAt(text, at) : undefined
    if (expression !== undefined)
      return { value: expression.source, flags: expression.flags, end: expression.end }
  }
  const end = wordEnd(text, at)
  return { value: text.slice(at, end), end }
}

/** `"…"`, in which `\"` and `\\` stand for the character; any other backslash is one. */
function quotedAt(text: string, at: number): { readonly value: string; readonly end: number } {
  let value = ''
  for (let i = at + 1; i < text.length; i++) {
    const char = text[i]
    if (char === '"') return { value, end: i + 1 }
    const next = text[i + 1]
    if (char === '\\' && (next === '"' || next === '\\')) {
      value += next
      i++
    } else value += char
  }
  throw invalidFilter(text.length, `a quote that closes the one at character ${at + 1}`)
}

/**
 * `/source/flags`, where that is what stands there: with flags that there are, and at the end of a word. A path such as
 * `/orders/7` is not.
 */
function expressionAt(
  text: string,
  at: number,
): { readonly source: string; readonly flags: string; readonly end: number } | undefined {
  EXPRESSION.lastIndex = at
  const match = EXPRESSION.exec(text)
  if (match === null) return undefined
  const [whole, source = '', flags = ''] = match
  return { source, flags, end: at + whole.length }
}

const EXPRESSION = /\/((?:[^/\\]|\\.)+)\/([imsu]{0,4})(?=[\s)]|$)/sy

/** Up to a blank, or to a parenthesis that closes one from before the word. */
function wordEnd(text: string, from: number): number {
  let depth = 0
  let at = from
  for (; at < text.length && !isBlank(text, at); at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && depth-- === 0) break
  }
  return at
}

function isBlank(text: string, at: number): boolean {
  return BLANK.test(text.charAt(at))
}

const BLANK = /\s/
