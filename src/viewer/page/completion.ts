import type { Plain } from '../../event/event'
import { renderPlain } from '../../event/render'
import { SEVERITY_BANDS } from '../../event/severity'
import { fieldAt } from '../../event/tagged'
import { quoteText } from '../../query/filter'
import { Slices } from './browser'
import type { Store } from './store'

export interface Suggestion {
  /** Replaces the term that is being written. */
  readonly term: string
  /** Events that have it, or what it means. */
  readonly note: string
}

/** Names that occur in a recording, and how often. */
export interface Vocabulary {
  readonly facilities: ReadonlyMap<string, number>
  readonly fields: ReadonlyMap<string, number>
  readonly errors: ReadonlyMap<string, number>
}

const SUGGESTIONS = 12
const MAX_NAMES = 5000
const VALUE_CHARS = 80
/** Events that are looked at for the values of one field, in one go. */
const VALUE_EVENTS = 20_000

const KEYWORDS: readonly (readonly [string, string])[] = [
  ['severity>=warn', 'warnings and worse'],
  ['severity:error', 'one severity'],
  ['facility:', 'a part, and what is below it'],
  ['trace:', 'one trace'],
  ['request:', 'one request'],
  ['error:', 'name of an error'],
  ['has:', 'events with a field'],
  ['is:trigger', 'what set it off'],
  ['after:-10s', 'from 10 s before the trigger on'],
  ['before:+1s', 'until 1 s after the trigger'],
  ['OR', 'between alternatives'],
]

export async function vocabularyOf(store: Store): Promise<Vocabulary> {
  const [facilities, fields, errors] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ]
  const slices = new Slices()
  for (const [at, { event }] of store.events.slice().entries()) {
    if (event.facility !== '') count(facilities, event.facility)
    for (const name in event.fields) count(fields, name)
    if (event.error !== undefined) count(errors, event.error.name)
    if ((at & 255) === 0 && slices.due) await slices.turn()
  }
  return { facilities, fields, errors }
}

/** The term that the cursor is in or behind: where it begins and ends in the text. */
export function termAt(text: string, cursor: number): { readonly from: number; readonly to: number } {
  let from = 0
  let isQuoted = false
  for (let at = 0; at < cursor; at++) {
    if (text[at] === '\\' && isQuoted) at++
    else if (text[at] === '"') isQuoted = !isQuoted
    else if (!isQuoted && /[\s()]/.test(text[at] ?? '')) from = at + 1
  }
  const rest = isQuoted ? /^(?:[^"\\]|\\.)*"?/.exec(text.slice(cursor)) : /^[^\s()]*/.exec(text.slice(cursor))
  return { from, to: cursor + (rest?.[0].length ?? 0) }
}

/** What may be meant by a term that is being written, the likeliest first. */
export function suggest(written: string, vocabulary: Vocabulary, store: Store): readonly Suggestion[] {
  const [, sign = '', term = ''] = /^([-!]?)(.*)$/s.exec(written) ?? []
  const found = [...candidates(term, vocabulary, store)]
  return found.slice(0, SUGGESTIONS).map((one) => ({ ...one, term: `${sign}${one.term}` }))
}

function* candidates(term: string, vocabulary: Vocabulary, store: Store): Generator<Suggestion> {
  const [, name, operator, value = ''] = /^([\w.$-]+)(!=|>=|<=|[:=<>~])(.*)$/s.exec(term) ?? []
  if (name === undefined || operator === undefined) {
    yield* names(term, vocabulary)
    return
  }
  const typed = value.replace(/^"|"$/g, '')
  if (name === 'severity') {
    for (const band of SEVERITY_BANDS.toReversed())
      if (band.startsWith(typed))
        yield {
          term: `severity${operator}${band}`,
          note: note(store.bandCounts[SEVERITY_BANDS.indexOf(band)]),
        }
  } else if (name === 'facility') yield* valued(`facility${operator}`, vocabulary.facilities, typed)
  else if (name === 'has') yield* valued('has:', vocabulary.fields, typed)
  else if (name === 'error') yield* valued('error:', vocabulary.errors, typed)
  else if (vocabulary.fields.has(name.split('.')[0] ?? name))
    yield* valued(`${name}${operator}`, valuesOf(store, name), typed)
}

function* names(typed: string, vocabulary: Vocabulary): Generator<Suggestion> {
  const low = typed.toLowerCase()
  for (const [term, meaning] of KEYWORDS)
    if (term.toLowerCase().startsWith(low)) yield { term, note: meaning }
  if (low === '') return
  for (const [name, times] of ranked(vocabulary.fields, low))
    yield { term: `${quoteText(name)}=`, note: note(times) }
  for (const [name, times] of ranked(vocabulary.facilities, low))
    yield { term: `facility:${quoteText(name)}`, note: note(times) }
}

function* valued(prefix: string, values: ReadonlyMap<string, number>, typed: string): Generator<Suggestion> {
  for (const [value, times] of ranked(values, typed.toLowerCase()))
    yield { term: `${prefix}${quoteText(value)}`, note: note(times) }
}

function ranked(counts: ReadonlyMap<string, number>, typed: string): (readonly [string, number])[] {
  return [...counts]
    .filter(([name]) => name.toLowerCase().includes(typed))
    .sort(
      ([one, times], [other, otherTimes]) =>
        startsWith(other, typed) - startsWith(one, typed) || otherTimes - times,
    )
    .slice(0, SUGGESTIONS)
}

function startsWith(name: string, typed: string): number {
  return Number(name.toLowerCase().startsWith(typed))
}

function valuesOf(store: Store, name: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>()
  const from = Math.max(0, store.length - VALUE_EVENTS)
  for (let index = from; index < store.length; index++) {
    const value = fieldAt(store.at(index)?.event.fields ?? {}, name)
    const text = value === undefined ? undefined : filterText(value)
    if (text !== undefined) count(values, text)
  }
  return values
}

/** A value as a filter would name it; undefined for what has no short text. */
export function filterText(value: Plain): string | undefined {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? undefined : renderPlain(value)
  return text === undefined || text.length > VALUE_CHARS || text === '' ? undefined : text
}

function count(counts: Map<string, number>, name: string): void {
  const times = counts.get(name)
  if (times !== undefined || counts.size < MAX_NAMES) counts.set(name, (times ?? 0) + 1)
}

function note(times: number | undefined): string {
  return String(times ?? 0)
}
