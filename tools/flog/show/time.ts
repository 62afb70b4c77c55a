import { isoMicros } from '../../../src/base/clock'

export const TIME_MODES = ['relative', 'utc', 'local', 'epoch'] as const
export type TimeMode = (typeof TIME_MODES)[number]

/** Characters of a relative time up to 99,999 seconds: more than a day of history. */
const RELATIVE_WIDTH = 13

/** The time of an event, in the same width for each of a mode; `relative` is seconds from `origin`. Microseconds. */
export function formatTime(mode: TimeMode, time: number, origin: number): string {
  switch (mode) {
    case 'relative':
      return relativeSeconds(time - origin).padStart(RELATIVE_WIDTH)
    case 'utc':
      return isoMicros(time)
    case 'local':
      return localTime(time)
    case 'epoch':
      return (time / 1e6).toFixed(6)
  }
}

/** `-12.301234`, `+0.000350`, `0` at the origin itself; seconds. */
export function relativeSeconds(micros: number): string {
  if (micros === 0) return '0'
  return `${micros < 0 ? '-' : '+'}${seconds(Math.abs(micros))}`
}

/** By whole numbers, which is several times as fast as `toFixed`; only foreign files have others. */
function seconds(micros: number): string {
  if (!Number.isSafeInteger(micros)) return (micros / 1e6).toFixed(6)
  const whole = Math.floor(micros / 1e6)
  return `${whole}.${String(micros - whole * 1e6 + 1e6).slice(1)}`
}

/** `20:31:05.123`, in the zone of this machine, for following what happens now. */
export function clockTime(time: number): string {
  return localTime(time).slice(11, 23)
}

/** A length of time for people, in two or three digits: `350 µs`, `4.1 s`, `12 min`, `3.2 d`. */
export function duration(micros: number): string {
  const size = Math.abs(micros)
  const [divisor, unit] = DURATION_UNITS.find(([, , below]) => size < below) ?? [86_400e6, 'd']
  const value = size / divisor
  return `${value < 10 && divisor > 1 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

const DURATION_UNITS: readonly (readonly [divisor: number, unit: string, below: number])[] = [
  [1, 'µs', 1000],
  [1e3, 'ms', 1e6],
  [1e6, 's', 120e6],
  [60e6, 'min', 7200e6],
  [3600e6, 'h', 172_800e6],
]

/** `2026-11-21 20:31:05.123456`, in the zone of this machine. */
function localTime(time: number): string {
  const ms = Math.floor(time / 1000)
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return 'invalid time'
  const shifted = new Date(ms - date.getTimezoneOffset() * 60_000)
  const micros = String(Math.trunc(time - ms * 1000)).padStart(3, '0')
  return shifted.toISOString().replace('T', ' ').replace('Z', micros)
}
