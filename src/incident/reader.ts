import { type FileHandle, open } from 'node:fs/promises'
import { FlogError, systemCode } from '../base/errors'
import type { IncidentHeader } from './header'
import { nodeEngine } from './node-engine'
import { IncidentParser, type IncidentPart, type ParserOptions } from './parser'
import { Unpacked } from './repacked'

export interface ReadOptions extends ParserOptions {
  readonly signal?: AbortSignal
}

/** Bytes per read: some tens of turns of the event loop for an ordinary file, none of them long. */
const CHUNK_BYTES = 64 * 1024

/**
 * Reads an incident file, plain or compressed, whole or damaged, part by part. Memory stays bounded, whatever the file's
 * size and contents. The file is closed when the reading ends, also early.
 *
 * ```ts
 * for await (const part of readIncidentFile(path)) {
 *   if (part.kind === 'events') for (const { event, mark } of part.events) …
 * }
 * ```
 * @throws FlogError FLOG_FILE_MISSING; FLOG_FILE_NOT_INCIDENT, FLOG_FILE_NEWER, FLOG_FILE_TOO_LARGE; FLOG_ABORTED
 */
export async function* readIncidentFile(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<IncidentPart, void> {
  const file = await openIncidentFile(path)
  try {
    yield* readIncident(chunksOf(file), options)
  } finally {
    await file.close()
  }
}

/** Reads an incident file from anything that gives its bytes in order. Throws like {@link readIncidentFile}. */
export async function* readIncident(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): AsyncGenerator<IncidentPart, void> {
  const parser = new IncidentParser(nodeEngine, options)
  const bytes = new Unpacked(source)
  try {
    for await (const chunk of bytes) {
      if (options.signal?.aborted === true)
        throw new FlogError('FLOG_ABORTED', 'reading the incident was cancelled')
      yield* parser.push(chunk)
    }
    yield* parser.end(bytes.damage)
  } catch (error) {
    throw bytes.explain(error)
  }
}

/**
 * The header of an incident file; reads no further than it must.
 * @throws FlogError like {@link readIncidentFile}, and FLOG_FILE_CORRUPT or FLOG_FILE_TRUNCATED where there is no header
 */
export async function readHeader(path: string): Promise<IncidentHeader> {
  for await (const part of readIncidentFile(path)) {
    if (part.kind === 'header') return part.header
    if (part.kind !== 'damage') throw headerMissing(part)
  }
  throw new FlogError('FLOG_FILE_CORRUPT', `reading ${path} ended without a verdict`)
}

/** @param found the part that came where the header should have been */
export function headerMissing(found: IncidentPart): FlogError {
  const isCut = found.kind === 'verdict' && found.verdict.state === 'truncated'
  const why = isCut ? 'the file ends before the end of its header' : 'the header is damaged'
  const code = isCut ? 'FLOG_FILE_TRUNCATED' : 'FLOG_FILE_CORRUPT'
  return new FlogError(code, `${why}; \`flog dump\` shows what can be read nevertheless`)
}

/**
 * Opens a file for reading.
 * @throws FlogError FLOG_FILE_MISSING; FLOG_FILE_NOT_INCIDENT for a directory; the system's error otherwise
 */
export async function openIncidentFile(path: string): Promise<FileHandle> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new FlogError('FLOG_FILE_MISSING', `there is no file ${path}`, { cause: error })
  })
  try {
    if (!(await file.stat()).isDirectory()) return file
    throw new FlogError('FLOG_FILE_NOT_INCIDENT', `not an incident file: ${path} is a directory`)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The bytes of a file, or of a pipe, from its start to its present end. Each piece is the caller's. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}
