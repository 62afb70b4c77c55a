import { closeSync, constants, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ERROR_ROW_BYTES, KERNEL_BATCH_ROWS } from '../../base/limits'
import type { ErrorRow } from './event'
import { jsonLine } from './plain'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_WRONLY } = constants
const NEW_LINE = 0x0a

/** What was read, and where in the file it ends. */
interface Read {
  readonly rows: readonly ErrorRow[]
  readonly end: number
}

/**
 * A file of rows that wait for the central error log, one JSON object a line, oldest first.
 *
 * ```
 *   │ acknowledged ┊ waiting …                  ┊ torn │
 *   0            #from                        #size     what a dying process left half-written is cut off when it is opened
 * ```
 * How far it was acknowledged is not written: after a restart all of it is sent again, and the central error log knows by
 * their ids which rows it has. Emptied as soon as nothing waits. All appended rows are fsynced before the call is through.
 * Calls must not overlap, except for {@link appendSync}.
 */
export class Spool {
  readonly #path: string
  readonly #maxBytes: number
  #file: FileHandle | undefined
  #from = 0
  #size = 0

  constructor(path: string, maxBytes: number) {
    this.#path = path
    this.#maxBytes = maxBytes
  }

  get isEmpty(): boolean {
    return this.#from >= this.#size
  }

  /** @throws the system's error, of this and all other methods */
  async open(): Promise<void> {
    if (this.#file !== undefined) return
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const file = await open(this.#path, O_CREAT | O_RDWR | O_NOFOLLOW | O_APPEND, 0o600)
    try {
      const { size } = await file.stat()
      this.#size = await wholeLines(file, size)
      if (this.#size < size) await file.truncate(this.#size)
      this.#file = file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** @returns how many there was room for; the oldest in the file tell how the trouble began, and stay */
  async append(rows: readonly ErrorRow[]): Promise<number> {
    await this.open()
    const kept = fitting(rows, this.#maxBytes - this.#size)
    if (kept.length === 0) return 0
    const bytes = Buffer.from(kept.join(''))
    const { bytesWritten } = await this.#opened.write(bytes)
    // A full disk takes a part: the torn line goes again, so that the next one begins on its own.
    if (bytesWritten < bytes.length) {
      await this.#opened.truncate(this.#size)
      throw Object.assign(new Error('only a part could be written'), { code: 'ENOSPC' })
    }
    await this.#opened.sync()
    this.#size += bytes.length
    return kept.length
  }

  /** For a process that is about to end. */
  appendSync(rows: readonly ErrorRow[]): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    const file = openSync(this.#path, O_CREAT | O_WRONLY | O_NOFOLLOW | O_APPEND, 0o600)
    try {
      const kept = fitting(rows, this.#maxBytes - this.#size)
      const bytes = Buffer.from(kept.join(''))
      const written = writeSync(file, bytes)
      fsyncSync(file)
      this.#size += written
      return kept.length
    } finally {
      closeSync(file)
    }
  }

  /** The oldest rows that wait; lines that are none are passed over. */
  async read(): Promise<Read> {
    await this.open()
    const buffer = Buffer.alloc(Math.min(READ_BYTES, this.#size - this.#from))
    const { bytesRead } = await this.#opened.read(buffer, 0, buffer.length, this.#from)
    const rows: ErrorRow[] = []
    let end = 0
    while (rows.length < KERNEL_BATCH_ROWS) {
      const newLine = buffer.subarray(0, bytesRead).indexOf(NEW_LINE, end)
      if (newLine < 0) break
      const row = parsed(buffer.toString('utf8', end, newLine))
      if (row !== undefined) rows.push(row)
      end = newLine + 1
    }
    // No line of ours is as long as all this.
    return { rows, end: this.#from + (end === 0 ? Math.max(1, bytesRead) : end) }
  }

  /** All before `end` was acknowledged. */
  async discard(end: number): Promise<void> {
    this.#from = end
    if (!this.isEmpty) return
    await this.#opened.truncate(0)
    this.#from = 0
    this.#size = 0
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  get #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the spool is closed')
    return this.#file
  }
}

const READ_BYTES = 4 * ERROR_ROW_BYTES

/** Lines of the first rows that fit into `bytes`. */
function fitting(rows: readonly ErrorRow[], bytes: number): readonly string[] {
  const lines: string[] = []
  let left = bytes
  for (const row of rows) {
    const line = `${jsonLine(row)}\n`
    left -= Buffer.byteLength(line)
    if (left < 0) break
    lines.push(line)
  }
  return lines
}

/** Where the last whole line ends. */
async function wholeLines(file: FileHandle, size: number): Promise<number> {
  const buffer = Buffer.alloc(Math.min(READ_BYTES, size))
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - buffer.length)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    const last = buffer.subarray(0, bytesRead).lastIndexOf(NEW_LINE)
    if (last >= 0) return start + last + 1
    end = start
  }
  return 0
}

function parsed(line: string): ErrorRow | undefined {
  try {
    const row: unknown = JSON.parse(line)
    if (typeof row === 'object' && row !== null && 'id' in row && typeof row.id === 'string')
      return row as ErrorRow
  } catch {
    // Damaged: the others matter as much.
  }
  return undefined
}
