import type { LogEvent, Plain } from '../../event/event'
import { facilityMatches } from '../../event/facility'
import { bandIndex, SEVERITY_BANDS, severityOf } from '../../event/severity'
import { fieldAt } from '../../event/tagged'
import { errorChain } from './errors'
import { invalidFilter } from './invalid'
import type { Comparison, Operator } from './lexer'
import { MOMENT, parseMoment } from './moment'
import { compares, type Predicate, regularExpression } from './operators'
import { numberIn, valueAt, valueEquals } from './values'

/** What comes before a `:`, `=`, `>` … and is not the name of a field. Each throws FLOG_FILTER_INVALID. */
export const KEYWORDS: ReadonlyMap<string, (token: Comparison) => Predicate> = new Map([
  ['severity', severity],
  ['facility', textKeyword((event) => event.facility, facilityMatches)],
  ['trace', idKeyword((event) => event.traceId)],
  ['span', idKeyword((event) => event.spanId)],
  ['request', request],
  ['seq', seq],
  ['thread', numberKeyword((event) => event.thread ?? 0)],
  ['parent', numberKeyword((event) => event.parent)],
  ['is', is],
  ['has', has],
  ['error', error],
  ['message', message],
  ['after', (token) => moment(only(token, [':']), '>=')],
  ['before', (token) => moment(only(token, [':']), '<')],
  ['time', (token) => moment(only(token, ['<', '<=', '>', '>=']), token.operator)],
])

const COMPARISONS: readonly Operator[] = [':', '=', '!=', '<', '<=', '>', '>=']
const TEXT_OPERATORS: readonly Operator[] = [':', '=', '!=', '~']

function only(token: Comparison, operators: readonly Operator[]): Comparison {
  if (operators.includes(token.operator)) return token
  throw invalidFilter(
    token.at + token.key.length,
    `${operators.join(' ')} after ${token.key} (for a field of that name, write fields.${token.key})`,
  )
}

/** The name of a band means all of it: `warn` is 13 to 16. Any other name, or a number, means that one. */
function severity(token: Comparison): Predicate {
  const { operator, value } = only(token, COMPARISONS)
  const name = value.toLowerCase()
  const band = SEVERITY_BANDS.find((each) => each === name)
  const number = /^\d+$/.test(value) ? Number(value) : severityOf(name)
  if (number === undefined || number < 1 || number > 24) {
    const names = 'trace, debug, info, warn, error, fatal, or a number from 1 to 24'
    throw invalidFilter(token.valueAt, `a severity: ${names}`)
  }
  const [low, high] =
    band === undefined ? [number, number] : [bandIndex(number) * 4 + 1, bandIndex(number) * 4 + 4]
  switch (operator) {
    case ':':
    case '=':
      return ({ event }) => event.severity >= low && event.severity <= high
    case '!=':
      return ({ event }) => event.severity < low || event.severity > high
    case '>':
    case '<=':
      return ({ event }) => compares(operator, event.severity, high)
    default:
      return ({ event }) => compares(operator, event.severity, low)
  }
}

function textKeyword(
  of: (event: LogEvent) => string,
  matches: (wanted: string, text: string) => boolean,
): (token: Comparison) => Predicate {
  return (token) => {
    const { operator, value, flags, valueAt: at } = only(token, TEXT_OPERATORS)
    switch (operator) {
      case '=':
        return ({ event }) => of(event) === value
      case '!=':
        return ({ event }) => of(event) !== value
      case '~': {
        const expression = regularExpression(value, flags ?? '', at)
        return ({ event }) => expression.test(of(event))
      }
      default:
        return ({ event }) => matches(value, of(event))
    }
  }
}

/** As it was logged, or filled in. */
function message(token: Comparison): Predicate {
  const { operator, value, flags, valueAt: at } = only(token, TEXT_OPERATORS)
  switch (operator) {
    case '=':
      return (subject) => subject.event.message === value || subject.message === value
    case '!=':
      return (subject) => subject.event.message !== value && subject.message !== value
    case '~': {
      const expression = regularExpression(value, flags ?? '', at)
      return (subject) => expression.test(subject.message)
    }
    default: {
      const wanted = value.toLowerCase()
      return (subject) => subject.message.toLowerCase().includes(wanted)
    }
  }
}

/** Enough of an id's first digits to be sure which one is meant. */
const ID_START = /^[\da-f]{8,31}$/
/** As OpenTelemetry has them; what else serves as an id may well begin like another. */
const FULL_ID = /^(?:[\da-f]{16}|[\da-f]{32})$/

/** Hexadecimal numbers, in any case; after `:` the first digits will do. */
function idKeyword(of: (event: LogEvent) => string | undefined): (token: Comparison) => Predicate {
  return (token) => {
    const { operator, value } = only(token, [':', '=', '!='])
    const wanted = value.toLowerCase()
    const mayBeStart = operator === ':' && ID_START.test(wanted)
    const isIt: Predicate = ({ event }) => {
      const id = of(event)?.toLowerCase()
      if (id === undefined || id === wanted || !mayBeStart) return id === wanted
      return id.startsWith(wanted) && FULL_ID.test(id)
    }
    return operator === '!=' ? (subject) => of(subject.event) !== undefined && !isIt(subject) : isIt
  }
}

