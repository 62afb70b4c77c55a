import { FlogError } from '../../base/errors'
import { type EventFilter, parseFilter, quoteText } from '../../query/filter'

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

/** Whether the filter leaves the events of one trace. */
export function isOfTrace(text: string): boolean {
  const line = readFilter(text)
  return line.kind === 'filter' && line.filter.terms.some((term) => isTraceTerm(term.text))
}

/** The filter without its trace; where it has none, with this one. */
export function traceToggled(text: string, traceId: string | undefined): string {
  if (isOfTrace(text)) return withoutTerms(text, isTraceTerm)
  return traceId === undefined ? text : withTerm(text, `trace:${quoteText(traceId)}`)
}

function isTraceTerm(term: string): boolean {
  return term.startsWith('trace:')
}
