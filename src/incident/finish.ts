import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { type Clock, SystemClock } from '../base/clock'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { currentIdentity, ownerTag } from '../base/identity'
import { type Random, randomHex, systemRandom } from '../base/random'
import { CREATE_NEW, openRegular, piecesOf, syncDirectory, syncFile, unlinkIfThere, writeAll } from './files'
import { gzipEnd, gzipMember } from './gzip'
import type { IncidentSummary } from './header'
import { mendPlainFile } from './mend'
import { finishedPath, temporaryPath } from './name'
import { MemberPlanner } from './planner'
import { readSummary } from './summary'
import { verifyIncidentFile } from './verify'

export interface FinishOptions {
  /** Gives up: what was written so far is removed, the plain file stays. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly random?: Random
  /** Permissions of the finished file; default 0600. */
  readonly fileMode?: number
}

export interface FinishedIncident {
  readonly path: string
  readonly summary: IncidentSummary
}

interface Compressed {
  readonly plainBytes: number
  readonly plainSha256: string
}

/**
 * What one slice of work on the event loop should take, and its bytes. A cold compressor takes ten times as long as a warm
 * one, so slices start small and grow. With these, 8 MiB are finished by a fresh process in 0.3 s, and the longest turn of
 * its event loop is 4 to 9 ms; with members of 128 KiB, 1 % smaller, it is 8 to 16 ms.
 */
const SLICE_MS = 1.5
const FIRST_SLICE_BYTES = 4 * 1024
const LAST_SLICE_BYTES = 48 * 1024
/** A slice is at most that much larger than the one before it. */
const SLICE_GROWTH = 1.5
const READ_BYTES = 64 * 1024

/**
 * Makes the finished file of an incident from its plain or claimed one, which has to be closed.
 *
 * ```
 *   plain ──members──> temporary ──gunzip, compare──> fsync ──rename──> finished ──fsync directory──> plain removed
 * ```
 * At every point of it one whole copy is there. A plain file without a trailer is given one first (see `mend.ts`). Where
 * the finished file is there already and is whole, only the plain one is removed.
 *
 * Works in slices of about 1.5 ms with a turn of the event loop after each. After an error the plain file is there as it
 * was, and one can try again.
 * @param path of a plain or claimed file
 * @throws FlogError FLOG_WRITE_FAILED where it cannot be written or does not verify, FLOG_FILE_MISSING, FLOG_ABORTED, and
 * what the reader throws for what is no incident file
 */
export async function finishIncident(path: string, options: FinishOptions = {}): Promise<FinishedIncident> {
  try {
    const target = finishedPath(path)
    if (await isFinished(path, target, options.signal)) await syncFile(target)
    else await compress(path, target, options)
    await syncDirectory(dirname(target))
    await unlinkIfThere(path)
    return { path: target, summary: await readSummary(target) }
  } catch (error) {
    throw explained(path, error, options.signal)
  }
}

/** Left by a process that died before it removed the plain file; a damaged one is made again. */
async function isFinished(path: string, target: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const { id } = await readSummary(target)
    const { verdict } = await verifyIncidentFile(target, {
      events: 'count',
      ...(signal !== undefined && { signal }),
    })
    return verdict.state === 'whole' && id === (await readSummary(path)).id
  } catch (error) {
    if (signal?.aborted === true) throw error
    return false
  }
}

async function compress(path: string, target: string, options: FinishOptions): Promise<void> {
  const { signal, clock = new SystemClock(), random = systemRandom } = options
  const plain = await summaryWithTrailer(path, clock, signal)
  const temporary = temporaryPath(path, ownerTag(currentIdentity()), randomHex(random, 4))
  try {
    const written = await writeCompressed(path, temporary, clock, options)
    await verify(temporary, written, plain, signal)
    await rename(temporary, target)
  } catch (error) {
    await unlinkIfThere(temporary).catch(() => false)
    throw error
  }
}

