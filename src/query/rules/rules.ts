import { FlogError, messageOf } from '../../base/errors'
import { type Classifier, categoriesIn } from '../classify'
import { type EventFilter, parseFilter } from '../filter'
import { type Condition, headerHas, noneMatches, someMatches, triggerMatches } from './conditions'
import { fieldFilter } from './fields'
import { hasSequence, type Step } from './sequence'

/** Keys and indices that lead to a part of the data. */
export type RulePath = readonly (string | number)[]

/** What is wrong with a rule; it is left out, the others are not. */
export interface RuleProblem {
  readonly path: RulePath
  readonly message: string
}

export interface ParsedRules {
  readonly classifiers: readonly Classifier[]
  readonly problems: readonly RuleProblem[]
}

/** Each makes conditions of what the rule says under its key. */
const CONDITIONS: Readonly<Record<string, (given: unknown, path: RulePath) => readonly Condition[]>> = {
  trigger: (given, path) => [triggerMatches(filterIn(given, path))],
  fields: (given, path) => [triggerMatches(fieldsIn(given, path))],
  any: (given, path) => filtersIn(given, path).map(someMatches),
  none: (given, path) => filtersIn(given, path).map(noneMatches),
  sequence: (given, path) => [hasSequence(stepsIn(given, path))],
  fingerprint: (given, path) => [headerHas(textsIn(given, path), ({ trigger }) => trigger.fingerprint)],
  kind: (given, path) => [headerHas(textsIn(given, path), ({ trigger }) => trigger.kind)],
  service: (given, path) => [headerHas(textsIn(given, path), ({ service }) => service)],
}
const CONDITION_NAMES = Object.keys(CONDITIONS).join(', ')
/** Beside conditions: `note` is for people. */
const OTHER_KEYS: ReadonlySet<string> = new Set(['category', 'categories', 'note'])

/**
 * Classifiers from data such as a YAML file holds: a list of rules, alone or under the key `rules`. A rule gives its
 * categories where all that it says is so:
 *
 * | key | holds |
 * | --- | --- |
 * | `category`, `categories` | a text, or a list of them |
 * | `trigger` | a filter that the event matches that began the incident |
 * | `fields` | by name or path, what its fields are: a value, a list of which it is one, or `/a regular expression/` |
 * | `any`, `none` | a filter, or several, each of which some event matches, or no event |
 * | `sequence` | two filters or more that events match one after the other; `{ event: filter, within: 500ms }` |
 * | `fingerprint`, `kind`, `service` | of the incident: a text, or a list of which it is one |
 *
 * @param placeOf the name of what stands at a path, for messages: file and line
 */
export function parseRules(data: unknown, placeOf: (path: RulePath) => string): ParsedRules {
  const [list, base]: [unknown, RulePath] =
    isRecord(data) && 'rules' in data ? [data['rules'], ['rules']] : [data, []]
  if (list === null || list === undefined) return { classifiers: [], problems: [] }
  if (!Array.isArray(list)) {
    const message = 'a file of rules is a list of rules, alone or under the key "rules"'
    return { classifiers: [], problems: [{ path: base, message }] }
  }
  const classifiers: Classifier[] = []
  const problems: RuleProblem[] = []
  for (const [index, rule] of list.entries()) {
    const path = [...base, index]
    try {
      classifiers.push(ruleIn(rule, path, placeOf(path)))
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      problems.push({ path: error.path, message: error.message })
    }
  }
  return { classifiers, problems }
}

function ruleIn(given: unknown, path: RulePath, place: string): Classifier {
  if (!isRecord(given)) throw new Wrong(path, 'a rule is a map with a category and conditions')
  const conditions: Condition[] = []
  for (const [key, value] of Object.entries(given)) {
    if (OTHER_KEYS.has(key)) continue
    const make = Object.hasOwn(CONDITIONS, key) ? CONDITIONS[key] : undefined
    if (make === undefined)
      throw new Wrong([...path, key], `a rule has no ${key}; it has category, and ${CONDITION_NAMES}`)
    conditions.push(...make(value, [...path, key]))
  }
  const categories = categoriesOf(given, path)
  if (conditions.length === 0) throw new Wrong(path, `a rule needs at least one of ${CONDITION_NAMES}`)
  return {
    place,
    classify: (recording) => (conditions.every((isSo) => isSo(recording)) ? categories : []),
  }
}

