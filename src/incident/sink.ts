import { closeSync, fstatSync, fsync, fsyncSync, readSync, unlinkSync, writeSync } from 'node:fs'
import type { Clock, Timer } from '../base/clock'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { STAGING_BYTES, WRITE_RETRY_MAX_MS, WRITE_RETRY_MS } from '../base/limits'
import type { IncidentDirectory, PlainFile } from './directory'
import { UnwrittenMemory, type UnwrittenPiece } from './unwritten'

export interface SinkOptions {
  readonly directory: IncidentDirectory
  readonly openedAt: number
  readonly id: string
  readonly clock: Clock
  /** Shared with other sinks; default memory of its own. */
  readonly unwritten?: UnwrittenMemory
  /** Told once of a disk that refuses, and again only when it took what waited in between. */
  readonly onTrouble: (error: FlogError) => void
  readonly onRecovered?: () => void
}

/**
 * The plain file of one open incident. What is written has been handed to the system when the call returns; what the disk
 * refuses (full, read-only, gone) stays in memory up to a limit, in order, and is tried again.
 *
 * ```
 *   write ──> nothing waits? ──> write(2) ──> refused ──> waits in memory ──> flush: by a timer, at close, at exit
 * ```
 * A file that somebody removes while it is open is written anew by `flush`, from the descriptor that still leads to it.
 */
export class IncidentSink {
  readonly #options: SinkOptions
  readonly #unwritten: UnwrittenMemory
  #fd: number | undefined
  #path: string | undefined
  /** Of the first one, a part may be in the file already. */
  #waiting: UnwrittenPiece[] = []
  #waitingBytes = 0
  #retry: Timer | undefined
  #retryMs = WRITE_RETRY_MS
  #troubled = false
  #closed = false

  constructor(options: SinkOptions) {
    this.#options = options
    this.#unwritten = options.unwritten ?? new UnwrittenMemory()
  }

  /** Undefined as long as the file could not be made. */
  get path(): string | undefined {
    return this.#path
  }

  /** True when everything that was taken is with the system. */
  get isWritten(): boolean {
    return this.#waiting.length === 0 && this.#fd !== undefined
  }

  /** Whether somebody removed the file while it was written: then only this descriptor still leads to it. */
  get isRemoved(): boolean {
    try {
      return this.#fd !== undefined && fstatSync(this.#fd).nlink === 0
    } catch {
      return false
    }
  }

  /**
   * Takes bytes; they may be changed afterwards.
   * @returns false where they had to be given up, because too much waits already
   */
  write(bytes: Uint8Array): boolean {
    return this.#take(bytes, false)
  }

  /** Takes bytes without which the rest is worth nothing, however much waits already. */
  writeAlways(bytes: Uint8Array): void {
    this.#take(bytes, true)
  }

  /**
   * Asks the system to bring everything to the disk, off this thread, or in it within {@link syncInCall}. Failure is a
   * trouble like any other.
   */
  startSync(): void {
    const fd = this.#fd
    if (fd === undefined || this.#closed) return
    if (syncsInCall) {
      this.syncNow()
      return
    }
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

  /** Tries what waits, now, and brings back a file that was removed. @returns true when all of it is with the system */
  flush(): boolean {
    try {
      if (this.isRemoved) this.#writeAnew()
      this.#writeWaiting()
    } catch (error) {
      this.#refused(error)
      return false
    }
    this.#recovered()
    return this.#fd !== undefined
  }

  /** Lets the file go. Idempotent. @returns what still waits and is lost now, in order */
  close(): readonly UnwrittenPiece[] {
    this.#closed = true
    this.#retry?.cancel()
    this.#retry = undefined
    const lost = this.#waiting
    this.#waiting = []
    this.#unwritten.giveBack(this.#waitingBytes)
    this.#waitingBytes = 0
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) closeQuietly(fd)
    return lost
  }

  #take(bytes: Uint8Array, always: boolean): boolean {
    if (this.#waiting.length > 0) return this.#keep(bytes, 0, always)
    const { written, error } = this.#tryWrite(bytes)
    if (written === bytes.length) return true
    // Half a block in the file needs its other half.
    const kept = this.#keep(bytes, written, always || written > 0)
    // Only now: whoever is told may log, and these bytes come first.
    this.#refused(error)
    return kept
  }

  /** Up to where the system took them: to the end, or to where it refused. */
  #tryWrite(bytes: Uint8Array, from = 0): { readonly written: number; readonly error?: unknown } {
    let written = from
    try {
      const fd = this.#open()
      while (written < bytes.length) {
        try {
          written += writeSync(fd, bytes, written, bytes.length - written)
        } catch (error) {
          if (!PASSING.has(systemCode(error) ?? '')) throw error
        }
      }
      return { written }
    } catch (error) {
      return { written, error }
    }
  }