async function summaryWithTrailer(
  path: string,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<IncidentSummary> {
  const summary = await readSummary(path)
  if (summary.closeReason !== undefined) return summary
  const options = { closedAt: clock.now(), reason: 'adopted' as const }
  await mendPlainFile(path, signal === undefined ? options : { ...options, signal })
  return readSummary(path)
}

async function writeCompressed(
  path: string,
  temporary: string,
  clock: Clock,
  { signal, fileMode = 0o600 }: FinishOptions,
): Promise<Compressed> {
  const source = await openRegular(path)
  try {
    const target = await open(temporary, CREATE_NEW, fileMode)
    try {
      const compressor = new Compressor(target, clock, signal)
      for await (const bytes of piecesOf(source, READ_BYTES)) await compressor.push(bytes)
      const written = await compressor.end()
      await target.sync()
      if ((await source.stat()).size !== written.plainBytes) throw changed(path)
      return written
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** Plain bytes in, members out, as many of the former at a time as take about 1.5 ms. */
class Compressor {
  readonly #target: FileHandle
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  readonly #planner = new MemberPlanner(FIRST_SLICE_BYTES)
  readonly #plainHash: Hash = createHash('sha256')
  #plainBytes = 0
  #position = 0
  #trailerAt = 0

  constructor(target: FileHandle, clock: Clock, signal: AbortSignal | undefined) {
    this.#target = target
    this.#clock = clock
    this.#signal = signal
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#plainHash.update(bytes)
    this.#plainBytes += bytes.length
    await this.#write(this.#planner.push(bytes))
  }

  async end(): Promise<Compressed> {
    await this.#write(this.#planner.end())
    await this.#append(gzipEnd(this.#trailerAt))
    return { plainBytes: this.#plainBytes, plainSha256: this.#plainHash.digest('hex') }
  }

  async #write(members: ReturnType<MemberPlanner['push']>): Promise<void> {
    for (const { plain, isTrailer } of members) {
      this.#signal?.throwIfAborted()
      if (isTrailer) this.#trailerAt = this.#position
      await this.#append(this.#compressed(plain))
      await nextTurn()
    }
  }

  #compressed(plain: Uint8Array): Uint8Array {
    const before = this.#clock.monotonic()
    const member = gzipMember(plain)
    const took = Math.max(0.01, this.#clock.monotonic() - before)
    const affordable = Math.min(SLICE_GROWTH * this.#planner.memberBytes, (plain.length * SLICE_MS) / took)
    if (plain.length >= this.#planner.memberBytes / 2) this.#planner.memberBytes = sliceOf(affordable)
    return member
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#target, bytes, this.#position)
    this.#position += bytes.length
  }
}

/** Decompresses what was written, on the threads of zlib, and compares. */
async function verify(
  temporary: string,
  written: Compressed,
  plain: IncidentSummary,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  const file = await openRegular(temporary)
  try {
    const source = file.createReadStream({ autoClose: false, highWaterMark: READ_BYTES })
    const gunzip = createGunzip({ chunkSize: READ_BYTES })
    const compare = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
      }
    }
    await pipeline(source, gunzip, compare, signal === undefined ? {} : { signal })
  } finally {
    await file.close()
  }
  const { id, events } = await readSummary(temporary)
  const sameText = bytes === written.plainBytes && hash.digest('hex') === written.plainSha256
  if (sameText && id === plain.id && events?.total === plain.events?.total) return
  throw new FlogError('FLOG_WRITE_FAILED', 'the compressed copy is not the same as the plain file')
}

function sliceOf(bytes: number): number {
  return Math.min(LAST_SLICE_BYTES, Math.max(FIRST_SLICE_BYTES, Math.trunc(bytes)))
}

function changed(path: string): FlogError {
  return new FlogError(
    'FLOG_WRITE_FAILED',
    `${path} grew while it was compressed, its process seems to be alive`,
  )
}

function explained(path: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) {
    return new FlogError('FLOG_ABORTED', `finishing ${path} was cancelled`, {
      cause: error,
      details: { path },
    })
  }
  if (FlogError.is(error)) return error
  if (systemCode(error) === 'ENOENT') return new FlogError('FLOG_FILE_MISSING', `there is no file ${path}`)
  const message = `the incident file ${path} cannot be compressed and stays as it is: ${messageOf(error)}`
  return new FlogError('FLOG_WRITE_FAILED', message, { cause: error, details: { path } })
}
