import { Redactor } from '../event/redact'
import { KeyTable } from './keys'
import { ValueWriter } from './values'

/** Room for a header or trailer; its largest part is the triggering event. */
const VALUE_BYTES = 2 * 1024 * 1024

/**
 * A value of our own making as MessagePack. Nothing is redacted: what goes in has been.
 * @returns bytes of their own, not shared with anything
 */
export function encodeValue(value: unknown): Uint8Array {
  if (writer === undefined) {
    const nothing = new Redactor({ defaults: false })
    writer = new OneValue(VALUE_BYTES, nothing, new KeyTable(nothing, false))
  }
  return writer.encode(value)
}

class OneValue extends ValueWriter {
  encode(value: unknown): Uint8Array {
    this.at = 0
    this.cutBytes = 0
    this.startValues()
    this.value(value, 32)
    return Uint8Array.prototype.slice.call(this.bytes, 0, this.at)
  }
}

let writer: OneValue | undefined
