import { closeSync, fstatSync, fsync, fsyncSync, writeSync } from 'node:fs'
import type { Clock, Timer } from '../base/clock'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { UNWRITTEN_BYTES, WRITE_RETRY_MAX_MS, WRITE_RETRY_MS } from '../base/limits'
import type { IncidentDirectory } from './directory'

export interface SinkOptions {
  readonly directory: IncidentDirectory
  readonly openedAt: number
  readonly id: string
  readonly clock: Clock
  /** Told once of a disk that refuses, and once when it takes what waited. */
  readonly onTrouble: (error: FlogError) => void
  readonly onRecovered?: () => void
}

/**
 * The plain file of one open incident. What is written has been handed to the system when the call returns; what the disk
 * refuses (full, read-only, gone) stays in memory up to a limit, in order, and is tried again.
 *
 * ```
 *   write ──> nothing waits? ──> write(2) ──> refused ──> wait in memory ──> retry timer, next write, close
 * ```
 */
export class IncidentSink {
  readonly #options: SinkOptions
  #fd: number | undefined
  #path: string | undefined
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #retry: Timer | undefined
  #retryMs = WRITE_RETRY_MS
  #troubled = false
  #closed = false

  constructor(options: SinkOptions) {
    this.#options = options
  }

  /** Undefined as long as the file could not be made. */
  get path(): string | undefined {
    return this.#path
  }

  /** True when everything that was taken is with the system. */
  get isWritten(): boolean {
    return this.#waiting.length === 0 && this.#fd !== undefined
  }

  /**
   * Takes bytes; they may be changed afterwards.
   * @returns false where they had to be given up, because too much waits already
   */
  write(bytes: Uint8Array): boolean {
    if (this.#waiting.length === 0) {
      const written = this.#tryWrite(bytes)
      if (written === bytes.length) return true
      return this.#keep(bytes.subarray(written))
    }
    return this.#keep(bytes)
  }

  /** Asks the system to bring everything to the disk, off this thread. Failure is a trouble like any other. */
  startSync(): void {
    const fd = this.#fd
    if (fd === undefined || this.#closed) return
    fsync(fd, (error) => {
      if (error !== null && systemCode(error) !== 'EBADF') this.#tell(error)
    })
  }

  /** The same in this thread, before the call returns. */
  syncNow(): void {
    try {
      if (this.#fd !== undefined) fsyncSync(this.#fd)
    } catch (error) {
      this.#tell(error)
    }
  }

  /** Tries what waits, now. @returns true when nothing waits any more */
  flush(): boolean {
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0] as Uint8Array
      const written = this.#tryWrite(next)
      this.#waitingBytes -= written
      if (written < next.length) {
        this.#waiting[0] = next.subarray(written)
        return false
      }
      this.#waiting.shift()
    }
    if (this.#troubled) {
      this.#troubled = false
      this.#options.onRecovered?.()
    }
    return this.#fd !== undefined
  }

  /** Whether somebody removed the file while it was written: then only this descriptor still leads to it. */
  get isRemoved(): boolean {
    try {
      return this.#fd !== undefined && fstatSync(this.#fd).nlink === 0
    } catch {
      return false
    }
  }

  /** Lets the file go. What still waits is lost. Idempotent. */
  close(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#retry = undefined
    this.#waiting = []
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) closeQuietly(fd)
  }

  /** Bytes that the system took: all of them, or up to where it refused. */
  #tryWrite(bytes: Uint8Array): number {
    let written = 0
    try {
      const fd = this.#open()
      while (written < bytes.length) {
        try {
          written += writeSync(fd, bytes, written, bytes.length - written)
        } catch (error) {
          if (!PASSING.has(systemCode(error) ?? '')) throw error
        }
      }
    } catch (error) {
      this.#tell(error)
      this.#retryLater()
    }
    return written
  }

  #open(): number {
    if (this.#fd === undefined) {
      const file = this.#options.directory.createPlainSync(this.#options.openedAt, this.#options.id)
      this.#fd = file.fd
      this.#path = file.path
    }
    return this.#fd
  }

  #keep(bytes: Uint8Array): boolean {
    if (this.#waitingBytes + bytes.length > UNWRITTEN_BYTES) return false
    this.#waiting.push(Uint8Array.prototype.slice.call(bytes))
    this.#waitingBytes += bytes.length
    return true
  }

  #retryLater(): void {
    if (this.#retry !== undefined || this.#closed) return
    this.#retry = this.#options.clock.after(this.#retryMs, () => {
      this.#retry = undefined
      this.#retryMs = Math.min(this.#retryMs * 2, WRITE_RETRY_MAX_MS)
      this.flush()
    })
  }

  #tell(cause: unknown): void {
    if (this.#troubled) return
    this.#troubled = true
    const { id, directory } = this.#options
    const message = `incident ${id} cannot be written to ${directory.path} (${messageOf(cause)}); it is kept in memory and tried again`
    this.#options.onTrouble(new FlogError('FLOG_WRITE_FAILED', message, { cause, details: { id } }))
  }
}

/** Says that nothing was done and asking again will do. */
const PASSING = new Set(['EINTR', 'EAGAIN'])

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Whatever it reports, the descriptor is gone; fsync has reported what matters.
  }
}
