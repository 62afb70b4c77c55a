import type { FileHandle } from 'node:fs/promises'
import { nodeEngine } from '../../../src/incident/node-engine'
import { IncidentParser, type IncidentPart } from '../../../src/incident/parser'
import { openIncidentFile } from '../../../src/incident/reader'
import type { Surroundings } from '../verb'
import { pause } from '../wait'

const CHUNK_BYTES = 64 * 1024
/** A file is looked at this often: events of the window are written one by one, and file systems differ in what they tell. */
const POLL_MS = 100

/**
 * The parts of an incident file as it grows, until its trailer has come, which the verdict follows, or it is interrupted, when
 * there is none. A file that is renamed or removed meanwhile is read to its end.
 * @param onIdle what is there so far was given out
 * @throws FlogError like `readIncidentFile`
 */
export async function* growingFile(
  path: string,
  { signal, clock }: Pick<Surroundings, 'signal' | 'clock'>,
  onIdle: () => Promise<void>,
): AsyncGenerator<IncidentPart, void> {
  const file = await openIncidentFile(path)
  try {
    const parser = new IncidentParser(nodeEngine)
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let position = 0
    let closed = false
    while (!signal.aborted) {
      const bytes = await readAt(file, chunk, position)
      position += bytes.length
      for (const part of parser.push(bytes)) {
        closed ||= part.kind === 'trailer'
        yield part
      }
      if (bytes.length > 0) continue
      if (closed) break
      await onIdle()
      await pause(POLL_MS, signal, clock)
    }
    if (closed) yield* parser.end()
  } finally {
    await file.close()
  }
}

/** What there is, as bytes of their own; none at the present end. */
async function readAt(file: FileHandle, chunk: Buffer, position: number): Promise<Uint8Array> {
  const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position)
  return Uint8Array.prototype.slice.call(chunk, 0, bytesRead)
}
