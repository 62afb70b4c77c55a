import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { READ_PLAIN_BYTES } from '../../../src/base/limits'
import { VERSION } from '../../../src/base/version'
import { checkPlainBytes } from '../../../src/foolscap/bzip2'
import { importIncident } from '../../../src/foolscap/import'
import { isFoolscap, MAGIC_BYTES } from '../../../src/foolscap/magic'
import { readFoolscapFile } from '../../../src/foolscap/reader'
import { firstBytesOf } from '../dump/first-bytes'
import { readLimit, type Surroundings } from '../verb'

export interface ReadableFile {
  readonly path: string
  /** False where the foreign file that it was made of is cut or damaged. */
  readonly isWhole: boolean
  /** Room for what is made of it, until it is removed; only the user can read what is there. */
  directory(): Promise<string>
  /** Removes what was made only to be read. */
  remove(): Promise<void>
}

/**
 * A file that the page can read: the one that was named; a foreign one is converted first, beside it all, and what can be
 * read only once, such as standard input (`-`), is kept.
 */
export async function readableFile(path: string, io: Surroundings): Promise<ReadableFile> {
  const scratch = new Scratch()
  try {
    const kept = path === '-' || (await isPipe(path)) ? await keep(path, await scratch.directory(), io) : path
    const first = await firstBytesOf(kept, MAGIC_BYTES)
    if (first === undefined || !isFoolscap(first)) return readable(kept, true, scratch)
    const parts = readFoolscapFile(kept, { signal: io.signal, ...readLimit(io) })
    const options = { clock: io.clock, version: VERSION }
    const { path: made, source } = await importIncident(parts, await scratch.directory(), options)
    return readable(made, source.state === 'whole' || source.state === 'open', scratch)
  } catch (error) {
    await scratch.remove()
    throw error
  }
}

function readable(path: string, isWhole: boolean, scratch: Scratch): ReadableFile {
  return {
    path,
    isWhole,
    directory: () => scratch.directory(),
    remove: () => scratch.remove(),
  }
}

/** A directory of our own that is made when it is first needed. */
class Scratch {
  #made: Promise<string> | undefined

  directory(): Promise<string> {
    this.#made ??= mkdtemp(join(tmpdir(), 'flog-view-'))
    return this.#made
  }

  async remove(): Promise<void> {
    if (this.#made !== undefined) await rm(await this.#made, { recursive: true, force: true })
  }
}

async function isPipe(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFIFO(),
    () => false,
  )
}

async function keep(path: string, directory: string, io: Surroundings): Promise<string> {
  const kept = join(directory, 'input')
  const limit = io.maxFileBytes ?? READ_PLAIN_BYTES
  const source = path === '-' ? io.streams.stdin : createReadStream(path)
  const target = createWriteStream(kept, { mode: 0o600 })
  await pipeline(source, (chunks) => upTo(chunks, limit), target, { signal: io.signal })
  return kept
}

async function* upTo(chunks: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array, void> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    checkPlainBytes(bytes, limit)
    yield chunk
  }
}
