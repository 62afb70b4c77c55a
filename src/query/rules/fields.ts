/** `/source/flags`: the flags are those that the filter takes. */
const EXPRESSION = /^\/(?:[^/\\]|\\.)+\/[imsu]{0,4}$/s

/**
 * The filter for a field that has a value, or one of several. Undefined where no field can have such a value.
 * @param given a text, `/a regular expression/`, a number, a truth value, null, or a list of these
 */
export function fieldFilter(name: string, given: unknown): string | undefined {
  if (!Array.isArray(given)) return oneFilter(name, given)
  const each = given.map((value) => oneFilter(name, value))
  return each.length === 0 || each.includes(undefined) ? undefined : `(${each.join(' OR ')})`
}

function oneFilter(name: string, given: unknown): string | undefined {
  const key = quoted(name)
  switch (typeof given) {
    case 'string':
      return EXPRESSION.test(given) ? `${key}~${given}` : `${key}=${quoted(given)}`
    case 'number':
    case 'boolean':
    case 'bigint':
      return `${key}=${given}`
    default:
      return given === null ? `${key}=null` : undefined
  }
}

/** Also where it need not be: in quotes no name is a keyword. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
