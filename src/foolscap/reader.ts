import type { FileHandle } from 'node:fs/promises'
import { FlogError } from '../base/errors'
import { fingerprintOf } from '../incident/fingerprint'
import type { IncidentPart } from '../incident/parser'
import { openIncidentFile } from '../incident/reader'
import { type FoolscapOptions, FoolscapParser } from './parser'

export interface ReadFoolscapOptions extends FoolscapOptions {
  readonly signal?: AbortSignal
}

const CHUNK_BYTES = 64 * 1024

/**
 * Reads a flogfile of Foolscap, plain or `.bz2`, whole or damaged, as if it were an incident file. Memory stays bounded,
 * whatever the file's size and contents. The file is closed when the reading ends, also early.
 *
 * A log that is no incident has a header too, with a trigger of kind `manual` that stands for its start; `extra.foolscap`
 * is the type that the file calls itself.
 * @throws FlogError FLOG_FILE_MISSING; FLOG_FILE_NOT_INCIDENT, FLOG_FOOLSCAP_PICKLE, FLOG_FILE_TOO_LARGE; FLOG_ABORTED
 */
export async function* readFoolscapFile(
  path: string,
  options: ReadFoolscapOptions = {},
): AsyncGenerator<IncidentPart, void> {
  const file = await openIncidentFile(path)
  try {
    yield* readFoolscap(chunksOf(file), options)
  } finally {
    await file.close()
  }
}

/** Reads a flogfile from anything that gives its bytes in order. Throws like {@link readFoolscapFile}. */
export async function* readFoolscap(
  source: AsyncIterable<Uint8Array>,
  options: ReadFoolscapOptions = {},
): AsyncGenerator<IncidentPart, void> {
  const parser = new FoolscapParser(fingerprintOf, options)
  for await (const chunk of source) {
    if (options.signal?.aborted === true)
      throw new FlogError('FLOG_ABORTED', 'reading the Foolscap log was cancelled')
    yield* parser.push(chunk)
  }
  yield* parser.end()
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}
