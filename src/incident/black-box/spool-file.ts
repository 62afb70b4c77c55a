import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { systemCode } from '../../base/errors'
import type { IncidentDirectory } from '../directory'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants

/** Areas begin at the start of a page and are whole pages long, so none shares one with another. */
const PAGE_BYTES = 4 * 1024

/**
 * The file of a black box, open for writing. It is made under a temporary name and gets its own when it is complete, so
 * nobody ever sees half of one; in its place a rename puts it also where an older one of the same process was left.
 */
export class SpoolFile {
  readonly #fd: number
  #path: string
  #bytes = 0
  /** For each page whether anything was written there. */
  #written = new Uint8Array(1024)

  /** @throws the system's error, or FLOG_DIRECTORY_UNUSABLE */
  constructor(directory: IncidentDirectory, temporary: string) {
    this.#path = temporary
    this.#fd = created(directory, temporary)
  }

  get path(): string {
    return this.#path
  }

  /** Whether its name still leads to it: somebody may have removed or moved it, or the directory. */
  get isInPlace(): boolean {
    try {
      const found = lstatSync(this.#path)
      const own = fstatSync(this.#fd)
      return own.ino === found.ino && own.dev === found.dev
    } catch {
      return false
    }
  }

  /** @throws the system's error; then any part of the bytes may have been written */
  write(bytes: Uint8Array, position: number): void {
    this.#note(position, position + bytes.length)
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done)
      } catch (error) {
        if (!PASSING.has(systemCode(error) ?? '')) throw error
      }
    }
  }

  /** Makes it that long, where it is shorter; what was not written takes no room. @throws the system's error */
  lengthen(bytes: number): void {
    if (bytes <= this.#bytes) return
    ftruncateSync(this.#fd, bytes)
    this.#bytes = bytes
  }

  /** Writes zeros over what was written of the pages from `start` to `end`. @throws like {@link write} */
  clear(start: number, end: number): void {
    const last = Math.ceil(end / PAGE_BYTES)
    for (let page = Math.floor(start / PAGE_BYTES); page < last; page++)
      if (this.#written[page] === 1) this.write(ZEROS, page * PAGE_BYTES)
  }

  moveTo(path: string): void {
    renameSync(this.#path, path)
    this.#path = path
  }

  /** Lets it go; never throws. */
  close(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // Whatever it reports, the descriptor is gone.
    }
  }

  /** Lets it go and removes it, unless something else has its name by now; never throws. */
  remove(): void {
    try {
      if (this.isInPlace) unlinkSync(this.#path)
    } catch {
      // Who removes directories, or made this one read-only, will have to see to what is left in it.
    }
    this.close()
  }

  #note(start: number, end: number): void {
    const last = Math.ceil(end / PAGE_BYTES)
    if (last > this.#written.length) {
      const longer = new Uint8Array(2 ** Math.ceil(Math.log2(last)))
      longer.set(this.#written)
      this.#written = longer
    }
    this.#written.fill(1, Math.floor(start / PAGE_BYTES), last)
  }
}

const ZEROS = new Uint8Array(PAGE_BYTES)

/** Says that nothing was done and asking again will do. */
const PASSING = new Set(['EINTR', 'EAGAIN'])

function created(directory: IncidentDirectory, path: string): number {
  const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR
  try {
    return openSync(path, flags, directory.fileMode)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    directory.ensureSync()
    return openSync(path, flags, directory.fileMode)
  }
}
