import type { ErrorRecord, LogEvent } from '../../event/event'
import { parseFilter, quoteText } from '../filter'

/** What stands in the place of a category until somebody has named it. */
export const UNNAMED = 'name-me'

/** Longer messages are told by how they begin: they hold what differs each time. */
const MESSAGE_CHARS = 200

/**
 * A rule in YAML for incidents that began with such events, to be named and put into a file of rules. It goes by what the
 * last of them says, where that holds for all, else by the fingerprint. Its lines are safe to print: what is no ordinary
 * character is written as an escape.
 * @param events what began each of the incidents
 * @param fingerprint that they have in common
 */
export function ruleSkeleton(events: readonly LogEvent[], fingerprint: string): readonly string[] {
  const last = events.at(-1)
  const filter = last === undefined ? undefined : triggerFilter(last)
  const print = `fingerprint: ${yamlText(fingerprint)}`
  if (filter === undefined || !holdsForAll(filter, events)) return [`- category: ${UNNAMED}`, `  ${print}`]
  return [`- category: ${UNNAMED}`, `  trigger: ${yamlText(filter)}`, `  # or, for just this: ${print}`]
}

function holdsForAll(text: string, events: readonly LogEvent[]): boolean {
  const filter = parseFilter(text)
  return events.every((event) => filter.matches(event))
}

function triggerFilter(event: LogEvent): string {
  const name = errorName(event.error)
  return [
    ...(event.facility === '' ? [] : [`facility=${quoteText(event.facility)}`]),
    ...(name === '' ? [] : [`error=${quoteText(name)}`]),
    messageFilter(event),
  ].join(' ')
}

function errorName(error: ErrorRecord | undefined): string {
  return typeof error?.name === 'string' ? error.name : ''
}

/** A template is always the same; of any other message the numbers are not. */
function messageFilter({ message, fields }: LogEvent): string {
  if (message === '') return 'message=""'
  const isTemplate = /\{[^{}\s"',:]{1,128}\}/.test(message) || Array.isArray(fields['args'])
  const isLong = message.length > MESSAGE_CHARS
  const text = isLong ? beginning(message) : message
  if (isTemplate && !isLong) return `message=${quoteText(text)}`
  if (!/\d/.test(text)) return `message${isLong ? ':' : '='}${quoteText(text)}`
  const pattern = text.replace(/\d+|[\\^$.*+?()[\]{}|/]/g, (part) => (/\d/.test(part) ? '\\d+' : `\\${part}`))
  return `message~"${`^${pattern}${isLong ? '' : '$'}`.replace(/["\\]/g, '\\$&')}"`
}

/** Not half of a surrogate pair, and no number that is cut. */
function beginning(message: string): string {
  return message.slice(0, MESSAGE_CHARS).replace(/[\ud800-\udbff]$|\d+$/, '')
}

/** A YAML scalar: single quotes keep filters readable; what is not printable needs the escapes of double ones. */
function yamlText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", "''")}'`
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => {
    return PRINTABLE.test(unit) ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

const PRINTABLE = /[\p{L}\p{N}\p{P}\p{S}]/u
