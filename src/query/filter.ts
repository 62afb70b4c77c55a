import type { LogEvent } from '../event/event'
import { invalidFilter } from './filter/invalid'
import { type ParsedTerm, parseTerms } from './filter/parser'
import { type FilterContext, Subject } from './filter/subject'

export type { FilterContext } from './filter/subject'

/** One of the terms of a filter that all have to match. */
export interface FilterTerm {
  /** As it was written. */
  readonly text: string
  matches(event: LogEvent, context?: FilterContext): boolean
}

export interface EventFilter {
  /** As it was written. */
  readonly text: string
  /** None where the text is blank: then every event matches. */
  readonly terms: readonly FilterTerm[]
  matches(event: LogEvent, context?: FilterContext): boolean
}

/** More than anybody writes, and less than what keeps a reader busy. */
const MAX_CHARS = 64 * 1024

/**
 * A filter of events, in one line of text:
 *
 * | term | matches |
 * | --- | --- |
 * | `timeout`, `"two words"` | the text, in any case, in the filled-in message, the facility, a field's value or the error |
 * | `/^order \d+/i` | the regular expression in one of these |
 * | `severity:warn`, `severity>=error` | a severity; the name of a band is all of it |
 * | `facility:db.pool` | it and what lies below it; `=` it alone |
 * | `trace:ID` `span:ID` `request:ID` `thread:1` `parent:17` | `request`: a field such as `requestId`; the main thread is 0 |
 * | `seq:17`, `seq:4,8,15..23`, `seq>=17` | the place in the order of the process |
 * | `is:trigger`, `is:further`, `has:field` | the event that began the incident, one that would have, one with that field |
 * | `error:Timeout` | name or code of the error, or of one of its causes, contains it |
 * | `message:text`, `message=text` | the message alone; `=` as it was logged, or filled in |
 * | `after:-12s`, `before:+500ms`, `time>=2026-11-21T20:31` | from then on; before then; relative to the trigger, or a time |
 * | `user.id=7`, `ok!=true`, `wait>1000` | a field, by name or path; a list if one of it does |
 * | `path:cart`, `path~^/cart` | a field that contains the text, in any case; that matches the expression |
 *
 * Terms beside each other all have to match. `OR` stands between alternatives and binds less than they do, parentheses
 * group, `-` or `!` in front negates. `fields.time>5` is the field `time`, where its name has another meaning; a value with
 * blanks stands in quotes, in which `\"` is a quote. A term about a field does not match events that lack it, also with `!=`.
 *
 * @throws FlogError FLOG_FILTER_INVALID naming the position and what belongs there (`details`: `position`, from 0, and
 * `expected`); nothing else, whatever the text is
 */
export function parseFilter(text: string): EventFilter {
  if (text.length > MAX_CHARS) throw invalidFilter(MAX_CHARS, `at most ${MAX_CHARS} characters`)
  const terms = parseTerms(text)
  return {
    text,
    terms: terms.map(termOf),
    matches: (event, context = {}) => {
      if (terms.length === 0) return true
      const subject = new Subject(event, context)
      return terms.every((term) => term.matches(subject))
    },
  }
}

/** A text as it is to be written in a filter, by itself or as a value: in quotes where it needs them. */
export function quoteText(text: string): string {
  return PLAIN.test(text) && !CONNECTIVE.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** Nothing that means something to the grammar. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}_.+@#$%/-]*$/u
const CONNECTIVE = /^(?:OR|AND|NOT)$/

function termOf({ text, matches }: ParsedTerm): FilterTerm {
  return { text, matches: (event, context = {}) => matches(new Subject(event, context)) }
}
