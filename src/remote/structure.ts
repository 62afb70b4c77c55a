import { FlogError } from '../base/errors'

/**
 * Counts the values of a MessagePack message without making them: small bytes can stand for many objects, and a peer
 * must not be able to keep the event loop busy, or memory full, with a million empty maps.
 *
 * Only lengths are looked at. Whether the message is one is for the decoder to say.
 * @throws FlogError FLOG_VALUE_MALFORMED where there are more than `limit`
 */
export function expectFewValues(bytes: Uint8Array, limit: number): void {
  let values = 0
  for (let at = 0; at < bytes.length; values++) {
    if (values >= limit) throw new FlogError('FLOG_VALUE_MALFORMED', `it holds more than ${limit} values`)
    at += lengthAt(bytes, at)
  }
}

/** Bytes of the value at `at`; of an array or a map only its head. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const code = bytes[at] ?? 0
  if (code < 0xa0 || code >= 0xe0) return 1
  if (code < 0xc0) return 1 + (code & 0x1f)
  const text = SIZED.get(code)
  return text === undefined ? (FIXED.get(code) ?? 1) : 1 + text + bigEndian(bytes, at + 1, text)
}

/** bin and str: bytes of their length field. */
const SIZED: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
])

/** float, uint, int; heads of arrays and maps: their whole length. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [0xca, 5],
  [0xcb, 9],
  [0xcc, 2],
  [0xcd, 3],
  [0xce, 5],
  [0xcf, 9],
  [0xd0, 2],
  [0xd1, 3],
  [0xd2, 5],
  [0xd3, 9],
  [0xdc, 3],
  [0xdd, 5],
  [0xde, 3],
  [0xdf, 5],
])

function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}
