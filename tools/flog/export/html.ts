import { closeSync, createReadStream, createWriteStream, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { FlogError } from '../../../src/base/errors'
import { headerMissing } from '../../../src/incident/reader'
import { loadPage, selfContainedHtml } from '../../../src/viewer/page-html'
import { firstBytesOf } from '../dump/first-bytes'
import { readParts } from '../dump/source'
import type { Output } from '../output'
import type { Surroundings } from '../verb'
import { type ReadableFile, readableFile } from '../view/readable-file'

/** Of the file at a time; a multiple of three, so that no bytes are left over for the next piece. */
const PIECE_BYTES = 3 * 64 * 1024

/**
 * Writes an incident and the page that shows it as one file. What has no other gzip around it is compressed.
 *
 * The file is read to its end first: what is no incident, or unpacks to more than is allowed, is never put into a page that
 * somebody attaches to a ticket.
 * @param path of an incident file, or of a foreign one that can be read; `-` for standard input
 * @returns true where nothing is missing from the incident
 * @throws what reading the file throws; FlogError FLOG_FILE_CORRUPT or FLOG_FILE_TRUNCATED where nothing can be read of it
 */
export async function exportHtml(path: string, out: Output, io: Surroundings): Promise<boolean> {
  const file = await readableFile(path, io)
  try {
    const { isWhole } = await checked(file.path, io)
    const compressed = await compressedFile(file)
    for (const piece of selfContainedHtml(loadPage(), pieces(compressed))) {
      out.write(piece)
      await out.settle()
    }
    return isWhole && file.isWhole
  } finally {
    await file.remove()
  }
}

async function checked(path: string, io: Surroundings): Promise<{ readonly isWhole: boolean }> {
  let isReadable = false
  for await (const part of await readParts(path, io)) {
    if (part.kind === 'header' || part.kind === 'events') isReadable = true
    if (part.kind !== 'verdict') continue
    if (!isReadable) throw headerMissing(part)
    return { isWhole: part.verdict.state === 'whole' || part.verdict.state === 'open' }
  }
  throw new FlogError('FLOG_FILE_CORRUPT', 'reading the file ended without a verdict')
}

/** The file itself where it is compressed, else a copy that is. */
async function compressedFile(file: ReadableFile): Promise<string> {
  const first = await firstBytesOf(file.path, 2)
  if (first?.[0] === 0x1f && first[1] === 0x8b) return file.path
  const path = join(await file.directory(), 'compressed')
  await pipeline(createReadStream(file.path), createGzip(), createWriteStream(path, { mode: 0o600 }))
  return path
}

function* pieces(path: string): Generator<Uint8Array, void> {
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES)
      const length = readSync(file, piece)
      if (length === 0) return
      yield piece.subarray(0, length)
    }
  } finally {
    closeSync(file)
  }
}
