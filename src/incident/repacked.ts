import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { FlogError, messageOf, systemCode } from '../base/errors'
import type { Damage } from './damage'
import { startsLikeMember } from './member'
import { peek } from './peek'

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
    const { first, all } = await peek(this.#source, 2)
    this.#isForeign = first[0] === 0x1f && first[1] === 0x8b && !startsLikeMember(first)
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
