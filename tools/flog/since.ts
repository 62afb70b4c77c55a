import type { Clock } from '../../src/base/clock'
import { invalidOption } from '../../src/base/errors'

const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1e6],
  ['m', 60e6],
  ['h', 3600e6],
  ['d', 86_400e6],
  ['w', 604_800e6],
])

/**
 * A point in the past: an ISO 8601 time (local where it names no zone), or an age such as `90s`, `10m`, `2h`, `3d`, `1w`.
 * @returns microseconds since the epoch
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseSince(option: string, text: string, clock: Clock): number {
  const age = /^(\d+(?:\.\d+)?) *([smhdw])(?: ago)?$/.exec(text.trim())
  if (age !== null) return clock.now() - Number(age[1]) * (UNITS.get(age[2] ?? 's') ?? 1)
  const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw invalidOption(option, 'a time (2026-11-21T20:31) or an age (90s, 10m, 2h, 3d)', text)
  return ms * 1000
}
