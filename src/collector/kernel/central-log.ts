import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isoMicros, SystemClock } from '../../base/clock'
import { FlogError, messageOf, systemCode } from '../../base/errors'
import {
  ERROR_LOG_BYTES,
  ERROR_LOG_IDS,
  ERROR_LOG_IDS_OF_ALL,
  ERROR_LOG_ROWS,
  ERROR_ROW_BYTES,
  KERNEL_SPOOL_BYTES,
} from '../../base/kernel-limits'
import { type Random, randomHex, systemRandom } from '../../base/random'
import { type ErrorRow, KINDS, LEVELS } from './event'
import { fingerprintOf } from './fingerprint'
import { type Metrics, MetricsTable, safely } from './metrics'
import { jsonLine, Plainer } from './plain'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_RDONLY } = constants
const CENTRAL_PART = 'kernel.central'
const FILE = 'error.log'
const ASIDE = 'error.log.1'
const SHOWN_CHARS = 500
const NAME_CHARS = 150

export interface CentralLogOptions {
  /** `<directory>/<node>/error.log` is written; made with mode 0700, the files 0600. */
  readonly directory: string
  /** Size at which a node's log is put aside, as `error.log.1`; default 64 MiB. */
  readonly maxBytes?: number
  /**
   * Ids of rows that are remembered, lest a row be written twice; default 600,000. Those of the nodes that were quiet for the
   * longest time are forgotten, and read from their logs when they send again.
   */
  readonly maxIds?: number
  readonly metrics?: Metrics
  readonly clock?: Clock
  readonly random?: Random
}

/** What is known of one node. */
interface Node {
  /** Ids of rows that are in its log, oldest first. */
  readonly ids: Set<string>
  isRead: boolean
  /** Writes that are not through. */
  writing: number
  /** One write after the other. */
  last: Promise<unknown>
}

/** The central error log: writes what nodes forward, each node's into a file of its own, durably, and each row once. */
export class CentralLog {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #maxIds: number
  readonly #metrics: Metrics
  readonly #clock: Clock
  readonly #random: Random
  readonly #plainer = new Plainer()
  /** The one that sent last is the last. */
  readonly #nodes = new Map<string, Node>()

  constructor(options: CentralLogOptions) {
    this.#directory = options.directory
    this.#maxBytes = options.maxBytes ?? ERROR_LOG_BYTES
    this.#maxIds = options.maxIds ?? ERROR_LOG_IDS_OF_ALL
    this.#metrics = safely(options.metrics ?? new MetricsTable())
    this.#clock = options.clock ?? new SystemClock()
    this.#random = options.random ?? systemRandom
  }

  /**
   * Takes what a node sent. What cannot be read becomes a row that says so; it has no id, so nothing is acknowledged for it.
   * @param from the node, as whoever authenticated it knows it: what its rows say does not count
   * @param sent rows, or text or bytes with one row of JSON a line
   * @returns the ids of the rows that are on the disk now, those that were there before among them
   * @throws FlogError FLOG_KERNEL_LOG_UNUSABLE; nothing is acknowledged then
   */
  async accept(from: string, sent: string | Uint8Array | readonly unknown[]): Promise<readonly string[]> {
    const node = this.#nodeOf(from)
    const rows = this.#rowsOf(from, sent)
    const written = node.last.then(() => this.#write(from, node, rows.all))
    node.last = written.catch(() => undefined)
    node.writing++
    try {
      await written
    } finally {
      node.writing--
      this.#forget()
    }
    return rows.sent.map(({ id }) => id)
  }

  #nodeOf(from: string): Node {
    const known = this.#nodes.get(from)
    const node = known ?? { ids: new Set(), isRead: false, writing: 0, last: Promise.resolve() }
    this.#nodes.delete(from)
    this.#nodes.set(from, node)
    return node
  }

  #forget(): void {
    let count = 0
    for (const { ids } of this.#nodes.values()) count += ids.size
    for (const [from, { ids, writing }] of this.#nodes) {
      if (count <= this.#maxIds) return
      if (writing > 0) continue
      this.#nodes.delete(from)
      count -= ids.size
    }
  }

  #rowsOf(
    from: string,
    sent: string | Uint8Array | readonly unknown[],
  ): { readonly all: readonly ErrorRow[]; readonly sent: readonly ErrorRow[] } {
    const given = typeof sent === 'string' || sent instanceof Uint8Array ? linesOf(sent) : sent
    const good: ErrorRow[] = []
    const all = given.slice(0, ERROR_LOG_ROWS).map((one) => {
      const row = rowFrom(one, from)
      if (row !== undefined) good.push(row)
      return row ?? this.#malformed(from, one)
    })
    return { all, sent: good }
  }

