import { crc32 } from 'node:zlib'
import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES, TRAILER_BYTES } from '../base/limits'
import { encodeValue } from '../codec/value'
import type { IncidentHeader, IncidentTrailer } from './header'
import {
  BLOCK_HEAD_BYTES,
  type BlockMeta,
  BlockType,
  blockCrc,
  CRC_AT,
  EVENTS_AT,
  FIRST_SEQ_AT,
  LAST_SEQ_AT,
  LENGTH_AT,
  padded,
  SYNC_BYTES,
  TYPE_AT,
} from './layout'
import { magicLine } from './magic'

export interface UnsealedBlock extends BlockMeta {
  /** Bytes of payload, before padding. */
  readonly length: number
}

/**
 * Makes a block of a payload that is in place: writes the head before it and pads it with zeros to a multiple of 4.
 * @param buffer holds the payload from `at + 48` on, and has room for 3 bytes more
 * @returns position after the block
 */
export function sealBlock(buffer: Uint8Array, at: number, meta: UnsealedBlock, sync: Uint8Array): number {
  const payload = padded(meta.length)
  const end = at + BLOCK_HEAD_BYTES + payload
  buffer.fill(0, at + BLOCK_HEAD_BYTES + meta.length, end)
  buffer.set(sync, at)
  const view = new DataView(buffer.buffer, buffer.byteOffset + at, BLOCK_HEAD_BYTES)
  view.setUint32(TYPE_AT, meta.type | (meta.flags << 8), true)
  view.setUint32(LENGTH_AT, payload, true)
  view.setUint32(EVENTS_AT, meta.events, true)
  view.setFloat64(FIRST_SEQ_AT, meta.firstSeq, true)
  view.setFloat64(LAST_SEQ_AT, meta.lastSeq, true)
  view.setUint32(CRC_AT, blockCrc(crc32, buffer, at, payload), true)
  return end
}

/**
 * What an incident file starts with: magic line and header block.
 * @param sync 16 random bytes, the file's own
 * @throws FlogError FLOG_WRITE_FAILED where the header is larger than any reader takes
 */
export function openingBytes(header: IncidentHeader, sync: Uint8Array): Uint8Array {
  const magic = magicLine(sync)
  const block = valueBlock(BlockType.header, header, sync)
  const bytes = new Uint8Array(magic.length + block.length)
  bytes.set(magic)
  bytes.set(block, magic.length)
  return bytes
}

/**
 * What an incident file ends with. It is at most 64 KiB long, so that it is found from the end: of very many further
 * triggers the last ones are counted in `furtherTriggersOmitted` instead of listed.
 */
export function trailerBlock(trailer: IncidentTrailer, sync: Uint8Array): Uint8Array {
  let listed = Math.min(trailer.furtherTriggers.length, LISTED_TRIGGERS)
  for (;;) {
    const block = valueBlock(BlockType.trailer, listing(trailer, listed), sync)
    if (block.length <= TRAILER_BYTES) return block
    if (listed === 0) return valueBlock(BlockType.trailer, withoutExtra(trailer), sync)
    listed >>= 1
  }
}

const LISTED_TRIGGERS = 512

function listing(trailer: IncidentTrailer, listed: number): IncidentTrailer {
  const omitted = trailer.furtherTriggers.length - listed
  if (omitted === 0) return trailer
  return {
    ...trailer,
    furtherTriggers: trailer.furtherTriggers.slice(0, listed),
    furtherTriggersOmitted: trailer.furtherTriggersOmitted + omitted,
  }
}

function withoutExtra(trailer: IncidentTrailer): IncidentTrailer {
  const { extra: _, ...rest } = listing(trailer, 0)
  return rest
}

function valueBlock(type: number, value: IncidentHeader | IncidentTrailer, sync: Uint8Array): Uint8Array {
  if (sync.length !== SYNC_BYTES) {
    throw new FlogError('FLOG_OPTION_INVALID', `a sync marker has ${SYNC_BYTES} bytes, got ${sync.length}`)
  }
  const payload = encodeValue(value)
  if (payload.length > READ_BLOCK_BYTES) {
    const message = `a block of ${payload.length} bytes is larger than the ${READ_BLOCK_BYTES} that readers take`
    throw new FlogError('FLOG_WRITE_FAILED', message)
  }
  const block = new Uint8Array(BLOCK_HEAD_BYTES + padded(payload.length))
  block.set(payload, BLOCK_HEAD_BYTES)
  sealBlock(block, 0, { type, length: payload.length, flags: 0, events: 0, firstSeq: 0, lastSeq: 0 }, sync)
  return block
}
