import type { FileHandle } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES } from '../base/limits'
import type { LogEvent } from '../event/event'
import { sealBlock, trailerBlock } from './block'
import { openRegular, writeAll } from './files'
import type { CloseReason, IncidentTrailer } from './header'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType, isSync, padded, readBlockHead } from './layout'
import { putRecord, recordBytes, recordsOf } from './records'
import { decoded, furtherTrigger, type Survey, surveyPlainFile } from './survey'

export interface MendOptions {
  /** Microseconds since the epoch. */
  readonly closedAt: number
  readonly reason: CloseReason
  readonly signal?: AbortSignal
}

/** Events of a cut block, as a block of their own. */
interface RescuedBlock {
  readonly bytes: Uint8Array
  readonly events: readonly LogEvent[]
  readonly flags: number
}

const NOTHING: RescuedBlock = { bytes: new Uint8Array(0), events: [], flags: 0 }
/** Events decoded between two turns of the event loop. */
const EVENTS_PER_TURN = 100

/**
 * Gives a plain file that its process could not finish the trailer that it lacks, and makes it durable.
 *
 * ```
 *   before   │ magic │ header │ events │ events (cut
 *   after    │ magic │ header │ events │ events │ trailer │
 *                                        whole ones of the cut block
 * ```
 * The last block of events is written over the cut one, whose first bytes are the same: a process that dies over this
 * leaves a file that can be mended again. Damage elsewhere in the file stays as it is, for a reader to tell of.
 * @returns false for a file that has a trailer
 * @throws FlogError FLOG_FILE_CORRUPT for a file without a readable header; what the reader throws; the system's errors
 */
export async function mendPlainFile(path: string, options: MendOptions): Promise<boolean> {
  const survey = await surveyPlainFile(path, options.signal)
  const { sync } = survey
  if (survey.hasTrailer) return false
  if (sync === undefined || !survey.hasHeader) {
    throw new FlogError(
      'FLOG_FILE_CORRUPT',
      `the header of ${path} is damaged, nothing can be appended to it`,
    )
  }
  const file = await openRegular(path, 'read and write')
  try {
    const rescued = await rescue(file, survey, sync)
    const trailer = trailerBlock(trailerOf(survey, rescued, options), sync)
    await replaceTail(file, survey.end, rescued.bytes, trailer)
  } finally {
    await file.close()
  }
  return true
}

async function rescue(file: FileHandle, { end, size }: Survey, sync: Uint8Array): Promise<RescuedBlock> {
  const length = size - end
  if (length < BLOCK_HEAD_BYTES || length > READ_BLOCK_BYTES + BLOCK_HEAD_BYTES) return NOTHING
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, end)
  if (bytesRead < length || !isSync(buffer, 0, sync)) return NOTHING
  const { type, flags } = readBlockHead(buffer, 0)
  return type === BlockType.events ? resealed(buffer.subarray(BLOCK_HEAD_BYTES), flags, sync) : NOTHING
}

async function resealed(payload: Uint8Array, flags: number, sync: Uint8Array): Promise<RescuedBlock> {
  const bytes = new Uint8Array(BLOCK_HEAD_BYTES + padded(payload.length))
  const events: LogEvent[] = []
  let at = BLOCK_HEAD_BYTES
  for (const record of recordsOf(payload)) {
    const event = decoded(record)
    if (event === undefined || at + recordBytes(record.length) > bytes.length) break
    events.push(event)
    at = putRecord(bytes, at, record)
    if (events.length % EVENTS_PER_TURN === 0) await nextTurn()
  }
  if (events.length === 0) return NOTHING
  const meta = { type: BlockType.events, flags, events: events.length, length: at - BLOCK_HEAD_BYTES }
  sealBlock(bytes, 0, { ...meta, ...seqRange(events) }, sync)
  return { bytes: bytes.subarray(0, at), events, flags }
}

function seqRange(events: readonly LogEvent[]): { firstSeq: number; lastSeq: number } {
  let firstSeq = Number.POSITIVE_INFINITY
  let lastSeq = Number.NEGATIVE_INFINITY
  for (const { seq } of events) {
    firstSeq = Math.min(firstSeq, seq)
    lastSeq = Math.max(lastSeq, seq)
  }
  return { firstSeq, lastSeq }
}

function trailerOf(survey: Survey, rescued: RescuedBlock, options: MendOptions): IncidentTrailer {
  const further = (rescued.flags & BlockFlag.further) === 0 ? [] : rescued.events.map(furtherTrigger)
  const total = survey.total + rescued.events.length
  const history = survey.history ?? total
  return {
    closedAt: options.closedAt,
    reason: options.reason,
    events: { total, history, after: total - history },
    furtherTriggers: [...survey.furtherTriggers, ...further],
    furtherTriggersOmitted: survey.furtherTriggersOmitted,
    lost: 0,
  }
}

async function replaceTail(file: FileHandle, end: number, ...blocks: readonly Uint8Array[]): Promise<void> {
  let at = end
  for (const block of blocks) {
    await writeAll(file, block, at)
    at += block.length
  }
  await file.truncate(at)
  await file.sync()
}
