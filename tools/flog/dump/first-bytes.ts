import { open, stat } from 'node:fs/promises'

/** A stream of bytes of which the first have been seen. */
export interface Peeked {
  /** As many as were asked for; fewer only where no more come. */
  readonly first: Uint8Array
  /** All of them, the first ones included. To be run to its end, or ended early. */
  readonly all: AsyncIterable<Uint8Array>
}

/** Looks at the first bytes of a stream. */
export async function peek(source: AsyncIterable<Uint8Array>, length: number): Promise<Peeked> {
  const chunks = source[Symbol.asyncIterator]()
  let first: Uint8Array = new Uint8Array(0)
  while (first.length < length) {
    const next = await chunks.next()
    if (next.done === true) break
    first = first.length === 0 ? next.value : Buffer.concat([first, next.value])
  }
  return { first: first.subarray(0, length), all: chain(first, chunks) }
}

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

async function* chain(
  first: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (first.length > 0) yield first
    for (;;) {
      const next = await chunks.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await chunks.return?.()
  }
}
