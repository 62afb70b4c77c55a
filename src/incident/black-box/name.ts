import { join } from 'node:path'
import { parseIncidentId, timedName } from '../name'

/**
 * File names of black boxes.
 *
 * ```
 * 20261121T203105.123Z-<id>.blackbox.flog                    of a process that runs, or died
 * 20261121T203105.123Z-<id>.blackbox.flog.claim-<owner>      of a dead one, being made an incident by <owner>
 * .20261121T203105.123Z-<id>.blackbox.flog.<owner>-<nonce>.tmp   not yet complete
 * ```
 * The time is that of the start; `<id>` is that of the incident it may become one day.
 */
export interface BlackBoxName {
  readonly name: string
  readonly kind: 'black box' | 'claim' | 'temporary'
  /** Name that it has, had, or will have when nobody is at work on it. */
  readonly plainName: string
  readonly id: string
  /** Owner tag (see `identity.ts`) of a claim or a temporary file. */
  readonly owner?: string
}

const SUFFIX = '.blackbox.flog'
const NAME = /^\d{8}T\d{6}\.\d{3}Z-([0-9a-f]{16}-[1-9][0-9]{0,15})\.blackbox\.flog$/
const CLAIM = /^(.+\.blackbox\.flog)\.claim-([0-9a-z-]+)$/
const TEMPORARY = /^\.(.+\.blackbox\.flog)\.([0-9a-z-]+)-[0-9a-f]{8}\.tmp$/

/**
 * Where the black box of a recorder is.
 * @param startedAt microseconds since the epoch, years 0–9999
 * @throws FlogError FLOG_INCIDENT_UNKNOWN for what is no incident id
 */
export function blackBoxPath(directory: string, startedAt: number, id: string): string {
  return join(directory, `${timedName(startedAt, id)}${SUFFIX}`)
}

/** Path under which `owner` claims a black box. */
export function blackBoxClaimPath(directory: string, { plainName }: BlackBoxName, owner: string): string {
  return join(directory, `${plainName}.claim-${owner}`)
}

/** @param nonce 8 hexadecimal digits */
export function blackBoxTemporaryPath(
  directory: string,
  startedAt: number,
  id: string,
  owner: string,
  nonce: string,
): string {
  return join(directory, `.${timedName(startedAt, id)}${SUFFIX}.${owner}-${nonce}.tmp`)
}

/** What a name stands for; undefined where it is none of a black box. */
export function parseBlackBoxName(name: string): BlackBoxName | undefined {
  const temporary = TEMPORARY.exec(name)
  if (temporary !== null) return named(name, 'temporary', temporary[1], temporary[2])
  const claim = CLAIM.exec(name)
  if (claim !== null) return named(name, 'claim', claim[1], claim[2])
  return named(name, 'black box', name)
}

function named(
  name: string,
  kind: BlackBoxName['kind'],
  plainName = '',
  owner?: string,
): BlackBoxName | undefined {
  const id = NAME.exec(plainName)?.[1]
  if (id === undefined || parseIncidentId(id) === undefined) return undefined
  return { name, kind, plainName, id, ...(owner !== undefined && { owner }) }
}
