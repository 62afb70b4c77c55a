import { open, stat } from 'node:fs/promises'

/** The first bytes of a file; undefined for what can be read only once, such as a pipe, and for what cannot be read. */
export async function firstBytesOf(path: string, length: number): Promise<Uint8Array | undefined> {
  try {
    if (!(await stat(path)).isFile()) return undefined
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    // Whoever reads the file says what is wrong with it.
    return undefined
  }
}
