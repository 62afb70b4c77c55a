import type { Clock } from '../base/clock'
import { TRIGGER_EVENT_BYTES } from '../base/limits'
import { peekSeq, peekTime } from '../codec/decode'
import { EventEncoder, type EventExtras } from '../codec/encoder'
import type { Redactor } from '../event/redact'
import type { ControlBlock } from '../ring/control'
import type { RingSet } from '../ring/set'

/** Time and place in the order of events, taken when something was logged, for an event that is encoded later. */
export interface Stamp {
  readonly seq: number
  /** Microseconds since the epoch. */
  readonly time: number
}

/** Sees the events that somebody waits for, right after they are in their ring. Must not throw. */
export interface EventObserver {
  /** Events below this severity need not be shown. */
  readonly watchFrom: number
  /**
   * @param payload the encoded event, in memory of its own
   * @param whole encodes the same event again without the usual limit; undefined where nothing was cut
   */
  observe(payload: Uint8Array, severity: number, whole: (() => Uint8Array) | undefined): void
}

/**
 * The hot path: value → bytes → ring. No I/O, nothing kept, and it never throws, whatever it is given.
 */
export class Capture {
  readonly clock: Clock
  readonly control: ControlBlock
  readonly rings: RingSet
  readonly redactor: Redactor
  /** Events that could not be recorded at all; 0 unless there is a bug. */
  failed = 0
  readonly #encoder: EventEncoder
  readonly #eventBytes: number
  readonly #observer: EventObserver
  /** Of the events recorded here. */
  #highest = -1

  constructor(
    parts: { readonly clock: Clock; readonly control: ControlBlock; readonly rings: RingSet },
    redactor: Redactor,
    eventBytes: number,
    observer: EventObserver,
  ) {
    this.clock = parts.clock
    this.control = parts.control
    this.rings = parts.rings
    this.redactor = redactor
    this.#eventBytes = eventBytes
    this.#encoder = this.#newEncoder(eventBytes)
    this.#observer = observer
  }

  /** Takes the next place in the order, for an event that is encoded later, or by other means. */
  stamp(): Stamp {
    const time = this.clock.now()
    return { seq: this.control.nextSeq(), time }
  }

  /** @returns `seq` of the event; -1 where not even its failure could be recorded */
  record(
    severity: number,
    message: unknown,
    facility: string,
    fields: unknown,
    extras: EventExtras | undefined,
    stamp?: Stamp,
  ): number {
    // Values may run user code that logs again, which finds the encoder busy and takes one of its own.
    const encoder = this.#encoder.busy ? this.#newEncoder(this.#eventBytes) : this.#encoder
    encoder.busy = true
    let length = 0
    let seq = -1
    try {
      const time = stamp === undefined ? this.clock.now() : stamp.time
      length = encoder.encode(time, severity, message, facility, fields, extras)
      seq = stamp === undefined ? this.control.nextSeq() : stamp.seq
      this.#append(encoder, length, severity, facility, seq)
    } catch {
      encoder.busy = false
      return this.#recordFailure(severity, facility)
    }
    if (severity < this.#observer.watchFrom) {
      encoder.busy = false
      return seq
    }
    try {
      this.#show(encoder, length, severity, message, facility, fields, extras)
    } catch {
      this.failed++
      encoder.busy = false
    }
    return seq
  }

  #append(encoder: EventEncoder, length: number, severity: number, facility: string, seq: number): void {
    encoder.stamp(seq)
    const ring = this.rings.select(severity, facility)
    ring.append(encoder.longs, length)
    if (seq > this.#highest) this.#highest = seq
    else ring.markOutOfOrder()
    this.control.publish(seq)
  }

  /** Apart from `record`: what a closure uses would be put on the heap for every event, shown or not. */
  #show(
    encoder: EventEncoder,
    length: number,
    severity: number,
    message: unknown,
    facility: string,
    fields: unknown,
    extras: EventExtras | undefined,
  ): void {
    const payload = Uint8Array.prototype.slice.call(encoder.bytes, 0, length)
    const stamp = { seq: peekSeq(payload), time: peekTime(payload) }
    const cut = encoder.cut > 0
    encoder.busy = false
    this.#observer.observe(
      payload,
      severity,
      cut ? () => this.#encodeWhole(severity, message, facility, fields, extras, stamp) : undefined,
    )
  }

  /** Records an event of our own making that nobody is asked about. @returns the encoded event */
  recordUnobserved(severity: number, message: string, facility: string, fields: object): Uint8Array {
    return this.recordAside(severity, message, facility, fields).payload
  }

  /** As {@link recordUnobserved}, of what may be long. @returns the encoded event; `whole` as an observer gets it */
  recordAside(
    severity: number,
    message: string,
    facility: string,
    fields: object,
    extras?: EventExtras,
  ): { readonly payload: Uint8Array; readonly whole: (() => Uint8Array) | undefined } {
    const encoder = this.#newEncoder(this.#eventBytes)
    const time = this.clock.now()
    const length = encoder.encode(time, severity, message, facility, fields, extras)
    const stamp = { time, seq: this.control.nextSeq() }
    this.#append(encoder, length, severity, facility, stamp.seq)
    return {
      payload: Uint8Array.prototype.slice.call(encoder.bytes, 0, length),
      whole:
        encoder.cut > 0
          ? () => this.#encodeWhole(severity, message, facility, fields, extras, stamp)
          : undefined,
    }
  }

  #encodeWhole(
    severity: number,
    message: unknown,
    facility: string,
    fields: unknown,
    extras: EventExtras | undefined,
    stamp: Stamp,
  ): Uint8Array {
    const encoder = this.#newEncoder(TRIGGER_EVENT_BYTES)
    const length = encoder.encode(stamp.time, severity, message, facility, fields, extras)
    encoder.stamp(stamp.seq)
    return Uint8Array.prototype.slice.call(encoder.bytes, 0, length)
  }

  #newEncoder(bytes: number): EventEncoder {
    return new EventEncoder(this.redactor, bytes, this.rings.thread)
  }

  /** Near the end of the stack everything throws; otherwise an event that says what is missing takes its place. */
  #recordFailure(severity: number, facility: string): number {
    this.failed++
    try {
      return peekSeq(this.recordUnobserved(severity, 'an event that could not be recorded', facility, {}))
    } catch {
      return -1
    }
  }
}
