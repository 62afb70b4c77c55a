import { invalidOption } from '../base/errors'

/**
 * The one table of severities. Everything inside is an OpenTelemetry SeverityNumber, 1–24; every other scheme
 * is mapped onto it here. (https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber)
 */
// biome-ignore format: one band a line
export const SEVERITY_NAMES = [
  'trace', 'trace2', 'trace3', 'trace4',
  'debug', 'debug2', 'debug3', 'debug4',
  'info', 'info2', 'info3', 'info4',
  'warn', 'warn2', 'warn3', 'warn4',
  'error', 'error2', 'error3', 'error4',
  'fatal', 'fatal2', 'fatal3', 'fatal4',
] as const

/**
 * Short name of a severity: the first of a band is named plainly, the in-between ones as in OpenTelemetry.
 */
export type SeverityName = (typeof SEVERITY_NAMES)[number]

/** The six bands; each has a ring of its own. */
export const SEVERITY_BANDS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type SeverityBand = (typeof SEVERITY_BANDS)[number]

export const TRACE = 1
export const DEBUG = 5
export const INFO = 9
export const WARN = 13
export const ERROR = 17
export const FATAL = 21
const LOWEST = 1
const HIGHEST = 24

/**
 * Foolscap's eight levels. Its qualifier takes WEIRD and above for incidents, as ours does error and above;
 * what it calls unusual but harmless stays below warn.
 */
const FOOLSCAP: ReadonlyMap<string, readonly [level: number, severity: number]> = new Map([
  ['noisy', [10, DEBUG]],
  ['operational', [20, INFO]],
  ['unusual', [23, INFO + 2]],
  ['infrequent', [25, WARN]],
  ['curious', [28, WARN + 2]],
  ['weird', [30, ERROR]],
  ['scary', [35, ERROR + 2]],
  ['bad', [40, FATAL]],
])

/**
 * Every name that has one meaning wherever it is used. Where OpenTelemetry's bridges give a number, it is
 * that one.
 */
const NAMED: ReadonlyMap<string, number> = new Map<string, number>([
  ...SEVERITY_NAMES.map((name, index): [string, number] => [name, index + 1]),
  // syslog, RFC 5424
  ['emerg', 23],
  ['alert', 22],
  ['crit', FATAL],
  ['warning', WARN],
  ['notice', 10],
  // winston npm
  ['http', 7],
  ['verbose', 6],
  ['silly', TRACE],
  // winston cli, which has verbose below debug: winstonSeverities() sees that from the ranks
  ['help', 11],
  ['data', 10],
  ['prompt', 4],
  ['input', 2],
  // console methods that are not severities already
  ['log', INFO],
  ['assert', ERROR],
  // other spellings that programs use
  ['emergency', 23],
  ['panic', 23],
  ['critical', FATAL],
  ['severe', ERROR],
  ['err', ERROR],
  ['information', INFO],
  ['informational', INFO],
  ['success', INFO],
  ...[...FOOLSCAP].map(([name, [, severity]]): [string, number] => [name, severity]),
])

/** Severity of a level name of any scheme, in any case; undefined where the name says nothing. */
export function severityOf(name: string): number | undefined {
  return NAMED.get(name) ?? NAMED.get(name.toLowerCase())
}

/** Short name of a severity. Numbers outside 1–24 are taken for the nearest, what is no number for `info`. */
export function severityName(severity: number): SeverityName {
  return SEVERITY_NAMES[clamp(severity) - 1] ?? 'info'
}

/** Index of the band, 0 (trace) to 5 (fatal), of a severity from 1 to 24. */
export function bandIndex(severity: number): number {
  return (severity - 1) >> 2
}

/** Name of the band of a severity; out of range as {@link severityName}. */
export function bandName(severity: number): SeverityBand {
  return SEVERITY_BANDS[bandIndex(clamp(severity))] ?? 'info'
}

/**
 * Severity of an option: a name of any scheme, or a whole number from 1 to 24.
 * @param option the option's name, for the error
 * @throws FlogError FLOG_OPTION_INVALID, with the name that was probably meant
 */
export function parseSeverity(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= LOWEST && value <= HIGHEST)
    return value
  const known = typeof value === 'string' ? severityOf(value.trim()) : undefined
  if (known !== undefined) return known
  const expected = 'a severity: trace, debug, info, warn, error, fatal, or a number from 1 to 24'
  const meant = typeof value === 'string' ? nearestName(value.trim().toLowerCase()) : undefined
  throw invalidOption(option, meant === undefined ? expected : `${expected} (did you mean ${meant}?)`, value)
}

/**
 * Severity of a pino or bunyan level number (10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal);
 * numbers between two of them lie between in proportion, rounded down; what is no number is `info`.
 */
export function pinoSeverity(level: number): number {
  return clamp(Math.floor((level * 4) / 10 - 3))
}

/** Severity of a syslog priority's level, 0 (emergency) to 7 (debug). */
export function syslogSeverity(level: number): number {
  return [23, 22, FATAL, ERROR, WARN, 10, INFO, DEBUG][level] ?? INFO
}

/**
 * Severity of a Foolscap level number; between two of its names in proportion, rounded down; any number
 * works.
 */
export function foolscapSeverity(level: number): number {
  let [lowLevel, lowSeverity] = [0, LOWEST]
  for (const [highLevel, highSeverity] of FOOLSCAP.values()) {
    if (level < highLevel) {
      const part = (level - lowLevel) / (highLevel - lowLevel)
      return clamp(Math.floor(lowSeverity + part * (highSeverity - lowSeverity)))
    }
    lowLevel = highLevel
    lowSeverity = highSeverity
  }
  return Number.isNaN(level) ? INFO : clamp(Math.floor(lowSeverity + (level - lowLevel) / 5))
}

function clamp(severity: number): number {
  if (Number.isNaN(severity)) return INFO
  return Math.trunc(Math.min(HIGHEST, Math.max(LOWEST, severity)))
}

function nearestName(text: string): string | undefined {
  if (text.length > 20) return undefined
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(text.length / 3)) + 1
  for (const name of NAMED.keys()) {
    const distance = editDistance(text, name)
    if (distance >= bestDistance || distance >= name.length) continue
    best = name
    bestDistance = distance
  }
  return best
}

/** Levenshtein's distance between two short texts. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const substituted = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? a.length
}
