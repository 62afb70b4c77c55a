import { constants, mkdirSync, openSync, statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { FlogError, invalidOption, messageOf, systemCode } from '../base/errors'
import { DIRECTORY_MAX_BYTES, DIRECTORY_MAX_INCIDENTS } from '../base/limits'
import type { IncidentSummary } from './header'
import type { LocatedIncident, UnreadableFile } from './listing'
import { type IncidentFileName, parseIncidentId, plainFileName, type Representation } from './name'
import type { Quota, RemovedIncident } from './quota'
import type { IncidentWatch, WatchOptions } from './watch'

export interface IncidentDirectoryOptions {
  readonly path: string
  /** Permissions of the files that are made here; default 0600: logs hold what not everybody should read. */
  readonly fileMode?: number
  /** Permissions of the directory, where it is made here; default 0700. */
  readonly directoryMode?: number
  /** What the directory may hold; default 256 MiB and 200 incidents. */
  readonly quota?: Partial<Quota>
  /** Told once of what does not stop the work and should be known. Must not throw. */
  readonly onWarning?: (warning: FlogError) => void
}

/** The file of a new incident, still empty. */
export interface PlainFile {
  /** Open for appending and reading; the caller closes it. */
  readonly fd: number
  readonly path: string
}

export interface IncidentListing {
  /** Oldest first; each incident once. */
  readonly incidents: readonly IncidentSummary[]
  readonly unreadable: readonly UnreadableFile[]
}

/** One representation of an incident, held open: it can be read to its end even when it is removed meanwhile. */
export interface IncidentFile {
  readonly id: string
  readonly representation: Representation
  /** Microseconds since the epoch. */
  readonly openedAt: number
  /** Bytes at the time of opening; an open incident may grow beyond. */
  readonly size: number
  /** Up to `length` bytes from `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>
  /** Idempotent. */
  close(): Promise<void>
}

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
/** Readable as well: the file may be removed while it is open, and is then written anew from its descriptor. */
const NEW_PLAIN =
  constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_RDWR | constants.O_APPEND

/**
 * A directory of incident files. It keeps nothing in memory: the files are the truth, and several processes may use one
 * directory at once.
 */
export class IncidentDirectory {
  readonly path: string
  readonly fileMode: number
  readonly quota: Quota
  readonly #directoryMode: number
  readonly #onWarning: (warning: FlogError) => void
  #warned = false

  /** @throws FlogError FLOG_OPTION_INVALID */
  constructor(options: IncidentDirectoryOptions) {
    if (typeof options.path !== 'string' || options.path === '') {
      throw invalidOption('directory', 'the path of a directory', options.path)
    }
    this.path = options.path
    this.fileMode = options.fileMode ?? FILE_MODE
    this.quota = { maxBytes: DIRECTORY_MAX_BYTES, maxIncidents: DIRECTORY_MAX_INCIDENTS, ...options.quota }
    this.#directoryMode = options.directoryMode ?? DIRECTORY_MODE
    this.#onWarning = options.onWarning ?? (() => {})
  }

  /**
   * Makes the directory where it is missing, and warns once of one in which everybody may write.
   * @throws FlogError FLOG_DIRECTORY_UNUSABLE
   */
  ensureSync(): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: this.#directoryMode })
      if ((statSync(this.path).mode & constants.S_IWOTH) !== 0) this.#warnOfEverybody()
    } catch (error) {
      throw this.#unusable('cannot be made', error)
    }
  }

  /**
   * Makes the empty file of a new incident, and the directory again if somebody removed it.
   * @param openedAt microseconds since the epoch
   * @throws FlogError FLOG_DIRECTORY_UNUSABLE, also where something of that name is there already
   */
  createPlainSync(openedAt: number, id: string): PlainFile {
    const name = plainFileName(openedAt, id)
    const path = join(this.path, name)
    try {
      return { fd: this.#createSync(path), path }
    } catch (error) {
      throw FlogError.is(error) ? error : this.#unusable(`takes no file ${name}`, error)
    }
  }

  /**
   * What the directory holds, oldest first. A directory that is not there holds nothing.
   * @throws FlogError FLOG_DIRECTORY_UNUSABLE where it cannot be read
   */
  async list(): Promise<readonly IncidentSummary[]> {
    return (await this.scan()).incidents
  }

  /** As {@link list}, together with the files that it has to leave out. */
  async scan(): Promise<IncidentListing> {
    const { located, unreadable } = await listing().locateIncidents(this.path)
    const incidents = new Map<string, IncidentSummary>()
    for (const { summary } of located) if (!incidents.has(summary.id)) incidents.set(summary.id, summary)
    return { incidents: [...incidents.values()], unreadable }
  }

  /** The incident with that id, or undefined; any text may be asked for. */
  async find(id: string): Promise<IncidentSummary | undefined> {
    return (await this.locate(id))[0]?.summary
  }

  /** The files of one incident, the finished one first. Their names usually tell which; their headers decide. */
  async locate(id: string): Promise<readonly LocatedIncident[]> {
    if (parseIncidentId(id) === undefined) return []
    const named = await listing().locateIncidents(this.path, (file) => file.id === id)
    const found = named.located.filter(({ summary }) => summary.id === id)
    if (found.length > 0) return found
    const others = await listing().locateIncidents(this.path, (file) => file.id !== id)
    return others.located.filter(({ summary }) => summary.id === id)
  }

  /**
   * Opens one representation of an incident. Ids are looked up, never made part of a path.
   * @throws FlogError FLOG_INCIDENT_UNKNOWN where there is no such incident, or not in that representation
   */
  async open(id: string, representation: Representation): Promise<IncidentFile> {
    const files = await this.locate(id)
    const wanted = files.find(({ file }) => (file.kind === 'gzip') === (representation === 'gzip'))
    if (wanted === undefined) throw unknownIncident(id, representation, files[0])
    try {
      return await heldOpen(wanted.summary, representation, await fileCalls().openRegular(wanted.path))
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? unknownIncident(id, representation) : error
    }
  }

  /**
   * Removes a finished incident.
   * @returns false where there was none to remove
   * @throws FlogError FLOG_INCIDENT_OPEN while it is open
   */
  async remove(id: string): Promise<boolean> {
    const files = await this.locate(id)
    if (files.some(({ file }) => file.kind !== 'gzip')) {
      throw new FlogError('FLOG_INCIDENT_OPEN', `incident ${id} is open, remove it when it is finished`)
    }
    let removed = false
    for (const { path } of files) removed = (await fileCalls().unlinkIfThere(path)) || removed
    if (removed) await fileCalls().syncDirectory(this.path)
    return removed
  }

  /** Removes the oldest finished incidents but the `spared` one until the directory is within its quota; see `quota.ts`. */
  async enforceQuota(spared?: string): Promise<readonly RemovedIncident[]> {
    const quota = require('./quota') as typeof import('./quota')
    return quota.enforceQuota(this.path, this.quota, spared)
  }

  /** Tells of incidents that are opened, closed and removed; see `watch.ts`. */
  watch(options: WatchOptions = {}): IncidentWatch {
    const watch = require('./watch') as typeof import('./watch')
    return new watch.IncidentWatch(this, options)
  }

  /** The files of all kinds that are named like ours, temporary ones included, in no order. */
  async files(): Promise<readonly IncidentFileName[]> {
    const entries = require('./entries') as typeof import('./entries')
    return entries.incidentFiles(this.path)
  }

  #createSync(path: string): number {
    const flags = NEW_PLAIN
    try {
      return openSync(path, flags, this.fileMode)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      this.ensureSync()
      return openSync(path, flags, this.fileMode)
    }
  }

  #warnOfEverybody(): void {
    if (this.#warned) return
    this.#warned = true
    const message = `everybody may write in the incident directory ${this.path}; make it yours with chmod 700`
    this.#onWarning(new FlogError('FLOG_DIRECTORY_EXPOSED', message, { details: { directory: this.path } }))
  }

  #unusable(what: string, cause: unknown): FlogError {
    const message = `the incident directory ${this.path} ${what}: ${messageOf(cause)}`
    return new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { cause, details: { directory: this.path } })
  }
}

/** What reads incidents is loaded when somebody looks into the directory: an app that only records never does. */
function fileCalls(): typeof import('./files') {
  return require('./files') as typeof import('./files')
}

function listing(): typeof import('./listing') {
  return require('./listing') as typeof import('./listing')
}

async function heldOpen(
  { id, openedAt }: IncidentSummary,
  representation: Representation,
  handle: FileHandle,
): Promise<IncidentFile> {
  const { size } = await handle.stat()
  let closing: Promise<void> | undefined
  return {
    id,
    representation,
    openedAt,
    size,
    async read(position, length) {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    },
    close() {
      closing ??= handle.close()
      return closing
    },
  }
}

function unknownIncident(id: string, representation: Representation, other?: LocatedIncident): FlogError {
  const shown = parseIncidentId(id) === undefined ? 'with that id' : id
  const message =
    other === undefined
      ? `there is no incident ${shown} here, list the incidents to see what there is`
      : `incident ${shown} is ${representation === 'gzip' ? 'not finished yet' : 'finished, ask for the finished file'}`
  return new FlogError('FLOG_INCIDENT_UNKNOWN', message, { details: { representation } })
}
