import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const NEW_LINE = 0x0a

/** Where a row is. */
export interface Place {
  readonly segment: Segment
  readonly offset: number
  readonly bytes: number
}

/** A line, and where it is. Without its end when the file ends in it. */
interface PlacedLine {
  readonly text: string
  readonly place: Place
  readonly isWhole: boolean
}

/** One file of a spool. All of its methods throw the system's error. */
export class Segment {
  readonly path: string
  /** Rows in it that wait. */
  live = 0
  #size: number
  #file: number | undefined
  /** The line at the end could be neither written whole nor taken back. */
  #isTorn = false

  /** Of an earlier process: it is read, and removed. */
  constructor(path: string, size: number, file?: number) {
    this.path = path
    this.#size = size
    this.#file = file
  }

  static create(path: string): Segment {
    return new Segment(path, 0, openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_NOFOLLOW, 0o600))
  }

  get size(): number {
    return this.#size
  }

  /** All or nothing. With the system when it returns, so that it survives the process. */
  append(line: string): Place {
    const file = this.#opened
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line)
    const offset = this.#size
    const written = writeSync(file, bytes)
    this.#size += written
    // A full disk takes a part.
    if (written < bytes.length) {
      this.#takeBack(file, offset)
      throw new Error('there is no room for all of it')
    }
    const start = this.#isTorn ? 1 : 0
    this.#isTorn = false
    return { segment: this, offset: offset + start, bytes: bytes.length - start }
  }

  /** For power that fails. Over a descriptor of its own: the other one may be closed meanwhile. */
  async sync(): Promise<void> {
    if (this.#size === 0) return
    const file = await open(this.path, O_RDONLY | O_NOFOLLOW)
    await file.datasync().finally(() => file.close())
  }

  syncSync(): void {
    if (this.#file !== undefined && this.#size > 0) fdatasyncSync(this.#file)
  }

  /** Nothing in it is wanted any more. */
  empty(): void {
    if (this.#size === 0) return
    ftruncateSync(this.#opened, 0)
    this.#size = 0
    this.#isTorn = false
  }

  close(): void {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) closeSync(file)
  }

  remove(): void {
    this.close()
    rmSync(this.path, { force: true })
  }

  lines(): readonly PlacedLine[] {
    const bytes = this.#bytes()
    const lines: PlacedLine[] = []
    for (let offset = 0; offset < bytes.length; ) {
      const newLine = bytes.indexOf(NEW_LINE, offset)
      const end = newLine < 0 ? bytes.length : newLine
      const place = { segment: this, offset, bytes: end + 1 - offset }
      lines.push({ text: bytes.toString('utf8', offset, end), place, isWhole: newLine >= 0 })
      offset = end + 1
    }
    return lines
  }

  /** The lines at these places, which are in this segment. */
  async read(places: readonly Place[]): Promise<readonly string[]> {
    const file = await open(this.path, O_RDONLY | O_NOFOLLOW)
    try {
      const lines: string[] = []
      for (const { offset, bytes } of places) {
        const buffer = Buffer.alloc(bytes)
        const { bytesRead } = await file.read(buffer, 0, bytes, offset)
        lines.push(buffer.toString('utf8', 0, bytesRead))
      }
      return lines
    } finally {
      await file.close()
    }
  }

  #bytes(): Buffer {
    const file = openSync(this.path, O_RDONLY | O_NOFOLLOW)
    try {
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  }

  #takeBack(file: number, size: number): void {
    try {
      ftruncateSync(file, size)
      this.#size = size
    } catch {
      this.#isTorn = true
    }
  }

  get #opened(): number {
    if (this.#file === undefined) throw new Error('the segment is closed')
    return this.#file
  }
}
