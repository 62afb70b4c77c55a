import { FlogError, invalidOption } from './errors'

/**
 * Checks that an option is an object without a misspelt name in it, which would be passed over in silence.
 * @param option the option's name, for the error; empty for the options themselves
 * @throws FlogError FLOG_OPTION_INVALID, with the name that was probably meant
 */
export function checkNames(option: string, given: unknown, known: readonly string[]): void {
  const path = option === '' ? 'options' : option
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidOption(path, `an object with ${known.join(', ')}`, given)
  }
  for (const name of Object.keys(given)) if (!known.includes(name)) throw unknownName(option, name, known)
}

function unknownName(path: string, name: string, known: readonly string[]): FlogError {
  const option = path === '' ? name : `${path}.${name}`
  const meant = known.find((other) => isNear(name.toLowerCase(), other.toLowerCase()))
  const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`
  return new FlogError('FLOG_OPTION_INVALID', `there is no option ${option}, ${hint}`, {
    details: { option },
  })
}

/** The same letters in another order, one or two wrong, too many or missing, or one the beginning of the other. */
function isNear(name: string, other: string): boolean {
  if (name.length >= 3 && (other.startsWith(name) || name.startsWith(other))) return true
  if (Math.abs(name.length - other.length) > 2) return false
  const rest = [...other]
  for (const letter of name) {
    const at = rest.indexOf(letter)
    if (at >= 0) rest.splice(at, 1)
  }
  return rest.length <= Math.min(2, other.length / 4)
}
