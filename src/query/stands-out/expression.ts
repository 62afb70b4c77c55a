/** Filters that show the evidence, in the grammar of the query's filter. */

/** Field names that mean something else at the start of a term. */
const KEYWORDS = new Set(
  'severity facility trace span request seq thread parent is has error message after before time fields'.split(
    ' ',
  ),
)
const PLAIN_NAME = /^[\p{L}_$@#][^\s:=<>~!"()]*$/u
const PLAIN_VALUE = /^[\w./@:+-]+$/

/** All of them hold. */
export function allOf(...terms: readonly string[]): string {
  return terms.filter((term) => term !== '').join(' ')
}

/** Exactly this facility; nothing where the events have none. */
export function facilityTerm(facility: string): string {
  return facility === '' ? '' : `facility=${quoted(facility)}`
}

/** @param micros before the trigger */
export function sinceTerm(micros: number): string {
  return `after:-${Math.max(0, Math.ceil(micros / 1000))}ms`
}

export function untilTerm(micros: number): string {
  return `before:-${Math.max(0, Math.floor(micros / 1000))}ms`
}

export function seqTerm(seq: number): string {
  return `seq:${seq}`
}

export function fieldTerm(name: string, operator: '=' | '>=', value: string | number | boolean): string {
  return `${fieldName(name)}${operator}${quoted(String(value))}`
}

export function hasTerm(name: string): string {
  return `has:${quoted(`fields.${name}`)}`
}

/** The events of one message. Where it is no template, by its longest part that is always the same. */
export function messageTerm(message: string, isConstant: boolean): string {
  if (isConstant) return `message=${quoted(message)}`
  const parts = message.split('…').map((part) => part.trim())
  const longest = parts.reduce((best, part) => (part.length > best.length ? part : best), '')
  return longest === '' ? '' : `message:${quoted(longest)}`
}

export function quoted(text: string): string {
  return PLAIN_VALUE.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}

function fieldName(name: string): string {
  const head = name.split('.', 1)[0] ?? ''
  if (!PLAIN_NAME.test(name)) return quoted(name)
  return KEYWORDS.has(head) ? `fields.${name}` : name
}
