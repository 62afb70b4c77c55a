import { startsLikeMember } from '../../incident/member'
import { IncidentParser } from '../../incident/parser'
import { Slices } from './browser'
import { pageEngine } from './engine'
import type { Store } from './store'

/** A page holds what it reads in memory. */
export const MAX_PLAIN_BYTES = 1024 * 1024 * 1024
const PIECE_BYTES = 64 * 1024

/**
 * Reads an incident file into a store, in slices. `onProgress` is called after each.
 * @throws FlogError as the parser does; what was read until then stays in the store
 */
export async function loadInto(
  store: Store,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onProgress: () => void,
  maxPlainBytes = MAX_PLAIN_BYTES,
): Promise<void> {
  const parser = new IncidentParser(pageEngine, { maxPlainBytes })
  const slices = new Slices()
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        for (const part of parser.push(chunk.subarray(at, at + PIECE_BYTES))) {
          store.add(part)
          if (!slices.due) continue
          onProgress()
          await slices.turn()
        }
      }
    }
    for (const part of parser.end()) store.add(part)
  } finally {
    store.order()
  }
}

/** The bytes of a base64 text, piece by piece; what another program packed with gzip is unpacked. */
export async function* embeddedBytes(base64: string): AsyncGenerator<Uint8Array, void> {
  // A multiple of four characters stands for whole bytes.
  const chars = (4 * PIECE_BYTES) / 2
  const pieces = (function* () {
    for (let at = 0; at < base64.length; at += chars) {
      const text = atob(base64.slice(at, at + chars))
      const bytes = new Uint8Array(text.length)
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
      yield bytes
    }
  })()
  yield* unpacked(pieces)
}

/** The bytes of an answer of the server. */
export async function* fetchedBytes(response: Response): AsyncGenerator<Uint8Array, void> {
  const body = response.body
  if (body !== null) yield* unpacked(chunksOf(body))
}

/** Our own members are left to the parser, which can mend what is damaged in them. */
async function* unpacked(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const { first, rest } = await begin(source)
  if (first.length === 0) return
  const isForeignGzip = first[0] === 0x1f && first[1] === 0x8b && !startsLikeMember(first)
  if (!isForeignGzip) {
    yield first
    yield* rest
    return
  }
  yield* chunksOf(streamOf(joined(first, rest)).pipeThrough(new DecompressionStream('gzip')))
}

const ENOUGH_BYTES = 64

async function begin(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  let first = new Uint8Array(0)
  while (first.length < ENOUGH_BYTES) {
    const { value, done } = await iterator.next()
    if (done === true) break
    first = concatenated(first, value)
  }
  const rest = (async function* () {
    for (;;) {
      const { value, done } = await iterator.next()
      if (done === true) return
      yield value
    }
  })()
  return { first, rest }
}

function concatenated(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

async function* joined(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield first
  yield* rest
}

function streamOf(source: AsyncGenerator<Uint8Array, void>): ReadableStream<BufferSource> {
  return new ReadableStream<BufferSource>({
    async pull(controller) {
      const { value, done } = await source.next()
      if (done === true) controller.close()
      else controller.enqueue(value as Uint8Array<ArrayBuffer>)
    },
  })
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}
