import { dirname, join } from 'node:path'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { incidentFiles, unusable } from './entries'
import type { IncidentSummary } from './header'
import { compareIncidentIds, type IncidentFileName } from './name'
import { readSummary } from './summary'

/** A file of an incident directory, and what its header and trailer say. */
export interface LocatedIncident {
  readonly path: string
  readonly file: IncidentFileName
  readonly summary: IncidentSummary
}

/** A file that is named like an incident and cannot be read as one. */
export interface UnreadableFile {
  readonly path: string
  readonly error: FlogError
}

export interface LocatedFiles {
  /** Oldest first; of one incident the finished file first. */
  readonly located: readonly LocatedIncident[]
  readonly unreadable: readonly UnreadableFile[]
}

/** Files read at once. */
const READERS = 8
/** An incident that is finished while it is being listed changes its name. This often in a row, it is something else. */
const ATTEMPTS = 4
/** The process or the system is out of something. */
const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/** Reads the summaries of all files that readers may see and `filter` lets pass: two small reads a file. */
export async function locateIncidents(
  directory: string,
  filter: (file: IncidentFileName) => boolean = () => true,
): Promise<LocatedFiles> {
  for (let attempt = 1; ; attempt++) {
    const files = (await incidentFiles(directory)).filter((file) => file.kind !== 'temporary' && filter(file))
    const located: LocatedIncident[] = []
    const unreadable: UnreadableFile[] = []
    for (const result of await inParallel(READERS, files, (file) => readFile(directory, file))) {
      if ('summary' in result) located.push(result)
      else unreadable.push(result)
    }
    if (attempt < ATTEMPTS && unreadable.some(({ error }) => error.code === 'FLOG_FILE_MISSING')) continue
    return { located: located.sort(byAge), unreadable: unreadable.filter(isThere) }
  }
}

async function readFile(
  directory: string,
  file: IncidentFileName,
): Promise<LocatedIncident | UnreadableFile> {
  const path = join(directory, file.name)
  try {
    return { path, file, summary: await readSummary(path) }
  } catch (error) {
    return { path, error: asFlogError(path, error) }
  }
}

/** @throws FlogError FLOG_DIRECTORY_UNUSABLE where it is not the file that is to blame: a list must not just leave it out */
function asFlogError(path: string, error: unknown): FlogError {
  if (FlogError.is(error)) return error
  if (EXHAUSTED.has(systemCode(error) ?? '')) throw unusable(dirname(path), error)
  if (systemCode(error) === 'ENOENT') return new FlogError('FLOG_FILE_MISSING', `there is no file ${path}`)
  const message = `the incident file ${path} cannot be read: ${messageOf(error)}`
  return new FlogError('FLOG_FILE_CORRUPT', message, { cause: error, details: { path } })
}

function isThere({ error }: UnreadableFile): boolean {
  return error.code !== 'FLOG_FILE_MISSING'
}

function byAge(one: LocatedIncident, other: LocatedIncident): number {
  return (
    one.summary.openedAt - other.summary.openedAt ||
    compareIncidentIds(one.summary.id, other.summary.id) ||
    Number(other.file.kind === 'gzip') - Number(one.file.kind === 'gzip')
  )
}

async function inParallel<T, R>(
  width: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += width) {
    results.push(...(await Promise.all(items.slice(at, at + width).map(work))))
  }
  return results
}
