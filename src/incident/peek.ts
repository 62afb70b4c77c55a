/** A stream of bytes of which the first have been seen. */
export interface Peeked {
  /** At least as many as were asked for; fewer only where no more come. */
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
  return { first, all: resumed(first.length > 0 ? [first] : [], chunks) }
}

/** What was taken already, then the rest, which is ended with it. */
export async function* resumed<T>(taken: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T, void> {
  try {
    yield* taken
    for (;;) {
      const next = await rest.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}
