import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isFoolscap, MAGIC_BYTES } from '../../../src/foolscap/magic'
import { inOrder } from '../../../src/incident/in-order'
import type { IncidentPart } from '../../../src/incident/parser'
import { type ReadOptions, readIncident, readIncidentFile } from '../../../src/incident/reader'
import { Problem } from '../failure'
import type { Surroundings } from '../verb'
import { firstBytesOf, peek } from './first-bytes'

/**
 * The parts of an incident file; of what comes on standard input for `-`. Logs of Foolscap read as incident files do.
 * @throws Problem for a directory; while it is read, FlogError FLOG_FILE_TOO_LARGE at `maxFileBytes`
 */
export async function readParts(
  path: string,
  { signal, streams, maxFileBytes }: Surroundings,
): Promise<AsyncIterable<IncidentPart>> {
  const options = { signal, ...(maxFileBytes !== undefined && { maxPlainBytes: maxFileBytes }) }
  if (path === '-') return readStream(streams.stdin, options)
  if (await isDirectory(path))
    throw new Problem(`${path}: it is a directory`, `to see what is in it: flog incidents ${path}`)
  if (await isPipe(path)) return readStream(createReadStream(path), options)
  const first = await firstBytesOf(path, MAGIC_BYTES)
  if (first !== undefined && isFoolscap(first)) return foolscap().readFoolscapFile(path, options)
  return inOrder(readIncidentFile(path, options))
}

/** What can be read only once. */
async function readStream(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): Promise<AsyncIterable<IncidentPart>> {
  const { first, all } = await peek(source, MAGIC_BYTES)
  return isFoolscap(first) ? foolscap().readFoolscap(all, options) : inOrder(readIncident(all, options))
}

/** Few files are, and the others should not wait for it. */
function foolscap(): typeof import('../../../src/foolscap/reader') {
  return require('../../../src/foolscap/reader') as typeof import('../../../src/foolscap/reader')
}

async function isPipe(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFIFO(),
    () => false,
  )
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
