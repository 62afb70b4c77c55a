import { decodeEvent } from '../../src/codec/decode'
import { EventEncoder, type EventExtras } from '../../src/codec/encoder'
import type { LogEvent, Plain } from '../../src/event/event'
import { type Redaction, Redactor } from '../../src/event/redact'

export interface Encoded {
  readonly bytes: Uint8Array
  readonly event: LogEvent
  /** What the encoder counted as cut. */
  readonly cut: number
}

export interface Encoding {
  readonly message?: unknown
  readonly facility?: string
  readonly extras?: EventExtras
  readonly redact?: readonly Redaction[]
  readonly capacity?: number
}

/** An event through a fresh encoder and back. */
export function encoded(fields: unknown, options: Encoding = {}): Encoded {
  const encoder = new EventEncoder(new Redactor(options.redact ?? []), options.capacity)
  return encodedBy(encoder, fields, options)
}

export function encodedBy(encoder: EventEncoder, fields: unknown, options: Encoding = {}): Encoded {
  const { facility = '', extras } = options
  const message = 'message' in options ? options.message : 'm'
  const length = encoder.encode(1_700_000_000_000_000, 9, message, facility, fields, extras)
  encoder.stamp(7)
  const bytes = Uint8Array.prototype.slice.call(encoder.bytes, 0, length)
  return { bytes, event: decodeEvent(bytes), cut: encoder.cut }
}

/** A value as it comes back as the field `v`. */
export function encodedValue(v: unknown, options: Encoding = {}): Plain | undefined {
  return encoded({ v }, options).event.fields['v']
}

/** Whether the text stands in the bytes, as UTF-8 or UTF-16. */
export function holds(bytes: Uint8Array, text: string): boolean {
  const all = Buffer.from(bytes)
  return all.includes(text, 0, 'utf8') || all.includes(text, 0, 'utf16le')
}