function categoriesOf({ category, categories }: Data, path: RulePath): readonly string[] {
  try {
    const found = [...categoriesIn(category), ...categoriesIn(categories)]
    if (found.length > 0) return found
  } catch (error) {
    throw new Wrong([...path, category === undefined ? 'categories' : 'category'], messageOf(error))
  }
  throw new Wrong(path, 'a rule needs a category')
}

function filterIn(given: unknown, path: RulePath): EventFilter {
  if (typeof given !== 'string' || given.trim() === '') throw new Wrong(path, 'a filter is a text')
  return orWrong(path, () => parseFilter(given))
}

function filtersIn(given: unknown, path: RulePath): readonly EventFilter[] {
  if (!Array.isArray(given)) return [filterIn(given, path)]
  if (given.length === 0) throw new Wrong(path, 'the list of filters is empty')
  return given.map((each, index) => filterIn(each, [...path, index]))
}

function fieldsIn(given: unknown, path: RulePath): EventFilter {
  if (!isRecord(given) || Object.keys(given).length === 0)
    throw new Wrong(path, 'fields is a map from names to values')
  const terms = Object.entries(given).map(([name, value]) => {
    const at = [...path, name]
    const text = orWrong(at, () => fieldFilter(name, value))
    if (text === undefined)
      throw new Wrong(at, 'the value of a field is a text, a number, true, false, null, or a list of them')
    orWrong(at, () => parseFilter(text))
    return text
  })
  return orWrong(path, () => parseFilter(terms.join(' ')))
}

function stepsIn(given: unknown, path: RulePath): readonly Step[] {
  if (!Array.isArray(given) || given.length < 2)
    throw new Wrong(path, 'a sequence is a list of two events or more')
  return given.map((step, index) => stepIn(step, [...path, index], index === 0))
}

function stepIn(given: unknown, path: RulePath, isFirst: boolean): Step {
  if (!isRecord(given)) return { filter: filterIn(given, path) }
  const { event, within, ...others } = given
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new Wrong([...path, other], `an event of a sequence has no ${other}; it has event, within`)
  const filter = filterIn(event, [...path, 'event'])
  if (within === undefined) return { filter }
  if (isFirst) throw new Wrong([...path, 'within'], 'the first event of a sequence comes after none')
  const time = timeIn(within)
  if (time === undefined)
    throw new Wrong([...path, 'within'], 'within takes milliseconds, or a time such as 500ms, 2s, 1m')
  return { filter, within: time }
}

/** Microseconds. */
function timeIn(given: unknown): number | undefined {
  if (typeof given === 'number') return given >= 0 ? given * 1000 : undefined
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/.exec(String(given)) ?? []
  const factor = UNITS.get(unit)
  return factor === undefined ? undefined : Number(number) * factor
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1e3],
  ['s', 1e6],
  ['m', 60e6],
  ['h', 3600e6],
])

function textsIn(given: unknown, path: RulePath): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0 || !list.every((each) => typeof each === 'string'))
    throw new Wrong(path, 'it takes a text, or a list of texts (in quotes where it looks like a number)')
  return list
}

type Data = Readonly<Record<string, unknown>>

function isRecord(data: unknown): data is Data {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

function orWrong<T>(path: RulePath, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!FlogError.is(error, 'FLOG_FILTER_INVALID')) throw error
    throw new Wrong(path, error.message)
  }
}

/** What is wrong, and where; stays in this file. */
class Wrong extends Error {
  constructor(
    readonly path: RulePath,
    message: string,
  ) {
    super(message)
  }
}
