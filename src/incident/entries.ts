import { readdir } from 'node:fs/promises'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { type IncidentFileName, parseFileName } from './name'

/** Regular files of a directory that are named like ours. A directory that is not there has none. */
export async function incidentFiles(directory: string): Promise<readonly IncidentFileName[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isFile() ? (parseFileName(entry.name) ?? []) : []))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw unusable(directory, error)
  }
}

export function unusable(directory: string, cause: unknown): FlogError {
  const message = `the incident directory ${directory} cannot be read: ${messageOf(cause)}`
  return new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { cause, details: { directory } })
}
