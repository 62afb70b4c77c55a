import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../base/errors'
import { DIRECTORY_MAX_BYTES, DIRECTORY_MAX_INCIDENTS } from '../base/limits'
import { unlinkIfThere } from './files'
import { compareIncidentIds, type IncidentFileName, parseFileName } from './name'

/** What a directory may hold. */
export interface Quota {
  /** Bytes of all incident files; default 256 MiB. */
  readonly maxBytes: number
  /** Incidents, open ones included; default 200. */
  readonly maxIncidents: number
}

export const DEFAULT_QUOTA: Quota = { maxBytes: DIRECTORY_MAX_BYTES, maxIncidents: DIRECTORY_MAX_INCIDENTS }

/** An incident that had to go. */
export interface RemovedIncident {
  readonly id: string
  readonly path: string
  readonly bytes: number
}

interface StoredIncident {
  readonly id: string
  readonly openedAt: number
  readonly files: { readonly kind: IncidentFileName['kind']; readonly path: string; readonly bytes: number }[]
}

/**
 * Removes finished incidents, oldest first, until the directory is within its quota. It never removes one that is open,
 * nor the newest finished one, nor a file that was given a name of its own: if these are too much, the directory stays
 * over its quota.
 *
 * Several processes may do this at once: they choose the same incidents, and what another one removed is not counted.
 * @param spared id of an incident that stays, however old it looks: right after the wall clock was set back the newest one
 * looks the oldest
 * @returns what this call removed, oldest first
 * @throws the system's error where the directory cannot be read or a file cannot be removed
 */
export async function enforceQuota(
  directory: string,
  quota: Quota = DEFAULT_QUOTA,
  spared?: string,
): Promise<readonly RemovedIncident[]> {
  const incidents = await storedIncidents(directory)
  let bytes = incidents.reduce((sum, incident) => sum + bytesOf(incident), 0)
  let count = incidents.length
  const removed: RemovedIncident[] = []
  for (const incident of removable(incidents)) {
    if (incident.id === spared) continue
    if (bytes <= quota.maxBytes && count <= quota.maxIncidents) break
    const gone = await removeFinished(incident)
    if (gone !== undefined) removed.push(gone)
    bytes -= bytesOf(incident)
    count--
  }
  return removed
}

async function storedIncidents(directory: string): Promise<StoredIncident[]> {
  const incidents = new Map<string, StoredIncident>()
  for (const name of await readdir(directory)) {
    const file = parseFileName(name)
    if (file?.id === undefined || file.openedAt === undefined || file.kind === 'temporary') continue
    const path = join(directory, name)
    const bytes = await sizeOf(path)
    if (bytes === undefined) continue
    const incident = incidents.get(file.id) ?? { id: file.id, openedAt: file.openedAt, files: [] }
    incident.files.push({ kind: file.kind, path, bytes })
    incidents.set(file.id, incident)
  }
  return [...incidents.values()].sort(byAge)
}

/** The finished ones but the newest, oldest first. */
function removable(incidents: readonly StoredIncident[]): readonly StoredIncident[] {
  return incidents.filter((incident) => incident.files.every((file) => file.kind === 'gzip')).slice(0, -1)
}

async function removeFinished(incident: StoredIncident): Promise<RemovedIncident | undefined> {
  const file = incident.files[0]
  if (file === undefined || !(await unlinkIfThere(file.path))) return undefined
  return { id: incident.id, path: file.path, bytes: file.bytes }
}

function byAge(one: StoredIncident, other: StoredIncident): number {
  return one.openedAt - other.openedAt || compareIncidentIds(one.id, other.id)
}

function bytesOf(incident: StoredIncident): number {
  return incident.files.reduce((sum, file) => sum + file.bytes, 0)
}

/** Undefined for what is gone by now and for what is no regular file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await lstat(path)
    return stats.isFile() ? stats.size : undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
