import { severityName } from '../../../src/event/severity'
import { parseFilter, quoteText } from '../../../src/query/filter'
import type { FilterOptions } from '../verbs/filter'

/**
 * What the options of `flog filter` say, in the grammar of filters.
 * @throws FlogError FLOG_FILTER_INVALID for a time or an expression that is none
 */
export function filterText(options: FilterOptions): string {
  const { severity, above, facility, stripFacility, after, before, grep, trace, where } = options
  const terms = [
    severity === undefined ? '' : `severity>=${severityName(severity)}`,
    above === undefined ? '' : `severity>=${severityName(above)}`,
    facility === undefined ? '' : `facility:${quoteText(facility)}`,
    stripFacility === undefined ? '' : `-facility:${quoteText(stripFacility)}`,
    after === undefined ? '' : `after:${quotedTime(after)}`,
    before === undefined ? '' : `before:${quotedTime(before)}`,
    trace === undefined ? '' : `trace:${quoteText(trace)}`,
    grep === undefined ? '' : EXPRESSION.test(grep) ? grep : quoteText(grep),
  ].filter((term) => term !== '')
  if (where === undefined || parseFilter(where).terms.length === 0) return terms.join(' ')
  return terms.length === 0 ? where : `${terms.join(' ')} (${where})`
}

/** As the grammar has it: a path such as `/orders/7` is none. */
const EXPRESSION = /^\/(?:[^/\\]|\\.)+\/[imsu]{0,4}$/s

/** Times mostly need no quotes, and read better without. */
function quotedTime(text: string): string {
  return /^[\w:.+-]+$/.test(text) ? text : quoteText(text)
}
