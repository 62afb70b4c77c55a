import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { syncDirectory } from '../incident/files'
import type { FetchOffer } from './protocol'

const MODE = 0o600
const DIRECTORY_MODE = 0o700
const READ_BYTES = 1024 * 1024
/** `<id>.<representation>.<size>.<sha256>.part`: all that it takes to go on with it. */
const PART = /^([0-9a-f]{16}-\d{1,16})\.(gzip|open)\.(\d{1,15})\.([0-9a-f]{64})\.part$/

/** What is there of a file that was being fetched, as the publisher wants to hear it. */
export interface Partial extends FetchOffer {
  readonly offset: number
}

interface Begun {
  readonly file: FileHandle
  /** Of the bytes that are there. */
  readonly hash: Hash
  readonly received: number
}

/**
 * A file on its way: written as a part with a name of its own, checked, fsynced, and only then renamed.
 *
 * Two processes that fetch the same file write the same bytes to the same places of one part, which does no
 * harm.
 */
export class Download {
  readonly #directory: string
  readonly #id: string
  readonly #path: string
  readonly #offer: FetchOffer
  readonly #file: FileHandle
  readonly #hash: Hash
  #received: number

  private constructor(at: { directory: string; id: string; path: string }, offer: FetchOffer, begun: Begun) {
    this.#directory = at.directory
    this.#id = at.id
    this.#path = at.path
    this.#offer = offer
    this.#file = begun.file
    this.#hash = begun.hash
    this.#received = begun.received
  }

  /** The part of an incident that an earlier fetch left, the longest one. */
  static async findPartial(directory: string, id: string): Promise<Partial | undefined> {
    const names = await readdir(directory).catch(() => [])
    let best: Partial | undefined
    for (const name of names) {
      const [, of, representation, size, sha256] = PART.exec(name) ?? []
      if (of !== id || sha256 === undefined) continue
      const { size: offset } = await stat(join(directory, name)).catch(() => ({ size: 0 }))
      if (offset <= Number(size) && offset > (best?.offset ?? 0)) {
        best = {
          representation: representation === 'gzip' ? 'gzip' : 'open',
          size: Number(size),
          sha256,
          offset,
        }
      }
    }
    return best
  }

  /** The path of a file that is here already with just these bytes. */
  static async findWhole(directory: string, name: string, offer: FetchOffer): Promise<string | undefined> {
    const path = join(directory, name)
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        if ((await file.stat()).size !== offer.size) return undefined
        const hash = await hashStart(file, offer.size)
        return hash.digest('hex') === offer.sha256 ? path : undefined
      } finally {
        await file.close()
      }
    } catch {
      return undefined
    }
  }

  /**
   * Goes on with the part at `offset`, or begins one.
   * @throws FlogError FLOG_FETCH_FAILED
   */
  static async start(directory: string, id: string, offer: FetchOffer, offset: number): Promise<Download> {
    const path = join(directory, `${id}.${offer.representation}.${offer.size}.${offer.sha256}.part`)
    try {
      await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
      const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, MODE)
      try {
        const hash = await hashStart(file, offset)
        return new Download({ directory, id, path }, offer, { file, hash, received: offset })
      } catch (error) {
        await file.close()
        throw error
      }
    } catch (error) {
      throw failed(path, error)
    }
  }

  get received(): number {
    return this.#received
  }

  /** @throws FlogError FLOG_FETCH_FAILED */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#received + at)
        at += bytesWritten
      }
    } catch (error) {
      throw failed(this.#path, error)
    }
    this.#hash.update(bytes)
    this.#received += bytes.length
  }

  /**
   * Checks what came and gives the file its name.
   * @returns its path
   * @throws FlogError FLOG_FETCH_MISMATCH, and the part is gone; FLOG_FETCH_FAILED
   */
  async finish(name: string): Promise<string> {
    const path = join(this.#directory, name)
    try {
      if (this.#received !== this.#offer.size || this.#hash.digest('hex') !== this.#offer.sha256) {
        await unlinkIfThere(this.#path)
        throw new FlogError(
          'FLOG_FETCH_MISMATCH',
          `what was fetched for ${name} does not have the checksum announced`,
        )
      }
      await this.#file.truncate(this.#offer.size)
      await this.#file.sync()
      await rename(this.#path, path)
      if (this.#offer.representation === 'gzip') await this.#removeOtherParts()
      await syncDirectory(this.#directory)
      return path
    } catch (error) {
      if (FlogError.is(error)) throw error
      // Somebody else fetched the same and was first
      if (systemCode(error) === 'ENOENT' && (await Download.findWhole(this.#directory, name, this.#offer)))
        return path
      throw failed(path, error)
    }
  }

  /** The finished file takes the place of whatever else was begun. */
  async #removeOtherParts(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (PART.exec(name)?.[1] === this.#id) await unlinkIfThere(join(this.#directory, name))
    }
  }

  /** The part stays, unless it was given its name. */
  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function hashStart(file: FileHandle, length: number): Promise<Hash> {
  const hash = createHash('sha256')
  const buffer = new Uint8Array(Math.min(READ_BYTES, length))
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - at), at)
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  return hash
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

function failed(path: string, error: unknown): FlogError {
  return new FlogError('FLOG_FETCH_FAILED', `${path} cannot be written: ${messageOf(error)}`, {
    cause: error,
    details: { path },
  })
}
