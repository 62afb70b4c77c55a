import type { FileHandle } from 'node:fs/promises'
import { FlogError, systemCode } from '../../base/errors'
import { BLACK_BOX_BYTES, RING_MAX_BYTES, RING_MIN_BYTES } from '../../base/limits'
import { openRegular } from '../files'
import { type AreaLabel, type BlackBoxHeader, decodeArea, decodeHead } from './head'
import { RingImage } from './image'
import { AREA_HEAD_BYTES, AREAS_AT, HEAD_BYTES, SUPERBLOCK_AT, SUPERBLOCK_BYTES } from './layout'
import { decodeSuperblock, type RingMark, type Superblock } from './superblock'

/** What the beginning of a black box says. */
export interface BlackBoxState {
  readonly header: BlackBoxHeader
  /** Absent where the process died before it wrote one. */
  readonly superblock?: Superblock
}

export interface BlackBoxContents extends BlackBoxState {
  readonly images: readonly RingImage[]
  /** Rings of which the file has no readable part. */
  readonly unreadable: number
}

const READ_BYTES = 1024 * 1024

/**
 * Reads what a black box says of itself.
 * @throws FlogError FLOG_FILE_MISSING; FLOG_FILE_TRUNCATED, FLOG_FILE_CORRUPT, FLOG_FILE_NEWER, FLOG_FILE_NOT_INCIDENT
 */
export async function readBlackBoxState(path: string): Promise<BlackBoxState> {
  return withFile(path, (file) => stateOf(file, path))
}

/**
 * Reads a whole black box into memory.
 * @throws FlogError like {@link readBlackBoxState}; FLOG_FILE_TOO_LARGE where its rings take more than 1 GiB; FLOG_ABORTED
 */
export async function readBlackBox(path: string, signal?: AbortSignal): Promise<BlackBoxContents> {
  return withFile(path, async (file) => {
    const state = await stateOf(file, path)
    const marks = state.superblock?.rings ?? []
    const { size } = await file.stat()
    const sound = marks.filter((mark) => isSound(mark, size))
    if (sound.reduce((sum, { capacity }) => sum + capacity * 4, 0) > BLACK_BOX_BYTES) throw tooLarge(path)
    const images: RingImage[] = []
    for (const mark of sound) {
      signal?.throwIfAborted()
      images.push(await imageOf(file, mark))
    }
    return { ...state, images, unreadable: marks.length - images.length }
  })
}

async function stateOf(file: FileHandle, path: string): Promise<BlackBoxState> {
  const start = await bytesAt(file, 0, AREAS_AT)
  const header = decodeHead(start.subarray(0, HEAD_BYTES), path)
  const slots = SUPERBLOCK_AT.map((at) => start.subarray(at, at + SUPERBLOCK_BYTES))
  const [one, other] = slots.map(decodeSuperblock)
  const superblock = (one?.generation ?? 0) > (other?.generation ?? 0) ? one : (other ?? one)
  if (superblock !== undefined) return { header, superblock }
  if (slots.every((slot) => slot.every((byte) => byte === 0))) return { header }
  const message = `the black box ${path} is damaged: nothing tells where its events are`
  throw new FlogError('FLOG_FILE_CORRUPT', message, { details: { path } })
}

/** Any part of its area must be there; what is cut off reads as zeros, which are no frames. */
function isSound({ capacity, offset }: RingMark, size: number): boolean {
  return (
    capacity * 4 >= RING_MIN_BYTES &&
    capacity * 4 <= RING_MAX_BYTES &&
    Number.isInteger(Math.log2(capacity)) &&
    Number.isSafeInteger(offset) &&
    offset >= AREAS_AT &&
    offset + AREA_HEAD_BYTES < size
  )
}

async function imageOf(file: FileHandle, mark: RingMark): Promise<RingImage> {
  const label = decodeArea(await bytesAt(file, mark.offset, AREA_HEAD_BYTES)) ?? UNKNOWN
  const image = new RingImage(label, mark)
  const start = mark.offset + AREA_HEAD_BYTES
  for (let at = 0; at < image.bytes.length; at += READ_BYTES) {
    const piece = await bytesAt(file, start + at, Math.min(READ_BYTES, image.bytes.length - at))
    if (piece.length === 0) break
    image.bytes.set(piece, at)
  }
  return image
}

const UNKNOWN: AreaLabel = { severity: 'unknown', facility: '', thread: 0 }

/** Fewer only at the end of the file. */
async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

async function withFile<T>(path: string, action: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await openRegular(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new FlogError('FLOG_FILE_MISSING', `there is no file ${path}`, { cause: error })
  })
  try {
    return await action(file)
  } finally {
    await file.close()
  }
}

function tooLarge(path: string): FlogError {
  const message = `the rings of the black box ${path} take more than ${BLACK_BOX_BYTES} bytes`
  return new FlogError('FLOG_FILE_TOO_LARGE', message, { details: { path } })
}
