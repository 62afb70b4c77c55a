import type { Plain } from '../event/event'
import type { IncidentSummary } from '../incident/header'
import { parseIncidentId } from '../incident/name'
import { CURSOR_CHARS } from './cursor'
import type { AboutResult, FetchOffer, IncidentPage } from './protocol'
import { REPRESENTATIONS, SHA256 } from './serve-fetch'
import { Fields, protocolError } from './wire'

/** What publishers answer, checked before anything relies on it: a publisher may be somebody else's. */

export const INCARNATION = /^[0-9a-f]{16}$/
const MAX_TEXT = 64 * 1024
const MAX_LISTED = 10_000

export function parseAbout(value: Plain): AboutResult {
  const fields = Fields.of(value, 'about')
  return {
    service: fields.text('service', MAX_TEXT),
    version: fields.text('version', MAX_TEXT),
    host: fields.text('host', MAX_TEXT),
    pid: fields.count('pid'),
    incarnation: fields.matching('incarnation', INCARNATION, '16 hexadecimal digits'),
    versions: parseVersions(fields.inner('versions')),
    startedAt: fields.count('startedAt'),
    allows: fields.oneOf('allows', ['read', 'control']),
    tail: fields.flag('tail'),
  }
}

export function parseList(value: Plain): IncidentPage {
  const fields = Fields.of(value, 'the list')
  if (fields.flag('more') && fields.list('incidents', MAX_LISTED).length === 0) {
    throw protocolError('a page without incidents cannot have another one behind it')
  }
  return {
    incidents: fields.list('incidents', MAX_LISTED).map(parseSummary),
    open: fields.list('open', MAX_LISTED).map(parseSummary),
    cursor: fields.text('cursor', CURSOR_CHARS),
    more: fields.flag('more'),
  }
}

/**
 * A summary: what names and orders it is checked by value, the rest by type; whatever a newer version adds
 * stays.
 */
export function parseSummary(value: Plain): IncidentSummary {
  const fields = Fields.of(value, 'a summary')
  const id = parseIncidentId(fields.map['id'])
  if (
    id === undefined ||
    id.incarnation !== fields.map['incarnation'] ||
    id.number !== fields.map['number']
  ) {
    throw protocolError('a summary has an id that is none, or not its own')
  }
  fields.oneOf('state', ['open', 'finished'])
  for (const name of ['openedAt', 'pid', 'furtherTriggers', 'bytes']) fields.count(name)
  for (const name of ['service', 'version', 'host']) fields.text(name, MAX_TEXT)
  if (fields.has('label')) fields.text('label', MAX_TEXT)
  if (fields.has('closedAt')) fields.count('closedAt')
  if (fields.has('closeReason')) fields.text('closeReason')
  if (fields.has('events'))
    for (const name of ['total', 'history', 'after']) fields.inner('events').count(name)
  parseVersions(fields.inner('versions'))
  checkTrigger(fields.inner('trigger'))
  return withoutNulls(fields.map) as unknown as IncidentSummary
}

export interface Offer extends FetchOffer {
  readonly offset: number
  readonly openedAt: number
}

export function parseOffer(item: Fields): Offer {
  const offer = item.inner('offer')
  const size = offer.count('size')
  return {
    representation: offer.oneOf('representation', REPRESENTATIONS),
    size,
    sha256: offer.matching('sha256', SHA256, 'a SHA-256 in hexadecimal'),
    offset: item.count('offset', size),
    openedAt: item.count('openedAt'),
  }
}

function checkTrigger(trigger: Fields): void {
  for (const name of ['kind', 'fingerprint']) trigger.text(name)
  trigger.text('reason', MAX_TEXT)
  const event = trigger.inner('event')
  event.count('seq')
  event.count('time')
  event.count('severity', 24, 1)
  event.text('message', Number.MAX_SAFE_INTEGER)
  event.text('facility', MAX_TEXT)
  event.inner('fields')
}

function parseVersions(fields: Fields): Readonly<Record<string, string>> {
  const versions: Record<string, string> = {}
  for (const name of Object.keys(fields.map).slice(0, 1000)) versions[name] = fields.text(name, MAX_TEXT)
  return versions
}

/** Optional parts that were absent at the publisher. */
function withoutNulls(map: object): object {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null))
}
