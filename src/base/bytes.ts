import { invalidOption } from './errors'

/** A number of bytes, or text such as `512KiB`, `4MiB`, `1GiB`, `200kB`, `4096`. */
export type ByteSize = number | string

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
])

/**
 * Whole bytes of a size.
 * @param option the option's name, for the error
 * @throws FlogError FLOG_OPTION_INVALID for anything that is not a positive size below 2^53
 */
export function parseBytes(option: string, size: unknown): number {
  const bytes = typeof size === 'string' ? fromText(size) : size
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes <= 0) {
    throw invalidOption(option, 'a size such as 65536, "512KiB" or "4MiB"', size)
  }
  return bytes
}

/** A size for people: `8.0 MiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`
}

function fromText(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  const factor = UNITS.get((match?.[2] ?? '?').toLowerCase())
  return factor === undefined ? Number.NaN : Math.round(Number(match?.[1]) * factor)
}
