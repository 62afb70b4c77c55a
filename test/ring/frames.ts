import { peekSeq } from '../../src/codec/decode'

/** Smallest event that there is. */
export const SMALLEST = 23

/**
 * An event of exactly `bytes` bytes that can be told whole from torn: its words are filled from a checksum of `seq` and
 * length. Only `seq` is where a real event has it.
 */
export function fakeEvent(
  seq: number,
  bytes: number,
  into = new BigUint64Array(Math.ceil(bytes / 8)),
): BigUint64Array {
  const all = new Uint8Array(into.buffer, 0, bytes)
  all.fill(mark(seq, bytes))
  new DataView(into.buffer).setFloat64(2, seq)
  return into
}

/** The `seq` of a fake event; -1 where a byte of it is not what it must be. */
export function checkedSeq(payload: Uint8Array): number {
  const seq = peekSeq(payload)
  const expected = mark(seq, payload.length)
  for (let i = 0; i < payload.length; i++) {
    if ((i < 2 || i >= 10) && payload[i] !== expected) return -1
  }
  return seq
}

function mark(seq: number, bytes: number): number {
  return (Math.imul(seq ^ (bytes << 7), 0x9e3779b1) >>> 24) & 0xff
}