  #malformed(from: string, given: unknown): ErrorRow {
    const shown = typeof given === 'string' ? given : JSON.stringify(this.#plainer.value(given))
    const error = {
      ...{ name: 'FlogError', code: 'FLOG_KERNEL_MALFORMED', message: 'malformed json from a node' },
      received: this.#plainer.text(shown, SHOWN_CHARS),
    }
    return {
      ...{ id: randomHex(this.#random, 8), node: from, part: CENTRAL_PART, kind: 'error', level: 'warning' },
      ...{ time: isoMicros(this.#clock.now()), repeat: 1, message: error.message, error },
      fingerprint: fingerprintOf(CENTRAL_PART, error.message, error),
    }
  }

  async #write(from: string, node: Node, rows: readonly ErrorRow[]): Promise<void> {
    const directory = join(this.#directory, nodeDirectory(from))
    try {
      const file = await this.#open(directory)
      try {
        const { size } = await file.stat()
        if (!node.isRead) await this.#readIds(directory, file, node)
        const fresh = rows.filter(({ id }) => !node.ids.has(id))
        if (fresh.length === 0) return
        const start = (await endsWithin(file, size)) ? '\n' : ''
        const lines = [...new Map(fresh.map((row) => [row.id, row])).values()].map(
          (row) => `${jsonLine(row)}\n`,
        )
        await append(file, start + lines.join(''), size)
        if (size === 0) for (const path of [directory, this.#directory]) await syncDirectory(path)
        for (const { id } of fresh) remember(node.ids, id)
        this.#metrics.add('kernel_received_total', {}, lines.length)
      } finally {
        await file.close()
      }
    } catch (cause) {
      throw new FlogError('FLOG_KERNEL_LOG_UNUSABLE', `${directory} cannot be written: ${messageOf(cause)}`, {
        cause,
        details: { directory },
      })
    }
  }

  /** The node's log; one that is full is put aside first. */
  async #open(directory: string): Promise<FileHandle> {
    const path = join(directory, FILE)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = await open(path, O_CREAT | O_RDWR | O_APPEND | O_NOFOLLOW, 0o600)
    if ((await file.stat()).size < this.#maxBytes) return file
    await file.close()
    await rename(path, join(directory, ASIDE))
    return open(path, O_CREAT | O_RDWR | O_APPEND | O_NOFOLLOW, 0o600)
  }

  /** After a restart nodes may send again what is in their logs, and in those that were put aside. */
  async #readIds(directory: string, file: FileHandle, node: Node): Promise<void> {
    const last = await lastBytes(file, READ_BYTES)
    const aside =
      last.length < READ_BYTES ? await asideBytes(join(directory, ASIDE), READ_BYTES - last.length) : ''
    for (const line of `${aside}\n${last}`.split('\n')) {
      const id = /^\{"id":"([\w-]{1,100})"/.exec(line)?.[1]
      if (id !== undefined) remember(node.ids, id)
    }
    node.isRead = true
  }
}

/** Bytes of a log that are looked through for ids: twice what the spool of a node can send again. */
const READ_BYTES = 2 * KERNEL_SPOOL_BYTES

async function asideBytes(path: string, bytes: number): Promise<string> {
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW)
    return await lastBytes(file, bytes).finally(() => file.close())
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}

async function lastBytes(file: FileHandle, bytes: number): Promise<string> {
  const { size } = await file.stat()
  const buffer = Buffer.alloc(Math.min(size, bytes))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length)
  return buffer.toString('latin1', 0, bytesRead)
}

/** A node's name as one part of a path: never empty, hidden, a way up, or of another directory. */
export function nodeDirectory(node: string): string {
  const safe = node.replace(/[^A-Za-z0-9._-]|^\./gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  )
  if (safe.length <= NAME_CHARS) return safe === '' ? '%' : safe
  return `${safe.slice(0, NAME_CHARS)}%${fingerprintOf(node, '', undefined)}`
}

function linesOf(sent: string | Uint8Array): readonly unknown[] {
  const text = typeof sent === 'string' ? sent : Buffer.from(sent).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        return line.length > ERROR_ROW_BYTES ? line : (JSON.parse(line) as unknown)
      } catch {
        return line
      }
    })
}

/** The row, of known fields only; undefined for what is none. */
function rowFrom(given: unknown, node: string): ErrorRow | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const row = given as Partial<Record<keyof ErrorRow, unknown>>
  const { id, part, kind, level, time, lastTime, repeat, message, fingerprint, error, work, action, reason } =
    row
  const texts = [id, part, kind, level, time, message, fingerprint]
  const isRow =
    texts.every((text) => typeof text === 'string') &&
    /^[\w-]{1,100}$/.test(String(id)) &&
    KINDS.some((one) => one === kind) &&
    LEVELS.some((one) => one === level) &&
    Number.isInteger(repeat) &&
    isSmall(given)
  if (!isRow) return undefined
  // The id first: it is looked for at the beginning of a line.
  const known = {
    id,
    node,
    part,
    kind,
    level,
    time,
    lastTime,
    repeat,
    message,
    fingerprint,
    error,
    work,
    action,
    reason,
  }
  return known as ErrorRow
}

function isSmall(given: object): boolean {
  try {
    return JSON.stringify(given).length <= ERROR_ROW_BYTES
  } catch {
    return false
  }
}

function remember(ids: Set<string>, id: string): void {
  ids.delete(id)
  ids.add(id)
  const oldest = ids.keys().next()
  if (ids.size > ERROR_LOG_IDS && oldest.done !== true) ids.delete(oldest.value)
}

/** All or nothing: a part of it, without an answer, would be written twice. */
async function append(file: FileHandle, text: string, size: number): Promise<void> {
  try {
    await file.appendFile(text)
    await file.sync()
  } catch (error) {
    await file.truncate(size).catch(() => undefined)
    throw error
  }
}

/** Whether the file ends within a line: one that was torn when the machine went down. It stays, and ends. */
async function endsWithin(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return bytesRead === 1 && buffer[0] !== 0x0a
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, O_RDONLY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