  #open(): number {
    if (this.#fd === undefined) this.#use(this.#create())
    return this.#fd as number
  }

  #create(): PlainFile {
    return this.#options.directory.createPlainSync(this.#options.openedAt, this.#options.id)
  }

  #use({ fd, path }: PlainFile): void {
    this.#fd = fd
    this.#path = path
  }

  #writeWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { bytes, written: before } = next
      const { written, error } = this.#tryWrite(bytes, before)
      this.#waitingBytes -= written - before
      this.#unwritten.giveBack(written - before)
      if (written < bytes.length) {
        this.#waiting[0] = { bytes, written }
        throw error
      }
      this.#waiting.shift()
    }
  }

  #writeAnew(): void {
    const removed = this.#fd as number
    const file = this.#create()
    try {
      copy(removed, file.fd)
    } catch (error) {
      closeQuietly(file.fd)
      unlinkSync(file.path)
      throw error
    }
    this.#use(file)
    closeQuietly(removed)
  }

  #keep(bytes: Uint8Array, written: number, always: boolean): boolean {
    const length = bytes.length - written
    if (!always && !this.#unwritten.hasRoomFor(length)) return false
    this.#waiting.push({ bytes: Uint8Array.prototype.slice.call(bytes), written })
    this.#waitingBytes += length
    this.#unwritten.take(length)
    return true
  }

  #refused(error: unknown): void {
    this.#retryLater()
    this.#tell(error)
  }

  #retryLater(): void {
    if (this.#retry !== undefined || this.#closed) return
    this.#retry = this.#options.clock.after(this.#retryMs, () => {
      this.#retry = undefined
      this.#retryMs = Math.min(this.#retryMs * 2, WRITE_RETRY_MAX_MS)
      this.flush()
    })
  }

  #recovered(): void {
    if (!this.#troubled) return
    this.#troubled = false
    this.#retryMs = WRITE_RETRY_MS
    this.#options.onRecovered?.()
  }

  #tell(cause: unknown): void {
    if (this.#troubled) return
    this.#troubled = true
    const { id, directory } = this.#options
    const message = `incident ${id} cannot be written to ${directory.path} (${messageOf(cause)}); it is kept in memory and tried again`
    this.#options.onTrouble(new FlogError('FLOG_WRITE_FAILED', message, { cause, details: { id } }))
  }
}

let syncsInCall = false

/**
 * Runs what may begin an incident so that its file waits for the disk in the call and leaves nothing for the event loop: a
 * request under way keeps the process from its end.
 */
export function syncInCall(action: () => void): void {
  const before = syncsInCall
  syncsInCall = true
  try {
    action()
  } finally {
    syncsInCall = before
  }
}

/** Says that nothing was done and asking again will do. */
const PASSING = new Set(['EINTR', 'EAGAIN'])

/** All that one descriptor leads to, from its beginning, appended to another. */
function copy(from: number, to: number): void {
  const buffer = new Uint8Array(STAGING_BYTES)
  for (let position = 0; ; ) {
    const read = readSync(from, buffer, 0, buffer.length, position)
    if (read === 0) return
    for (let done = 0; done < read; ) done += writeSync(to, buffer, done, read - done)
    position += read
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Whatever it reports, the descriptor is gone; fsync has reported what matters.
  }
}
