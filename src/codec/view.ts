import type { ErrorRecord, LogEvent, PlainObject } from '../event/event'
import { decodeEvent, peekSeq, peekSeverity, peekTime } from './decode'

/**
 * An encoded event that is decoded only as far as it is looked at: most qualifiers look at the severity and go on.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see the interface below
export class EncodedEvent implements LogEvent {
  readonly payload: Uint8Array
  #decoded: LogEvent | undefined

  /** @param payload an event that this process encoded; it is kept, not copied */
  constructor(payload: Uint8Array) {
    this.payload = payload
  }

  get seq(): number {
    return peekSeq(this.payload)
  }

  get time(): number {
    return peekTime(this.payload)
  }

  get severity(): number {
    return peekSeverity(this.payload)
  }

  get message(): string {
    return this.decoded.message
  }

  get facility(): string {
    return this.decoded.facility
  }

  get fields(): PlainObject {
    return this.decoded.fields
  }

  /** The event as a plain object. */
  get decoded(): LogEvent {
    this.#decoded ??= decodeEvent(this.payload)
    return this.#decoded
  }
}

// Optional parts are there or not, as `exactOptionalPropertyTypes` has it: a getter alone would always be there.
export interface EncodedEvent {
  readonly error?: ErrorRecord
  readonly traceId?: string
  readonly spanId?: string
  readonly parent?: number
  readonly thread?: number
  readonly cut?: number
}

for (const name of ['error', 'traceId', 'spanId', 'parent', 'thread', 'cut'] as const) {
  Object.defineProperty(EncodedEvent.prototype, name, {
    get(this: EncodedEvent) {
      return this.decoded[name]
    },
  })
}
