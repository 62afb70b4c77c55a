import { invalidOption } from '../../../src/base/errors'
import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'

export interface SelectionOptions {
  /** `trace=ID`, `span=ID`, `request=ID`. */
  readonly only?: string
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
    ...(only === undefined ? [] : [onlyFilter(only, quoteText)]),
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

const AROUND = /^(?:trigger)?\s*(?:±|\+\/-)?\s*(\d+(?:\.\d+)?)\s*s?(?:\s*,\s*\+?(\d+(?:\.\d+)?)\s*s?)?$/

/**
 * `30`: so many seconds before and after the trigger; `30,5`: 30 before, 5 after. `trigger ±30s` is taken too.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseAround(text: string): Around {
  const match = AROUND.exec(text.trim())
  if (match === null)
    throw invalidOption('--around', 'seconds around the trigger: 30, or 30,5 for 30 before and 5 after', text)
  const before = Number(match[1]) * 1e6
  return { before, after: match[2] === undefined ? before : Number(match[2]) * 1e6 }
}

const ONLY = /^(trace|span|request)[=:](.+)$/s

function onlyFilter(text: string, quote: (text: string) => string): string {
  const match = ONLY.exec(text.trim())
  if (match === null) throw invalidOption('--only', 'trace=ID, span=ID or request=ID', text)
  return `${match[1]}:${quote(match[2] ?? '')}`
}
