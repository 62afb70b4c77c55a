import { Packr } from 'msgpackr'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { REMOTE_ANSWER_VALUES } from '../base/limits'
import { decodeValue } from '../codec/decode'
import type { Plain, PlainObject } from '../event/event'
import type { Answer, Ask, HandshakeMessage } from './protocol'
import { expectFewValues } from './structure'

/**
 * Messages and their bytes: one MessagePack map each, with its `type`.
 *
 * Decoding is the strict decoder of `codec/`, so bytes from the wire reach no lenient one. Values inside a
 * message are taken out with {@link Fields}, which tells where one is not what it has to be.
 */
const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true, variableMapSize: true })

/** @returns bytes of their own */
export function encodeMessage(message: HandshakeMessage | Ask | Answer): Uint8Array {
  return pack(message)
}

/** Plain data in MessagePack; bytes of their own. */
export function pack(value: unknown): Uint8Array {
  return Uint8Array.prototype.slice.call(packr.pack(value))
}

/**
 * The map that `bytes` holds.
 * @param limit bytes that this message may have
 * @param values that it may hold, at any depth
 * @throws FlogError FLOG_REMOTE_PROTOCOL
 */
export function decodeMessage(bytes: Uint8Array, limit: number, values = REMOTE_ANSWER_VALUES): Fields {
  if (bytes.length > limit)
    throw protocolError(`a message of ${bytes.length} bytes is over the limit of ${limit}`)
  let value: Plain
  try {
    expectFewValues(bytes, values)
    value = decodeValue(bytes)
  } catch (error) {
    throw protocolError(`a message is not MessagePack: ${messageOf(error)}`, error)
  }
  return Fields.of(value, 'the message')
}

export function protocolError(message: string, cause?: unknown): FlogError {
  return new FlogError('FLOG_REMOTE_PROTOCOL', message, { cause })
}

/** One map from the wire, with typed access. Every accessor throws the code that it was made with. */
export class Fields {
  readonly map: PlainObject
  readonly #name: string
  readonly #code: FlogErrorCode

  private constructor(map: PlainObject, name: string, code: FlogErrorCode) {
    this.map = map
    this.#name = name
    this.#code = code
  }

  static of(value: unknown, name: string, code: FlogErrorCode = 'FLOG_REMOTE_PROTOCOL'): Fields {
    if (!isMap(value)) throw new FlogError(code, `${name} is no map`)
    return new Fields(value, name, code)
  }

  /** The same map; what is wrong with it is of another kind. */
  withCode(code: FlogErrorCode): Fields {
    return new Fields(this.map, this.#name, code)
  }

  has(key: string): boolean {
    const value = this.map[key]
    return value !== undefined && value !== null
  }

  /** A map inside; empty where it is absent. */
  inner(key: string): Fields {
    return Fields.of(this.map[key] ?? {}, key, this.#code)
  }

  text(key: string, maxLength = 256): string {
    const value = this.map[key]
    if (typeof value !== 'string' || value.length > maxLength)
      throw this.#wrong(key, `text of at most ${maxLength} characters`)
    return value
  }

  /** A whole number from 0, or `min`, to `max`. */
  count(key: string, max = Number.MAX_SAFE_INTEGER, min = 0): number {
    const value = this.map[key]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw this.#wrong(key, `a whole number from ${min} to ${max}`)
    }
    return value
  }

  bytes(key: string, minLength: number, maxLength = minLength): Uint8Array {
    const value = this.map[key]
    if (!(value instanceof Uint8Array) || value.length < minLength || value.length > maxLength) {
      throw this.#wrong(
        key,
        minLength === maxLength ? `${minLength} bytes` : `${minLength} to ${maxLength} bytes`,
      )
    }
    return value
  }

  list(key: string, maxLength: number): readonly Plain[] {
    const value = this.map[key]
    if (!Array.isArray(value) || value.length > maxLength)
      throw this.#wrong(key, `a list of at most ${maxLength}`)
    return value
  }

  flag(key: string): boolean {
    const value = this.map[key] ?? false
    if (typeof value !== 'boolean') throw this.#wrong(key, 'true or false')
    return value
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.map[key]
    const found = allowed.find((one) => one === value)
    if (found === undefined) throw this.#wrong(key, `one of ${allowed.join(', ')}`)
    return found
  }

  matching(key: string, pattern: RegExp, expected: string): string {
    const value = this.map[key]
    if (typeof value !== 'string' || !pattern.test(value)) throw this.#wrong(key, expected)
    return value
  }

  #wrong(key: string, expected: string): FlogError {
    return new FlogError(this.#code, `${key} of ${this.#name} has to be ${expected}`)
  }
}

function isMap(value: unknown): value is PlainObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
