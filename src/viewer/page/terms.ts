import { FlogError } from '../../base/errors'
import { type EventFilter, parseFilter } from '../../query/filter'

/** What a filter line holds: a filter, nothing, or something that is none. */
export type FilterLine =
  | { readonly kind: 'none' }
  | { readonly kind: 'filter'; readonly filter: EventFilter }
  | { readonly kind: 'wrong'; readonly message: string }

export function readFilter(text: string): FilterLine {
  if (text.trim() === '') return { kind: 'none' }
  try {
    return { kind: 'filter', filter: parseFilter(text) }
  } catch (error) {
    if (!FlogError.is(error)) throw error
    return { kind: 'wrong', message: error.message }
  }
}

/** The filter with one more term that has to match too. */
export function withTerm(text: string, term: string): string {
  const trimmed = text.trim()
  const line = readFilter(trimmed)
  if (line.kind !== 'filter') return term
  const { terms } = line.filter
  if (terms.some((one) => one.text === term)) return trimmed
  const isAlternative = /\bOR\b/.test(trimmed) && terms.length <= 1
  return `${isAlternative && !trimmed.startsWith('(') ? `(${trimmed})` : trimmed} ${term}`
}

/** The filter without a term, and whatever else of its terms `isToGo` names. */
export function withoutTerms(text: string, isToGo: (term: string) => boolean): string {
  const line = readFilter(text)
  if (line.kind !== 'filter') return ''
  return line.filter.terms
    .map((term) => term.text)
    .filter((term) => !isToGo(term))
    .join(' ')
}

export function hasTerm(text: string, isIt: (term: string) => boolean): boolean {
  const line = readFilter(text)
  return line.kind === 'filter' && line.filter.terms.some((term) => isIt(term.text))
}
