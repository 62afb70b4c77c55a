import type { IncidentSummary } from '../incident/header'
import type { Representation } from '../incident/name'

/**
 * What a publisher serves, seen from the publisher. It knows incident directory and rings only through these,
 * so that it can be hosted in either thread, and publish a directory without a process as well as a process.
 */
export interface IncidentSource {
  /**
   * Every incident that can be read now. Rejects rather than leave one out that is there: cursors forget the
   * incarnations of which nothing is listed.
   */
  list(): Promise<readonly IncidentSummary[]>
  /** @throws FlogError FLOG_INCIDENT_UNKNOWN when the incident is not there in this representation */
  open(id: string, representation: Representation): Promise<OpenedIncident>
  /** Notices from the call on, until the signal. One that comes twice does no harm. */
  watch(signal: AbortSignal): AsyncIterable<IncidentNotice>
}

/**
 * One representation of an incident, held open: it can be read to its end even when it is removed meanwhile.
 */
export interface OpenedIncident {
  /** Bytes at the time of opening; an open incident may grow beyond. */
  readonly size: number
  /** Of exactly `size` bytes, in hexadecimal, where it is known already. */
  readonly sha256?: string
  /** Microseconds since the epoch, where it is known without reading. */
  readonly openedAt?: number
  /** Up to `length` bytes from `position`; fewer only at the end. */
  read(position: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** `changed`: something may have been missed, so that the list has to be looked at again. */
export type IncidentNotice =
  | { readonly kind: 'opened' | 'closed'; readonly summary: IncidentSummary }
  | { readonly kind: 'removed' | 'changed' }

/** The rings of a process, read together in the order of `seq`. `LiveReader` of `ring/` is its reader. */
export interface EventSource {
  subscribe(start: 'now' | 'oldest' | RingPosition): EventReader
}

/** A reader of its own; it never asks the writers for anything. */
export interface EventReader {
  /** The next events, at most `max`; none where there are no newer ones yet. */
  read(max: number): readonly TailEvent[]
  /** Events that were overwritten before this reader came to them, since this was last asked. */
  takeMissed(): number
  /** Behind the last event that was read: subscribing there continues with exactly the next one. */
  position(): RingPosition
}

export interface TailEvent {
  readonly seq: number
  /** One event in MessagePack (`incident/FORMAT.md`); not touched again by the reader. */
  readonly payload: Uint8Array
}

export interface RingPosition {
  /** For each ring, in their fixed order, the number of the first event that was not read. */
  readonly ordinals: readonly number[]
}

/** A position, and the process that it means something in. */
export interface TailPosition extends RingPosition {
  /** 16 hexadecimal digits. */
  readonly incarnation: string
  /** The last event that was read; -1 where there was none. */
  readonly seq: number
}

/** Who publishes. */
export interface About {
  readonly service: string
  readonly version: string
  readonly host: string
  readonly pid: number
  /** 16 hexadecimal digits, random per process start. */
  readonly incarnation: string
  /** `node`, `flog`, and whatever the application adds. */
  readonly versions: Readonly<Record<string, string>>
  /** Microseconds since the epoch at which the process, or the publishing of a directory, began. */
  readonly startedAt: number
}
