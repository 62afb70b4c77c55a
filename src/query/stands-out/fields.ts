import type { LogEvent, Plain, PlainObject } from '../../event/event'

/** What the name of a field says of its values. */
export type FieldRole =
  | { readonly kind: 'duration' /** Microseconds of 1. */; readonly unit: number }
  | { readonly kind: 'status' | 'outcome' | 'request' | 'plain' }

export type Scalar = string | number | boolean

/** Levels of objects in fields that are looked into, the fields included. */
const DEPTH = 3
/** Fields of one event that are looked at. */
const FIELDS = 60

/** Calls `visit` for each field that is one value, nested ones by their path. */
export function visitFields(event: LogEvent, visit: (path: string, value: Scalar) => void): void {
  visitObject(event.fields, '', DEPTH, visit)
}

function visitObject(
  object: PlainObject,
  path: string,
  depth: number,
  visit: (path: string, value: Scalar) => void,
): void {
  let room = FIELDS
  for (const key in object) {
    if (room-- === 0) return
    const value = object[key] as Plain
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      visit(path === '' ? key : `${path}.${key}`, value)
    else if (depth > 1 && isRecord(value))
      visitObject(value, path === '' ? key : `${path}.${key}`, depth - 1, visit)
  }
}

function isRecord(value: Plain): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false
  return !Array.isArray(value) && !(value instanceof Uint8Array) && !('$' in value)
}

const PLAIN: FieldRole = { kind: 'plain' }
const REMEMBERED = 5000
const roles = new Map<string, FieldRole>()

/** By the words of its name; remembered, since it is asked for every field of every event. */
export function fieldRole(path: string): FieldRole {
  const known = roles.get(path)
  if (known !== undefined) return known
  const role = roleOf(path)
  if (roles.size < REMEMBERED) roles.set(path, role)
  return role
}

/** Microseconds of each unit that a name may end in. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 0.001],
  ['nanos', 0.001],
  ['us', 1],
  ['micros', 1],
  ['ms', 1000],
  ['millis', 1000],
  ['milliseconds', 1000],
  ['msec', 1000],
  ['s', 1e6],
  ['sec', 1e6],
  ['secs', 1e6],
  ['seconds', 1e6],
])
const DURATIONS = words('duration elapsed took taken latency wait waited waiting lag rtt responsetime')
/** Names of times that something is set to, or has reached, not of how long it took. */
const NO_DURATIONS = words(
  'timeout interval ttl backoff retry uptime limit deadline at since age expires timestamp budget',
)
const STATUS = words('status statuscode httpstatus')
const OUTCOMES = words('outcome ok success succeeded')
const REQUESTS = words('requestid reqid xrequestid correlationid')

function roleOf(path: string): FieldRole {
  const parts = wordsOf(path)
  const joined = wordsOf(path.slice(path.lastIndexOf('.') + 1)).join('')
  if (STATUS.has(joined) || path === 'http.response.status_code') return { kind: 'status' }
  if (OUTCOMES.has(joined)) return { kind: 'outcome' }
  if (REQUESTS.has(joined) || path === 'request.id' || path === 'req.id') return { kind: 'request' }
  if (parts.some((part) => NO_DURATIONS.has(part))) return PLAIN
  const unit = UNITS.get(parts.at(-1) ?? '')
  const isDuration = parts.some((part) => DURATIONS.has(part)) || DURATIONS.has(joined)
  if (unit === undefined) return isDuration ? { kind: 'duration', unit: 1000 } : PLAIN
  return isDuration || joined.length > 1 ? { kind: 'duration', unit } : PLAIN
}

/** `durationMs`, `duration_ms` and `duration-ms` are `duration`, `ms`. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-zµ\d]+/)
    .filter((word) => word !== '')
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '))
}

const SPAN = /^(\d+(?:\.\d+)?)\s?(ns|us|ms|s)$/

/** A duration in microseconds: a number in the field's unit, or a text that names its own; undefined for anything else. */
export function durationOf(value: Scalar, unit: number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * unit : undefined
  const match = typeof value === 'string' ? SPAN.exec(value) : null
  return match === null ? undefined : Number(match[1]) * (UNITS.get(match[2] ?? '') ?? 1)
}

/** Whether a status or an outcome says that it failed. */
export function saysFailed(role: FieldRole, value: Scalar): boolean {
  if (role.kind === 'status') return typeof value === 'number' && value >= 500 && value < 600
  if (role.kind !== 'outcome') return false
  return value === false || (typeof value === 'string' && FAILURES.has(value.toLowerCase()))
}

const FAILURES = words('failure failed error timeout rejected')
