import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isFoolscap, MAGIC_BYTES } from '../../../src/foolscap/magic'
import { inOrder } from '../../../src/incident/in-order'
import type { IncidentPart } from '../../../src/incident/parser'
import { peek } from '../../../src/incident/peek'
import { type ReadOptions, readIncident, readIncidentFile } from '../../../src/incident/reader'
import { Problem } from '../failure'
import { readLimit, type Surroundings } from '../verb'
import { firstBytesOf } from './first-bytes'

/**
 * The parts of an incident file; of what comes on standard input for `-`. Logs of Foolscap read as incident files do.
 * @param raw for a copy: with what this version does not know, and in the order of the file
 * @throws Problem for a directory; while it is read, FlogError FLOG_FILE_TOO_LARGE at `maxFileBytes`
 */
export async function readParts(
  path: string,
  io: Surroundings,
  raw = false,
): Promise<AsyncIterable<IncidentPart>> {
  const options = { signal: io.signal, raw, ...readLimit(io) }
  if (path === '-') return readStream(io.streams.stdin, options)
  if (await isDirectory(path))
    throw new Problem(`${path}: it is a directory`, `to see what is in it: flog incidents ${path}`)
  if (await isPipe(path)) return readStream(createReadStream(path), options)
  const first = await firstBytesOf(path, MAGIC_BYTES)
  if (first !== undefined && isFoolscap(first)) return foolscap().readFoolscapFile(path, options)
  return arranged(readIncidentFile(path, options), options)
}

/** What can be read only once. */
async function readStream(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): Promise<AsyncIterable<IncidentPart>> {
  const { first, all } = await peek(source, MAGIC_BYTES)
  return isFoolscap(first.subarray(0, MAGIC_BYTES))
    ? foolscap().readFoolscap(all, options)
    : arranged(readIncident(all, options), options)
}

function arranged(parts: AsyncIterable<IncidentPart>, { raw }: ReadOptions): AsyncIterable<IncidentPart> {
  return raw === true ? parts : inOrder(parts)
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
