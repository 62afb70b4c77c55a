import { readdir } from 'node:fs/promises'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { type BlackBoxName, parseBlackBoxName } from './black-box/name'
import { type IncidentFileName, parseFileName } from './name'

/** Regular files of a directory that are named like ours. A directory that is not there has none. */
export async function incidentFiles(directory: string): Promise<readonly IncidentFileName[]> {
  return filesNamed(directory, parseFileName)
}

/** The same of black boxes, which are no incidents yet. */
export async function blackBoxFiles(directory: string): Promise<readonly BlackBoxName[]> {
  return filesNamed(directory, parseBlackBoxName)
}

async function filesNamed<T>(
  directory: string,
  parse: (name: string) => T | undefined,
): Promise<readonly T[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isFile() ? (parse(entry.name) ?? []) : []))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw unusable(directory, error)
  }
}

export function unusable(directory: string, cause: unknown): FlogError {
  const message = `the incident directory ${directory} cannot be read: ${messageOf(cause)}`
  return new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { cause, details: { directory } })
}
