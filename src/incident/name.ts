import { basename, dirname, join } from 'node:path'
import { FlogError } from '../base/errors'

/**
 * File names of an incident directory.
 *
 * ```
 * 20261121T203105.123Z-<id>.incident.flog               plain: open, or closed and not yet compressed
 * 20261121T203105.123Z-<id>.incident.flog.gz            finished
 * 20261121T203105.123Z-<id>.incident.flog.claim-<owner> plain, of a dead process, being finished by <owner>
 * .20261121T203105.123Z-<id>.incident.flog.gz.<owner>-<nonce>.tmp   half-written, of no interest to readers
 * ```
 *
 * The name sorts by time and spares a look into the file; the id that counts is the one in the file's header.
 */
export type IncidentFileKind = 'plain' | 'gzip' | 'claim' | 'temporary'

/** An incident as it grows (`open`), or compressed and verified (`gzip`). */
export type Representation = 'open' | 'gzip'

export interface IncidentFileName {
  readonly name: string
  readonly kind: IncidentFileKind
  /** Name of the plain file that this one is, was made from, or is claimed from. */
  readonly plainName: string
  /** From the name; both absent where somebody gave the file a name of their own. */
  readonly id?: string
  /** Microseconds since the epoch, whole milliseconds. */
  readonly openedAt?: number
  /** Owner tag (see `identity.ts`) of a claim or a temporary file. */
  readonly owner?: string
}

export interface IncidentIdParts {
  /** 16 hexadecimal digits. */
  readonly incarnation: string
  readonly number: number
}

const PLAIN_SUFFIX = '.incident.flog'
const ID = /^([0-9a-f]{16})-([1-9][0-9]{0,15})$/
const CANONICAL =
  /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{3})Z-([0-9a-f]{16}-[1-9][0-9]{0,15})\.incident\.flog$/
const CLAIM = /^(.+\.incident\.flog)\.claim-([0-9a-z-]+)$/
const TEMPORARY = /^\.(.+\.incident\.flog)\.gz\.([0-9a-z-]+)-[0-9a-f]{8}\.tmp$/

/** `<incarnation>-<number>`. */
export function incidentId(incarnation: string, number: number): string {
  return `${incarnation}-${number}`
}

/** The two parts of an incident id; undefined for anything else, whatever it is. */
export function parseIncidentId(id: unknown): IncidentIdParts | undefined {
  if (typeof id !== 'string') return undefined
  const match = ID.exec(id)
  if (match?.[1] === undefined) return undefined
  const number = Number(match[2])
  return Number.isSafeInteger(number) ? { incarnation: match[1], number } : undefined
}

/** Order of incident ids: by incarnation, then by number. */
export function compareIncidentIds(one: string, other: string): number {
  const a = parseIncidentId(one)
  const b = parseIncidentId(other)
  if (a !== undefined && b !== undefined && a.incarnation === b.incarnation) return a.number - b.number
  return one < other ? -1 : Number(one > other)
}

/**
 * Name of the plain file of an incident.
 * @param openedAt microseconds since the epoch, years 0–9999
 * @throws FlogError FLOG_INCIDENT_UNKNOWN for what is no incident id
 */
export function plainFileName(openedAt: number, id: string): string {
  return `${timedName(openedAt, id)}${PLAIN_SUFFIX}`
}

/** What file names begin with: a time, by which they sort, and an id. Throws like {@link plainFileName}. */
export function timedName(openedAt: number, id: string): string {
  if (parseIncidentId(id) === undefined) {
    throw new FlogError(
      'FLOG_INCIDENT_UNKNOWN',
      'an incident id is 16 hexadecimal digits, a dash and a number',
    )
  }
  const time = new Date(Math.floor(openedAt / 1000)).toISOString().replace(/[-:]/g, '')
  return `${time}-${id}`
}

/** What a name in an incident directory stands for; undefined where it is none of ours. */
export function parseFileName(name: string): IncidentFileName | undefined {
  const temporary = TEMPORARY.exec(name)
  if (temporary?.[1] !== undefined) return named(name, 'temporary', temporary[1], temporary[2])
  if (name.startsWith('.')) return undefined
  const claim = CLAIM.exec(name)
  if (claim?.[1] !== undefined) return named(name, 'claim', claim[1], claim[2])
  if (name.endsWith(PLAIN_SUFFIX)) return named(name, 'plain', name)
  if (name.endsWith(`${PLAIN_SUFFIX}.gz`)) return named(name, 'gzip', name.slice(0, -'.gz'.length))
  return undefined
}

/** Path of the finished file that belongs to a plain or claimed one. */
export function finishedPath(path: string): string {
  return join(dirname(path), `${plainNameOf(path)}.gz`)
}

/** Path under which `owner` claims a plain or claimed file. */
export function claimPath(path: string, owner: string): string {
  return join(dirname(path), `${plainNameOf(path)}.claim-${owner}`)
}

/**
 * Path under which `owner` writes what will become the finished file.
 * @param nonce 8 hexadecimal digits, so that two threads of one process do not meet
 */
export function temporaryPath(path: string, owner: string, nonce: string): string {
  return join(dirname(path), `.${plainNameOf(path)}.gz.${owner}-${nonce}.tmp`)
}

/** Path of the plain file that a claimed one was before. */
export function plainPath(path: string): string {
  return join(dirname(path), plainNameOf(path))
}

function plainNameOf(path: string): string {
  const name = basename(path)
  return parseFileName(name)?.plainName ?? name
}

function named(name: string, kind: IncidentFileKind, plainName: string, owner?: string): IncidentFileName {
  return { name, kind, plainName, ...fromCanonical(plainName), ...(owner === undefined ? {} : { owner }) }
}

function fromCanonical(plainName: string): { id: string; openedAt: number } | undefined {
  const match = CANONICAL.exec(plainName)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, ms, id] = match
  const openedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`) * 1000
  return id === undefined || Number.isNaN(openedAt) || parseIncidentId(id) === undefined
    ? undefined
    : { id, openedAt }
}
