import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../../src/base/version'
import { importIncident } from '../../../src/foolscap/import'
import { isFoolscap, MAGIC_BYTES } from '../../../src/foolscap/magic'
import { readFoolscapFile } from '../../../src/foolscap/reader'
import { firstBytesOf } from '../dump/first-bytes'
import { readLimit, type Surroundings } from '../verb'

export interface ReadableFile {
  readonly path: string
  /** Removes what was made only to be read. */
  remove(): Promise<void>
}

/** A file that the page can read: the one that was named; a foreign one is converted first, beside it all. */
export async function readableFile(path: string, io: Surroundings): Promise<ReadableFile> {
  const first = await firstBytesOf(path, MAGIC_BYTES)
  if (first === undefined || !isFoolscap(first)) return { path, remove: async () => undefined }
  const directory = await mkdtemp(join(tmpdir(), 'flog-view-'))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const parts = readFoolscapFile(path, { signal: io.signal, ...readLimit(io) })
    const imported = await importIncident(parts, directory, { clock: io.clock, version: VERSION })
    return { path: imported.path, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
