import { invalidOption } from '../../src/base/errors'
import { parseSeverity } from '../../src/event/severity'

/** A severity by name or number. */
export function parseSeverityOption(option: string): (value: string) => number {
  return (value) => parseSeverity(option, /^\d+$/.test(value) ? Number(value) : value)
}

/** A whole number from 0. */
export function parseWholeOption(option: string): (value: string) => number {
  return (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (Number.isNaN(number)) throw invalidOption(option, 'a whole number from 0', value)
    return number
  }
}

/** A port; 0 is any free one. */
export function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (!(port <= 65_535)) throw invalidOption('--port', 'a number from 0 to 65535', value)
  return port
}
