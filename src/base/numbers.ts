import { invalidOption } from './errors'

/**
 * A whole number of an option, from `min` to `max`; `Infinity` where `max` is.
 * @param option the option's name, for the error
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseWhole(option: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) || (value === Infinity && max === Infinity)) {
    return parseNumber(option, value, min, max, 'a whole number')
  }
  throw invalidOption(option, rangeText('a whole number', min, max), value)
}

/**
 * A number of an option, from `min` to `max`.
 * @param what it is, for the error: `milliseconds`
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseNumber(
  option: string,
  value: unknown,
  min: number,
  max: number,
  what = 'a number',
): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw invalidOption(option, rangeText(what, min, max), value)
}

function rangeText(what: string, min: number, max: number): string {
  return max === Infinity ? `${what} of at least ${min}, or Infinity` : `${what} from ${min} to ${max}`
}
