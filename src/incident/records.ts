import { padded } from './layout'

/**
 * The payload of a block of events: `u32 length | MessagePack | zeros to a multiple of 4`, again and again
 * (FORMAT.md, "Events").
 */
export const RECORD_HEAD_BYTES = 4

/** Bytes that an event of `length` bytes takes in a payload. */
export function recordBytes(length: number): number {
  return RECORD_HEAD_BYTES + padded(length)
}

/**
 * Appends the event `payload[from, to)` to a payload that is being built.
 * @returns position after it
 */
export function putRecord(
  target: Uint8Array,
  at: number,
  payload: Uint8Array,
  from = 0,
  to = payload.length,
): number {
  const length = to - from
  target[at] = length
  target[at + 1] = length >>> 8
  target[at + 2] = length >>> 16
  target[at + 3] = length >>> 24
  const start = at + RECORD_HEAD_BYTES
  target.set(from === 0 && to === payload.length ? payload : payload.subarray(from, to), start)
  const end = start + padded(length)
  target.fill(0, start + length, end)
  return end
}

/** The events of a payload, as views on it. Ends early at a length that leads outside. */
export function* recordsOf(payload: Uint8Array): Generator<Uint8Array, void> {
  let record = firstRecord(payload)
  while (record !== undefined) {
    yield payload.subarray(record.start, record.end)
    record = recordAfter(payload, record)
  }
}

/** Where in a payload an event is. */
export interface RecordRange {
  readonly start: number
  readonly end: number
}

/** Undefined where there is none, or its length leads outside. */
export function firstRecord(payload: Uint8Array): RecordRange | undefined {
  return recordAt(payload, 0)
}

export function recordAfter(payload: Uint8Array, { start, end }: RecordRange): RecordRange | undefined {
  return recordAt(payload, start + padded(end - start))
}

function recordAt(payload: Uint8Array, at: number): RecordRange | undefined {
  const start = at + RECORD_HEAD_BYTES
  if (start > payload.length) return undefined
  const [a, b, c, d] = [payload[at], payload[at + 1], payload[at + 2], payload[at + 3]] as [
    number,
    number,
    number,
    number,
  ]
  const length = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
  return length === 0 || length > payload.length - start ? undefined : { start, end: start + length }
}
