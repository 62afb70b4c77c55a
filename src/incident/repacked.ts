import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { FlogError, messageOf, systemCode } from '../base/errors'
import type { Damage } from './damage'
import { startsLikeMember } from './member'

/**
 * The bytes of `source`, unpacked first if somebody has packed a plain incident file with an ordinary gzip. What we have
 * compressed ourselves passes as it is: the parser reads that better than any gunzip could.
 */
export class Unpacked implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>
  #isForeign = false
  #damage: Damage | undefined

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source
  }

  /** Why unpacking stopped early; known at the end. */
  get damage(): Damage | undefined {
    return this.#damage
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    const chunks = this.#source[Symbol.asyncIterator]()
    const first = await atLeast(2, chunks)
    this.#isForeign = first[0] === 0x1f && first[1] === 0x8b && !startsLikeMember(first)
    const all = chain(first, chunks)
    if (this.#isForeign) yield* this.#gunzip(all)
    else yield* all
  }

  /** An error that says that it is about what was inside of a gzip file. */
  explain(error: unknown): unknown {
    if (!this.#isForeign || !FlogError.is(error, 'FLOG_FILE_NOT_INCIDENT')) return error
    const message = error.message.replace(
      /^not an incident file:/,
      'not an incident file but gzip of another:',
    )
    return new FlogError('FLOG_FILE_NOT_INCIDENT', message, { cause: error })
  }

  async *#gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    const packed = Readable.from(source)
    const plain = createGunzip()
    packed.once('error', (error) => plain.destroy(error))
    let bytes = 0
    try {
      for await (const chunk of packed.pipe(plain) as AsyncIterable<Uint8Array>) {
        bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      if (systemCode(error)?.startsWith('Z_') !== true) throw error
      this.#damage = damageOf(error, bytes)
    } finally {
      packed.destroy()
    }
  }
}

function damageOf(error: unknown, offset: number): Damage {
  const isCut = systemCode(error) === 'Z_BUF_ERROR'
  const message = isCut ? 'the gzip file ends too early' : `the gzip file is damaged: ${messageOf(error)}`
  return { what: isCut ? 'truncated' : 'corrupt', layer: 'plain', offset, bytes: 0, message }
}

async function atLeast(length: number, chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array(0)
  while (bytes.length < length) {
    const next = await chunks.next()
    if (next.done === true) break
    bytes = bytes.length === 0 ? next.value : Buffer.concat([bytes, next.value])
  }
  return bytes
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
