/**
 * The event: one log record. This is what readers see; on the way in there is no such object, only bytes (see `codec/`).
 */
export interface LogEvent {
  /** Position in the order of the process, from 0, shared by all its threads. */
  readonly seq: number
  /** Whole microseconds since 1970-01-01T00:00Z, taken at the call. */
  readonly time: number
  /** OpenTelemetry SeverityNumber, 1–24. */
  readonly severity: number
  /** The text as it was logged; a template such as `order {orderId} accepted` is filled in by readers. */
  readonly message: string
  /** Dotted name of the part that logged; empty where none was given. */
  readonly facility: string
  /** Plain data without a prototype; values that MessagePack lacks are tagged (see `event/tagged.ts`). */
  readonly fields: PlainObject
  readonly error?: ErrorRecord
  readonly traceId?: string
  readonly spanId?: string
  /** `seq` of the event that caused this one, in the same process. */
  readonly parent?: number
  /** Thread that logged; absent for the main thread. */
  readonly thread?: number
  /** Bytes (at least) that were cut because the event was over its limit. */
  readonly cut?: number
}

/** What MessagePack and JSON can both hold. */
export type Plain = null | boolean | number | string | Uint8Array | readonly Plain[] | PlainObject
export interface PlainObject {
  readonly [key: string]: Plain
}

/** An error by value. `cause` and `errors` nest; properties of the error's own are in `fields`. */
export interface ErrorRecord {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string | number
  readonly cause?: Plain
  readonly errors?: readonly Plain[]
  readonly fields?: PlainObject
}

/** How an incident began. All but `event` are synthesised: the recorder makes an event that says so. */
export type TriggerKind = 'event' | 'manual' | 'stall' | 'crash' | 'lateral' | 'died' | 'signal'
