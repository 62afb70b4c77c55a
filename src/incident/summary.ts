import type { FileHandle } from 'node:fs/promises'
import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES, READ_MEMBER_BYTES, TRAILER_BYTES } from '../base/limits'
import { decodePrefix } from '../codec/decode'
import type { IncidentHeader, IncidentState, IncidentSummary, IncidentTrailer } from './header'
import { BLOCK_HEAD_BYTES, BlockType, blockCrc, findSync, readBlockHead } from './layout'
import { END_MEMBER_BYTES, readMember, startsLikeMember } from './member'
import { memberPlain } from './members'
import { nodeEngine } from './node-engine'
import { IncidentParser } from './parser'
import { headerMissing, openIncidentFile } from './reader'
import { asTrailer } from './shape'

/** The first read, and the one from the end of a compressed file: header and trailer are seldom longer. */
const PEEK_BYTES = 16 * 1024

/**
 * What a list shows of an incident file, from two small reads: the header at the start, the trailer at the end, if there is
 * one. What lies between is not looked at, so a summary says nothing about damage there. A compressed file is `finished`, a
 * plain one `open`, also after its trailer was written: then `closedAt` is there.
 *
 * @throws FlogError FLOG_FILE_MISSING, FLOG_FILE_NOT_INCIDENT, FLOG_FILE_NEWER; FLOG_FILE_CORRUPT or FLOG_FILE_TRUNCATED
 * where there is no readable header
 */
export async function readSummary(path: string): Promise<IncidentSummary> {
  const file = await openIncidentFile(path)
  try {
    return await summaryOfFile(file)
  } finally {
    await file.close()
  }
}

/** {@link readSummary} of a file that is open. */
export async function summaryOfFile(file: FileHandle): Promise<IncidentSummary> {
  const { size } = await file.stat()
  const start = await readStart(file)
  const trailer = start.isGzip
    ? await trailerOfGzip(file, size, start)
    : await trailerOfPlain(file, size, start)
  return summaryOf(start.header, trailer, start.isGzip ? 'finished' : 'open', size)
}

/** @param bytes size of the file */
export function summaryOf(
  header: IncidentHeader,
  trailer: IncidentTrailer | undefined,
  state: IncidentState,
  bytes: number,
): IncidentSummary {
  const { id, incarnation, number, openedAt, trigger, service, version, host, pid, versions } = header
  return {
    ...{ id, incarnation, number, state, openedAt, trigger, service, version, host, pid, versions },
    ...(header.label !== undefined && { label: header.label }),
    ...(trailer !== undefined && {
      closedAt: trailer.closedAt,
      closeReason: trailer.reason,
      events: trailer.events,
    }),
    furtherTriggers:
      trailer === undefined ? 0 : trailer.furtherTriggers.length + trailer.furtherTriggersOmitted,
    bytes,
  }
}

interface FileStart {
  readonly header: IncidentHeader
  readonly sync: Uint8Array
  readonly isGzip: boolean
}

async function readStart(file: FileHandle): Promise<FileStart> {
  const parser = new IncidentParser(nodeEngine)
  let isGzip = false
  for (let at = 0, size = PEEK_BYTES; at < 2 * READ_BLOCK_BYTES; at += size, size = TRAILER_BYTES) {
    const bytes = await readAt(file, at, size)
    if (at === 0) isGzip = startsLikeMember(bytes)
    for (const part of bytes.length === 0 ? parser.end() : parser.push(bytes)) {
      if (part.kind === 'header' && parser.sync !== undefined)
        return { header: part.header, sync: parser.sync, isGzip }
      if (part.kind !== 'damage') throw headerMissing(part)
    }
  }
  throw new FlogError('FLOG_FILE_CORRUPT', 'there is no header at the start of the file')
}

async function trailerOfGzip(
  file: FileHandle,
  size: number,
  start: FileStart,
): Promise<IncidentTrailer | undefined> {
  const from = Math.max(0, size - PEEK_BYTES)
  let bytes = await readAt(file, from, size - from)
  const trailerAt = readMember(bytes, bytes.length - END_MEMBER_BYTES)?.trailerAt
  if (trailerAt === undefined || trailerAt >= size || size - trailerAt > READ_MEMBER_BYTES) return undefined
  if (trailerAt < from) bytes = await readAt(file, trailerAt, size - trailerAt)
  const member = readMember(bytes, bytes.length - (size - trailerAt))
  if (member === undefined) return undefined
  const at = bytes.length - (size - trailerAt)
  const plain = memberPlain(
    nodeEngine,
    bytes.subarray(at, at + member.length),
    member.dataAt,
    READ_BLOCK_BYTES,
  )
  return plain && trailerAtEnd(plain, start.sync)
}

async function trailerOfPlain(
  file: FileHandle,
  size: number,
  start: FileStart,
): Promise<IncidentTrailer | undefined> {
  const from = Math.max(0, size - TRAILER_BYTES)
  return trailerAtEnd(await readAt(file, from, size - from), start.sync)
}

/** The trailer block with which `bytes` end. */
function trailerAtEnd(bytes: Uint8Array, sync: Uint8Array): IncidentTrailer | undefined {
  for (let at = findSync(bytes, sync, 0); at !== -1; at = findSync(bytes, sync, at + 1)) {
    if (bytes.length - at < BLOCK_HEAD_BYTES) return undefined
    const { type, length, crc } = readBlockHead(bytes, at)
    const isLast = at + BLOCK_HEAD_BYTES + length === bytes.length
    if (type === BlockType.trailer && isLast && blockCrc(nodeEngine.crc32, bytes, at, length) === crc) {
      return trailerIn(bytes.subarray(at + BLOCK_HEAD_BYTES))
    }
  }
  return undefined
}

function trailerIn(payload: Uint8Array): IncidentTrailer | undefined {
  try {
    return asTrailer(decodePrefix(payload).value)
  } catch (error) {
    if (FlogError.is(error, 'FLOG_VALUE_MALFORMED')) return undefined
    throw error
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
