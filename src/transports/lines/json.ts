import type { ErrorRecord, Plain, PlainObject } from '../../event/event'
import { pinoSeverity, severityOf, syslogSeverity } from '../../event/severity'
import { stripColour } from './colour'
import type { LineFormat, RecognisedLine } from './recognised'
import { timeOfValue } from './time'

type Members = ReadonlyMap<string, unknown>

/**
 * A line that is a JSON object with a level or a message, as winston, pino, bunyan and their relatives in other languages
 * write it; undefined for any other line. Members that become part of the event are taken, all others become fields.
 */
export function jsonLine(text: string): RecognisedLine | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined
  const value = parse(trimmed)
  return value === undefined ? undefined : parsedLine(new Map(Object.entries(value)))
}

/** The same for members that were parsed already. */
export function parsedLine(members: Members): RecognisedLine | undefined {
  const rest = new Map(members)
  const format = formatOf(members)
  const severity = take(rest, LEVEL_KEYS, (value) => severityOfLevel(value, format))
  const message = take(rest, MESSAGE_KEYS, textOf)
  if (severity === undefined && message === undefined) return undefined
  const error = takeError(rest, message)
  const time = take(rest, TIME_KEYS, timeOfValue)
  const facility = take(rest, format === 'pino' || format === 'bunyan' ? ['name'] : FACILITY_KEYS, nameOf)
  if (format === 'bunyan') rest.delete('v')
  return {
    format,
    message: message ?? error?.message ?? '',
    fields: Object.fromEntries(rest),
    ...(severity !== undefined && { severity }),
    ...(error !== undefined && { error }),
    ...(time !== undefined && { time }),
    ...(facility !== undefined && { facility }),
  }
}

const LEVEL_KEYS = ['level', 'severity', 'severityText', 'lvl', 'log.level', 'levelname']
const MESSAGE_KEYS = ['message', 'msg', 'short_message', 'body']
const TIME_KEYS = ['time', 'timestamp', 'ts', '@timestamp', 't', 'asctime']
const FACILITY_KEYS = ['facility', 'logger', 'logger_name', 'log.logger']
const ERROR_KEYS = ['err', 'error', 'exception']
const STACK_KEYS = ['stack', 'stacktrace', 'stack_trace', 'exc_info']

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** bunyan names its version, pino and bunyan number their levels, winston names them. */
function formatOf(members: Members): LineFormat {
  const level = members.get('level')
  if (typeof level === 'number') {
    if (members.has('msg') && typeof members.get('v') === 'number' && members.has('hostname')) return 'bunyan'
    return members.has('version') && members.has('short_message') ? 'json' : 'pino'
  }
  if (typeof level === 'string' && typeof members.get('message') === 'string') return 'winston'
  return members.has('pid') && members.has('hostname') && members.has('msg') ? 'pino' : 'json'
}

/** The first of `keys` whose value can be used; it is taken out. */
function take<T>(
  members: Map<string, unknown>,
  keys: readonly string[],
  use: (value: unknown) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const used = members.has(key) ? use(members.get(key)) : undefined
    if (used === undefined) continue
    members.delete(key)
    return used
  }
  return undefined
}

/** GELF and other syslog relatives count from 0 to 7, pino and bunyan in tens. slog writes `INFO+2`. */
function severityOfLevel(value: unknown, format: LineFormat): number | undefined {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return undefined
    return value >= 0 && value <= 7 && format !== 'bunyan'
      ? syslogSeverity(Math.trunc(value))
      : pinoSeverity(value)
  }
  if (typeof value !== 'string') return undefined
  const word = stripColour(value).trim()
  const offset = /^([A-Z]+)([+-]\d{1,2})$/.exec(word)
  const base = severityOf(offset?.[1] ?? word)
  return base === undefined || offset === null ? base : Math.min(24, Math.max(1, base + Number(offset[2])))
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? undefined : JSON.stringify(value)
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** An error member, or a `stack` beside the message as winston's `format.errors({ stack: true })` leaves it. */
function takeError(rest: Map<string, unknown>, message: string | undefined): ErrorRecord | undefined {
  const error = take(rest, ERROR_KEYS, (value) => errorOf(value))
  if (error !== undefined) return error
  const stack = take(rest, STACK_KEYS, (value) => (isStack(value) ? value : undefined))
  if (stack === undefined) return undefined
  const head = /^(?:Uncaught )?([\w$.]+): /.exec(stack)
  return { name: head?.[1] ?? 'Error', message: message ?? '', stack }
}

/** An object that has what an error has; undefined for any other value, which then is a field. */
function errorOf(value: unknown, depth = 0): ErrorRecord | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { type, name, message, stack, code, cause, errors, aggregateErrors, ...fields } = value as Record<
    string,
    unknown
  >
  if (
    typeof message !== 'string' ||
    (typeof stack !== 'string' && type === undefined && name === undefined)
  ) {
    return undefined
  }
  const inner = depth < 8 ? errorOf(cause, depth + 1) : undefined
  const several = Array.isArray(errors) ? errors : aggregateErrors
  return {
    name: nameOf(type) ?? nameOf(name) ?? 'Error',
    message,
    ...(typeof stack === 'string' && { stack }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(cause !== undefined && { cause: plain(inner ?? cause) }),
    ...(Array.isArray(several) && { errors: several.map((one) => plain(errorOf(one, depth + 1) ?? one)) }),
    ...(Object.keys(fields).length > 0 && { fields: fields as PlainObject }),
  }
}

/** What came out of `JSON.parse` is plain already. */
function plain(value: unknown): Plain {
  return value as Plain
}

function isStack(value: unknown): value is string {
  return typeof value === 'string' && value.includes('\n')
}
