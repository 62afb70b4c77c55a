import { invalidOption } from '../../../src/base/errors'
import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'

export interface SelectionOptions {
  /** `trace=ID`, `span=ID`, `request=ID`; of several any one. */
  readonly only?: readonly string[]
  /** In the grammar of the filter. */
  readonly where?: string
  /** Microseconds before and after the trigger. */
  readonly around?: Around
}

export interface Around {
  readonly before: number
  readonly after: number
}

/** Tells which events of a file are shown. */
export type Selection = (recorded: RecordedEvent, header: IncidentHeader | undefined) => boolean

/**
 * What the options select; undefined where they take all.
 * @throws FlogError FLOG_OPTION_INVALID, FLOG_FILTER_INVALID
 */
export function selectionOf({ only, where, around }: SelectionOptions): Selection | undefined {
  if (only === undefined && where === undefined && around === undefined) return undefined
  const { parseFilter, quoteText } =
    require('../../../src/query/filter') as typeof import('../../../src/query/filter')
  const texts = [
    ...(only === undefined ? [] : [only.map((each) => onlyFilter(each, quoteText)).join(' OR ')]),
    ...(where === undefined ? [] : [where]),
  ]
  const filters = texts.map(parseFilter)
  return ({ event, mark }, header) => {
    const triggerTime = header?.trigger.event.time
    // A file that lost its header does not say when its trigger was.
    if (around !== undefined && triggerTime !== undefined) {
      const at = event.time - triggerTime
      if (at < -around.before || at > around.after) return false
    }
    const context = {
      ...(triggerTime !== undefined && { triggerTime }),
      ...(mark !== undefined && { mark }),
    }
    return filters.every((filter) => filter.matches(event, context))
  }
}

/**
 * `30`: so many seconds before and after the trigger; `30,5`: 30 before, 5 after; units are ms, s, m and h. `trigger ±30`
 * is taken too, and just `trigger` where the rest is an argument of its own.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseAround(text: string): Around | 'trigger' {
  const given = text.trim()
  if (given === 'trigger') return given
  const [, before, after] = AROUND.exec(given) ?? []
  const micros = [before, after ?? before].map(microsOf)
  const [from, to] = micros
  if (from !== undefined && to !== undefined) return { before: from, after: to }
  throw invalidOption(
    '--around',
    'a time around the trigger: 30 (seconds), 500ms, 2m, or 30,5 for 30 s before and 5 s after',
    text,
  )
}

const AROUND = /^(?:trigger\s*)?(?:(?:±|\+\/?-)\s*)?(\d[\w.]*)(?:\s*,\s*\+?(\d[\w.]*))?$/

function microsOf(text: string | undefined): number | undefined {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text ?? '') ?? []
  const factor = UNITS.get(unit)
  return number === undefined || factor === undefined ? undefined : Number(number) * factor
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1e3],
  ['s', 1e6],
  ['m', 60e6],
  ['min', 60e6],
  ['h', 3600e6],
])

/**
 * What `--only` and `--around` leave to be told apart: both may be written in two words, and an option that takes several
 * values takes all that follow, so also files.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function tellApart(
  args: readonly string[],
  options: Omit<SelectionOptions, 'around'> & { readonly around?: Around | 'trigger' },
): { readonly paths: readonly string[]; readonly selects: SelectionOptions } {
  const { where } = options
  const only = options.only?.filter((text) => LIKE_ONLY.test(text))
  let paths = [...args, ...(options.only ?? []).filter((text) => !LIKE_ONLY.test(text))]
  let around = options.around
  if (around === 'trigger') {
    const rest = paths.find((text) => PLUS_MINUS.test(text)) ?? ''
    around = parseAround(`trigger ${rest}`)
    if (around === 'trigger') throw invalidOption('--around', 'a time beside trigger: trigger ±30', 'trigger')
    paths = paths.filter((text) => text !== rest)
  }
  if (options.only !== undefined && only?.length === 0)
    throw invalidOption('--only', ONLY_FORMS, options.only[0])
  return {
    paths,
    selects: {
      ...(only !== undefined && { only }),
      ...(where !== undefined && { where }),
      ...(around !== undefined && { around }),
    },
  }
}

const PLUS_MINUS = /^(?:±|\+\/?-)/
const LIKE_ONLY = /^[a-z]+[=:]/i
const ONLY_FORMS = 'trace=ID, span=ID or request=ID'
const ONLY = /^(trace|span|request)[=:](.+)$/s

function onlyFilter(text: string, quote: (text: string) => string): string {
  const match = ONLY.exec(text.trim())
  if (match === null) throw invalidOption('--only', ONLY_FORMS, text)
  return `${match[1]}:${quote(match[2] ?? '')}`
}
