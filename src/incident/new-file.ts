import { type FileHandle, link, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { currentIdentity, ownerTag } from '../base/identity'
import { type Random, randomHex, systemRandom } from '../base/random'
import { CREATE_NEW, syncDirectory, unlinkIfThere, writeAll } from './files'
import { gzipEnd, gzipMember } from './gzip'
import { temporaryPath } from './name'
import { MemberPlanner, type PlannedMember } from './planner'

export interface NewFileOptions {
  /** Whether a file that is there already is replaced; default false. */
  readonly overwrite?: boolean
  /** Permissions; default 0600. */
  readonly fileMode?: number
  readonly random?: Random
}

/**
 * A file that appears under its name when it is complete, or not at all: written under a temporary name beside it, brought to
 * the disk, and renamed. What is written are the plain bytes; under a name that ends in `.gz` they are compressed as a finished
 * incident is (FORMAT.md, "Compressed file").
 */
export class NewFile {
  readonly path: string
  /** Where it is until {@link commit}. */
  readonly temporary: string
  readonly #file: FileHandle
  readonly #overwrite: boolean
  readonly #planner: MemberPlanner | undefined
  #position = 0
  #trailerAt = 0

  private constructor(path: string, temporary: string, file: FileHandle, overwrite: boolean) {
    this.path = path
    this.temporary = temporary
    this.#file = file
    this.#overwrite = overwrite
    this.#planner = path.endsWith('.gz') ? new MemberPlanner() : undefined
  }

  /** @throws FlogError FLOG_WRITE_FAILED */
  static async create(path: string, options: NewFileOptions = {}): Promise<NewFile> {
    const { overwrite = false, fileMode = 0o600, random = systemRandom } = options
    const temporary = temporaryPath(path, ownerTag(currentIdentity()), randomHex(random, 4))
    try {
      const file = await open(temporary, CREATE_NEW, fileMode)
      // What the process's umask took away, where a file is replaced that had more.
      await file.chmod(fileMode)
      return new NewFile(path, temporary, file, overwrite)
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  /** Appends plain bytes, which may be changed afterwards. @throws FlogError FLOG_WRITE_FAILED */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#planner === undefined) await this.#append(bytes)
      else await this.#compress(this.#planner.push(bytes))
    } catch (error) {
      throw unwritable(this.path, error)
    }
  }

  /** Nothing more comes: brings it to the disk, still under its temporary name. @throws FlogError FLOG_WRITE_FAILED */
  async end(): Promise<void> {
    try {
      if (this.#planner !== undefined) {
        await this.#compress(this.#planner.end())
        await this.#append(gzipEnd(this.#trailerAt))
      }
      await this.#file.sync()
      await this.#file.close()
    } catch (error) {
      throw unwritable(this.path, error)
    }
  }

  /** Gives it its name. @throws FlogError FLOG_WRITE_FAILED, also where there is a file that is not to be replaced */
  async commit(): Promise<void> {
    try {
      if (this.#overwrite) await rename(this.temporary, this.path)
      else {
        // Unlike a rename, a link never takes the place of something.
        await link(this.temporary, this.path)
        await unlinkIfThere(this.temporary)
      }
      await syncDirectory(dirname(this.path))
    } catch (error) {
      throw unwritable(this.path, error)
    }
  }

  /** Leaves nothing behind. Does nothing after {@link commit}. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    await unlinkIfThere(this.temporary).catch(() => false)
  }

  async #compress(members: Iterable<PlannedMember>): Promise<void> {
    for (const { plain, isTrailer } of members) {
      if (isTrailer) this.#trailerAt = this.#position
      await this.#append(gzipMember(plain))
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes, this.#position)
    this.#position += bytes.length
  }
}

function unwritable(path: string, error: unknown): FlogError {
  const why = REASONS.get(systemCode(error) ?? '') ?? messageOf(error)
  return new FlogError('FLOG_WRITE_FAILED', `${path} cannot be written: ${why}`, {
    cause: error,
    details: { path },
  })
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EEXIST', 'there is a file of that name already'],
  ['ENOENT', 'there is no such directory'],
  ['ENOTDIR', 'there is no such directory'],
  ['EACCES', 'permission denied'],
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the file system is read-only'],
])