function numberKeyword(of: (event: LogEvent) => number | undefined): (token: Comparison) => Predicate {
  return (token) => {
    const { operator, value } = only(token, COMPARISONS)
    const limit = numberIn(value)
    if (Number.isNaN(limit)) throw invalidFilter(token.valueAt, `a number after ${token.key}${operator}`)
    return ({ event }) => {
      const number = of(event)
      return number !== undefined && compares(operator, number, limit)
    }
  }
}

const SEQS = /^\d{1,16}(?:\.\.\d{1,16})?(?:,\d{1,16}(?:\.\.\d{1,16})?)*$/

/** Beside a number, also several, and ranges: `seq:4,8,15..23`. */
function seq(token: Comparison): Predicate {
  if (token.operator !== ':' || !SEQS.test(token.value)) return numberKeyword((event) => event.seq)(token)
  const single = new Set<number>()
  const ranges: (readonly [from: number, to: number])[] = []
  for (const part of token.value.split(',')) {
    const [from = '', to] = part.split('..')
    if (to === undefined) single.add(Number(from))
    else ranges.push([Number(from), Number(to)])
  }
  return ({ event }) =>
    single.has(event.seq) || ranges.some(([from, to]) => event.seq >= from && event.seq <= to)
}

/** Names under which programs log the id of a request. */
const REQUEST_FIELDS = [
  'requestId',
  'request_id',
  'request-id',
  'requestID',
  'reqId',
  'req_id',
  'reqID',
  'x-request-id',
  'request.id',
  'req.id',
] as const

function request(token: Comparison): Predicate {
  const { operator, value } = only(token, [':', '=', '!='])
  const number = numberIn(value)
  const idsOf = (event: LogEvent): readonly Plain[] =>
    REQUEST_FIELDS.flatMap((name) => fieldAt(event.fields, name) ?? [])
  const isIt = (event: LogEvent): boolean => idsOf(event).some((id) => valueEquals(id, value, number))
  return operator === '!='
    ? ({ event }) => idsOf(event).length > 0 && !isIt(event)
    : ({ event }) => isIt(event)
}

function is(token: Comparison): Predicate {
  const { value } = only(token, [':'])
  if (value !== 'trigger' && value !== 'further')
    throw invalidFilter(token.valueAt, 'trigger or further after is:')
  return ({ context }) => context.mark === value
}

/** Parts of an event that are no fields. */
const PARTS: ReadonlyMap<string, (event: LogEvent) => unknown> = new Map<
  string,
  (event: LogEvent) => unknown
>([
  ['trace', (event) => event.traceId],
  ['traceId', (event) => event.traceId],
  ['span', (event) => event.spanId],
  ['spanId', (event) => event.spanId],
  ['parent', (event) => event.parent],
  ['thread', (event) => event.thread],
  ['cut', (event) => event.cut],
])

function has(token: Comparison): Predicate {
  const { value } = only(token, [':'])
  const path = value.startsWith('fields.') ? value.slice('fields.'.length) : value
  const part = path === value ? PARTS.get(value) : undefined
  return ({ event }) => valueAt(event, path) !== undefined || part?.(event) !== undefined
}

/** The event's error, its causes, and the errors in it; by name or code, `~` also by message. */
function error(token: Comparison): Predicate {
  const { operator, value, flags, valueAt: at } = only(token, TEXT_OPERATORS)
  const some = (isRight: (text: string) => boolean, withMessage = false): Predicate => {
    return ({ event }) =>
      errorChain(event).some(
        (one) => isRight(one.name) || isRight(one.code) || (withMessage && isRight(one.message)),
      )
  }
  switch (operator) {
    case '=':
      return some((text) => text === value)
    case '!=': {
      const isIt = some((text) => text === value)
      return (subject) => errorChain(subject.event).length > 0 && !isIt(subject)
    }
    case '~': {
      const expression = regularExpression(value, flags ?? '', at)
      return some((text) => expression.test(text), true)
    }
    default: {
      const wanted = value.toLowerCase()
      return some((text) => text.toLowerCase().includes(wanted))
    }
  }
}

/** From the trigger on, or since the epoch. Without a trigger nothing is before or after it. */
function moment(token: Comparison, operator: Operator): Predicate {
  const limit = parseMoment(token.value)
  if (limit === undefined) throw invalidFilter(token.valueAt, MOMENT)
  if (!limit.isRelative) return ({ event }) => compares(operator, event.time, limit.at)
  return ({ event, context: { triggerTime } }) =>
    triggerTime !== undefined && compares(operator, event.time, triggerTime + limit.at)
}
