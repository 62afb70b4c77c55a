import { FlogError } from '../base/errors'
import type { Plain, PlainObject } from '../event/event'
import type { IncidentHeader, IncidentTrailer } from './header'

/**
 * A header is what anybody may have written: what readers rely on is checked here, once. What is not known is kept.
 * @throws FlogError FLOG_VALUE_MALFORMED naming the key
 */
export function asHeader(value: Plain): IncidentHeader {
  const map = mapOf(value, 'header')
  if (map['type'] !== 'incident') throw malformed('header.type', '"incident"')
  texts(map, 'header', ['format', 'id', 'incarnation', 'service', 'version', 'host'])
  numbers(map, 'header', ['number', 'openedAt', 'pid'])
  const trigger = mapOf(map['trigger'], 'header.trigger')
  texts(trigger, 'header.trigger', ['kind', 'reason', 'fingerprint'])
  checkEvent(mapOf(trigger['event'], 'header.trigger.event'))
  texts(mapOf(map['process'], 'header.process'), 'header.process', ['bootId', 'pidNamespace', 'startTime'])
  numbers(mapOf(map['process'], 'header.process'), 'header.process', ['pid'])
  const versions = mapOf(map['versions'], 'header.versions')
  texts(versions, 'header.versions', Object.keys(versions))
  for (const ring of listOf(map['rings'], 'header.rings')) checkRing(mapOf(ring, 'header.rings[]'))
  numbers(mapOf(map['suppressed'], 'header.suppressed'), 'header.suppressed', [
    'perHour',
    'perFingerprint',
    'coolDown',
  ])
  numbers(mapOf(map['postTrigger'], 'header.postTrigger'), 'header.postTrigger', ['events', 'ms'])
  optional(map, 'argv', (argv) => listOf(argv, 'header.argv').every((word) => typeof word === 'string'))
  optional(map, 'label', (label) => typeof label === 'string')
  optional(map, 'relatedTo', (id) => typeof id === 'string')
  optional(map, 'extra', isMap)
  optional(map, 'rewritten', (marks) => listOf(marks, 'header.rewritten').every(isMap))
  return map as unknown as IncidentHeader
}

/** @throws FlogError FLOG_VALUE_MALFORMED naming the key */
export function asTrailer(value: Plain): IncidentTrailer {
  const map = mapOf(value, 'trailer')
  texts(map, 'trailer', ['reason'])
  numbers(map, 'trailer', ['closedAt', 'furtherTriggersOmitted', 'lost'])
  numbers(mapOf(map['events'], 'trailer.events'), 'trailer.events', ['total', 'history', 'after'])
  for (const trigger of listOf(map['furtherTriggers'], 'trailer.furtherTriggers')) {
    const further = mapOf(trigger, 'trailer.furtherTriggers[]')
    numbers(further, 'trailer.furtherTriggers[]', ['seq', 'time'])
    texts(further, 'trailer.furtherTriggers[]', ['kind', 'reason', 'fingerprint'])
  }
  optional(map, 'extra', isMap)
  optional(map, 'source', isMap)
  return map as unknown as IncidentTrailer
}

function checkEvent(event: PlainObject): void {
  const path = 'header.trigger.event'
  numbers(event, path, ['seq', 'time', 'severity'])
  texts(event, path, ['message', 'facility'])
  mapOf(event['fields'], `${path}.fields`)
  optional(event, 'traceId', (id) => typeof id === 'string')
  optional(event, 'spanId', (id) => typeof id === 'string')
  optional(event, 'error', isMap)
  if (event['error'] !== undefined)
    texts(mapOf(event['error'], `${path}.error`), `${path}.error`, ['name', 'message'])
}

function checkRing(ring: PlainObject): void {
  texts(ring, 'header.rings[]', ['severity', 'facility'])
  numbers(ring, 'header.rings[]', ['thread', 'capacityBytes', 'usedBytes', 'events', 'evicted', 'oldest'])
}

function texts(map: PlainObject, path: string, keys: readonly string[]): void {
  for (const key of keys) {
    if (typeof map[key] !== 'string') throw malformed(`${path}.${key}`, 'text')
  }
}

function numbers(map: PlainObject, path: string, keys: readonly string[]): void {
  for (const key of keys) {
    if (typeof map[key] !== 'number' || !Number.isFinite(map[key]))
      throw malformed(`${path}.${key}`, 'a number')
  }
}

function optional(map: PlainObject, key: string, isRight: (value: Plain) => boolean): void {
  const value = map[key]
  if (value !== undefined && !isRight(value)) throw malformed(key, 'something else')
}

function mapOf(value: Plain | undefined, path: string): PlainObject {
  if (value === undefined || !isMap(value)) throw malformed(path, 'a map')
  return value
}

function listOf(value: Plain | undefined, path: string): readonly Plain[] {
  if (!Array.isArray(value)) throw malformed(path, 'an array')
  return value
}

function isMap(value: Plain): value is PlainObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function malformed(path: string, expected: string): FlogError {
  return new FlogError('FLOG_VALUE_MALFORMED', `${path} should be ${expected}`, { details: { path } })
}
