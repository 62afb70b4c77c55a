import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { loadPage, selfContainedHtml } from '../../../src/viewer/page-html'
import type { Surroundings } from '../verb'
import { readableFile } from '../view/readable-file'

/**
 * An incident and the page that shows it, in one file, in pieces. What has no other gzip around it is compressed.
 * @param path of an incident file, or of a foreign one that can be read
 * @throws what reading the file throws
 */
export async function* exportHtml(path: string, io: Surroundings): AsyncGenerator<string, void> {
  const file = await readableFile(path, io)
  try {
    const bytes = await readFile(file.path)
    const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b
    yield* selfContainedHtml(loadPage(), [isCompressed ? bytes : gzipSync(bytes)])
  } finally {
    await file.remove()
  }
}
