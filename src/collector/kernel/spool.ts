import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ERROR_ROW_BYTES, KERNEL_BATCH_ROWS } from '../../base/limits'
import type { ErrorRow } from './event'
import { jsonLine } from './plain'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants
const FLAGS = O_CREAT | O_RDWR | O_NOFOLLOW | O_APPEND
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
 *   │ acknowledged ┊ waiting …                         │
 *   0            #from                               #size
 * ```
 * A line that a dying process left half-written stays, is ended by the next append, and passed over by whoever reads.
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
    this.#file = await open(this.#path, FLAGS, 0o600)
    // Asked for at once: what a crash appends in between would be missed.
    this.#size = fstatSync(this.#file.fd).size
  }

  /** @returns how many there was room for; the oldest in the file tell how the trouble began, and stay */
  async append(rows: readonly ErrorRow[]): Promise<number> {
    await this.open()
    const kept = fitting(rows, this.#maxBytes - this.#size)
    if (kept.length === 0) return 0
    const bytes = bytesOf(kept, this.#opened.fd, this.#size)
    const { bytesWritten } = await this.#opened.write(bytes)
    this.#size += bytesWritten
    // A full disk takes a part.
    if (bytesWritten < bytes.length) throw new Error('only a part could be written')
    await this.#opened.sync()
    return kept.length
  }

  /** For a process that is about to end. */
  appendSync(rows: readonly ErrorRow[]): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    const file = openSync(this.#path, FLAGS, 0o600)
    try {
      const { size } = fstatSync(file)
      const kept = fitting(rows, this.#maxBytes - size)
      this.#size = size + writeSync(file, bytesOf(kept, file, size))
      fsyncSync(file)
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
  discard(end: number): void {
    this.#from = end
    if (!this.isEmpty) return
    // In this call: a crash must not append before what it appends is cut off.
    ftruncateSync(this.#opened.fd, 0)
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

/** The lines, after the end of one that is torn. */
function bytesOf(lines: readonly string[], file: number, size: number): Buffer {
  const last = Buffer.alloc(1)
  const isTorn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEW_LINE
  return Buffer.from((isTorn ? '\n' : '') + lines.join(''))
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
