import { invalidFilter } from './invalid'
import { type Sign, type Token, tokensOf } from './lexer'
import type { Predicate } from './operators'
import { predicateOf } from './terms'

/** One of the terms that all have to match, as it was written. */
export interface ParsedTerm {
  readonly text: string
  readonly matches: Predicate
}

/** Deeper than anybody writes, and far from what the stack holds. */
const DEPTH = 100

/**
 * ```
 *   filter = [ any ]
 *   any    = all { "OR" all }
 *   all    = one { [ "AND" ] one }
 *   one    = { "-" | "!" | "NOT" } ( "(" any ")" | words | expression | comparison )
 * ```
 * @throws FlogError FLOG_FILTER_INVALID
 */
export function parseTerms(text: string): readonly ParsedTerm[] {
  return new Parser(text).filter()
}

class Parser {
  readonly #text: string
  readonly #tokens: Iterator<Token, void>
  #next: Token
  #lastEnd = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text)
    this.#next = this.#read()
  }

  filter(): readonly ParsedTerm[] {
    if (this.#next.kind === 'end') return []
    const terms = this.#any(0)
    if (this.#next.kind === 'close') throw invalidFilter(this.#next.at, 'no ) without a ( before it')
    return terms
  }

  /** A single alternative stays a list of terms; several become one term. */
  #any(depth: number): readonly ParsedTerm[] {
    const start = this.#next.at
    const first = this.#all(depth)
    if (this.#next.kind !== 'or') return first
    const alternatives = [allOf(first)]
    while (this.#next.kind === 'or') {
      this.#take()
      alternatives.push(allOf(this.#all(depth)))
    }
    const matches: Predicate = (subject) => alternatives.some((one) => one(subject))
    return [{ text: this.#text.slice(start, this.#lastEnd), matches }]
  }

  #all(depth: number): readonly ParsedTerm[] {
    const terms = [this.#one(depth)]
    for (;;) {
      switch (this.#next.kind) {
        case 'and':
          this.#take()
          break
        case 'or':
        case 'close':
        case 'end':
          return terms
      }
      terms.push(this.#one(depth))
    }
  }

  #one(depth: number): ParsedTerm {
    const start = this.#next.at
    let isNegated = false
    while (this.#next.kind === 'not') {
      this.#take()
      isNegated = !isNegated
    }
    const matches = this.#operand(depth)
    const text = this.#text.slice(start, this.#lastEnd)
    return { text, matches: isNegated ? (subject) => !matches(subject) : matches }
  }

  #operand(depth: number): Predicate {
    const token = this.#take()
    switch (token.kind) {
      case 'open':
        return this.#group(token, depth)
      case 'words':
      case 'expression':
      case 'comparison':
        return predicateOf(token)
      default:
        throw invalidFilter(token.at, 'a term: a word, "a text", /an expression/, or field=value')
    }
  }

  #group(open: Sign, depth: number): Predicate {
    if (depth === DEPTH) throw invalidFilter(open.at, `no more than ${DEPTH} parentheses in each other`)
    const terms = this.#any(depth + 1)
    if (this.#next.kind !== 'close') {
      throw invalidFilter(this.#next.at, `a ) for the ( at character ${open.at + 1}`)
    }
    this.#take()
    return allOf(terms)
  }

  #take(): Token {
    const token = this.#next
    this.#lastEnd = token.end
    if (token.kind !== 'end') this.#next = this.#read()
    return token
  }

  #read(): Token {
    const { value } = this.#tokens.next()
    return value ?? { kind: 'end', at: this.#text.length, end: this.#text.length }
  }
}

function allOf(terms: readonly ParsedTerm[]): Predicate {
  const [only] = terms
  if (only !== undefined && terms.length === 1) return only.matches
  return (subject) => terms.every(({ matches }) => matches(subject))
}
