import { FlogError } from '../../base/errors'

/**
 * The error for a filter that cannot be read.
 * @param at the character at which it goes wrong, from 0
 * @param expected what belongs there
 */
export function invalidFilter(at: number, expected: string): FlogError {
  const message = `the filter cannot be read at character ${at + 1}: expected ${expected}`
  return new FlogError('FLOG_FILTER_INVALID', message, { details: { position: at, expected } })
}
