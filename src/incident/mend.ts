import type { FileHandle } from 'node:fs/promises'
import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES } from '../base/limits'
import { decodeEvent } from '../codec/decode'
import type { LogEvent } from '../event/event'
import { trailerBlock, sealBlock } from './block'
import type { Verdict } from './damage'
import { openRegular, writeAll } from './files'
import type { CloseReason, FurtherTrigger, IncidentTrailer } from './header'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType, isSync, padded, readBlockHead } from './layout'
import { readIncidentFile } from './reader'
import { putRecord, recordBytes, recordsOf } from './records'

/**
 * Gives a plain file that its process could not finish the trailer that it lacks.
 *
 * A block that was cut by the end is made whole again from the events that are whole in it. It is written over the cut
 * one, whose first bytes are the same: a process that dies over this leaves a file that can be mended again. Damage
 * elsewhere in the file stays as it is, for a reader to tell of.
 */
export interface MendOptions {
  /** Microseconds since the epoch. */
  readonly closedAt: number
  readonly reason: CloseReason
  readonly signal?: AbortSignal
}

/** What a plain file holds, as far as a trailer has to say it. */
interface Contents {
  readonly total: number
  /** Events up to and including the trigger; absent where the file ends before it. */
  readonly history?: number
  readonly furtherTriggers: readonly FurtherTrigger[]
  readonly furtherTriggersOmitted: number
  readonly verdict: Verdict
}

/** Events of a cut block, as a block of their own. */
interface RescuedBlock {
  readonly bytes: Uint8Array
  readonly events: readonly LogEvent[]
  readonly flags: number
}

const LISTED_TRIGGERS = 512
const NOTHING: RescuedBlock = { bytes: new Uint8Array(0), events: [], flags: 0 }

/**
 * Appends a trailer to a plain file that has none, and makes it durable.
 * @returns true where it had none
 * @throws FlogError FLOG_FILE_CORRUPT for a file without a readable header; what the reader throws; the system's errors
 */
export async function mendPlainFile(path: string, options: MendOptions): Promise<boolean> {
  const contents = await surveyed(path, options.signal)
  const { verdict } = contents
  if (verdict.hasTrailer) return false
  if (verdict.sync === undefined || !verdict.hasHeader) {
    throw new FlogError('FLOG_FILE_CORRUPT', `the header of ${path} is damaged, nothing can be appended to it`)
  }
  const file = await openRegular(path, 'read and write')
  try {
    const { size } = await file.stat()
    const end = endOfWhole(verdict, size)
    const rescued = await rescue(file, end, size, verdict.sync)
    const trailer = trailerBlock(trailerOf(contents, rescued, options), verdict.sync)
    await replaceTail(file, end, rescued.bytes, trailer)
  } finally {
    await file.close()
  }
  return true
}

async function surveyed(path: string, signal: AbortSignal | undefined): Promise<Contents> {
  let total = 0
  let history: number | undefined
  let omitted = 0
  const furtherTriggers: FurtherTrigger[] = []
  for await (const part of readIncidentFile(path, signal === undefined ? {} : { signal })) {
    if (part.kind === 'verdict') {
      const verdict = part.verdict
      const counts = history === undefined ? { total } : { total, history }
      return { ...counts, furtherTriggers, furtherTriggersOmitted: omitted, verdict }
    }
    if (part.kind !== 'events') continue
    for (const { event, mark } of part.events) {
      total++
      if (mark === 'trigger') history = total
      if (mark !== 'further') continue
      if (furtherTriggers.length < LISTED_TRIGGERS) furtherTriggers.push(furtherTrigger(event))
      else omitted++
    }
  }
  throw new FlogError('FLOG_FILE_CORRUPT', `reading ${path} ended without a verdict`)
}

/** Where a cut block begins, or the end of the file. */
function endOfWhole(verdict: Verdict, size: number): number {
  const cut = verdict.damage.find(({ what, layer }) => what === 'truncated' && layer === 'plain')
  return Math.min(cut?.offset ?? size, size)
}

async function rescue(file: FileHandle, from: number, to: number, sync: Uint8Array): Promise<RescuedBlock> {
  if (to - from < BLOCK_HEAD_BYTES || to - from > READ_BLOCK_BYTES + BLOCK_HEAD_BYTES) return NOTHING
  const { buffer, bytesRead } = await file.read(new Uint8Array(to - from), 0, to - from, from)
  if (bytesRead < to - from || !isSync(buffer, 0, sync)) return NOTHING
  const head = readBlockHead(buffer, 0)
  return head.type === BlockType.events ? resealed(buffer.subarray(BLOCK_HEAD_BYTES), head.flags, sync) : NOTHING
}

function resealed(payload: Uint8Array, flags: number, sync: Uint8Array): RescuedBlock {
  const bytes = new Uint8Array(BLOCK_HEAD_BYTES + padded(payload.length))
  const events: LogEvent[] = []
  let at = BLOCK_HEAD_BYTES
  for (const record of recordsOf(payload)) {
    const event = decoded(record)
    if (event === undefined || at + recordBytes(record.length) > bytes.length) break
    events.push(event)
    at = putRecord(bytes, at, record)
  }
  if (events.length === 0) return NOTHING
  const seqs = events.map(({ seq }) => seq)
  const meta = { type: BlockType.events, flags, events: events.length, length: at - BLOCK_HEAD_BYTES }
  sealBlock(bytes, 0, { ...meta, firstSeq: Math.min(...seqs), lastSeq: Math.max(...seqs) }, sync)
  return { bytes: bytes.subarray(0, at), events, flags }
}

function decoded(record: Uint8Array): LogEvent | undefined {
  try {
    return decodeEvent(record)
  } catch {
    return undefined
  }
}

function trailerOf(contents: Contents, rescued: RescuedBlock, options: MendOptions): IncidentTrailer {
  const further = (rescued.flags & BlockFlag.further) !== 0 ? rescued.events.map(furtherTrigger) : []
  const total = contents.total + rescued.events.length
  const history = contents.history ?? total
  return {
    closedAt: options.closedAt,
    reason: options.reason,
    events: { total, history, after: total - history },
    furtherTriggers: [...contents.furtherTriggers, ...further],
    furtherTriggersOmitted: contents.furtherTriggersOmitted,
    lost: 0,
  }
}

function furtherTrigger({ seq, time, message }: LogEvent): FurtherTrigger {
  return { seq, time, kind: 'event', reason: message, fingerprint: '' }
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
