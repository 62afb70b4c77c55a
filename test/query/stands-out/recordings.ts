import type { ErrorRecord, LogEvent, PlainObject, TriggerKind } from '../../../src/event/event'
import { severityOf } from '../../../src/event/severity'
import type { IncidentHeader, IncidentTrailer } from '../../../src/incident/header'
import type { Recording } from '../../../src/query/recording'
import type { RingState } from '../../../src/ring/layout'
import { OPENED_AT, sampleHeader, sampleTrailer } from '../../incident/samples'

/** An event as a test says it; `at` in seconds from the trigger, negative before it. */
export interface Said {
  readonly at: number
  readonly severity?: string
  readonly facility?: string
  readonly message?: string
  readonly fields?: PlainObject
  readonly error?: ErrorRecord
  readonly traceId?: string
}

export interface Circumstances {
  readonly kind?: TriggerKind
  readonly trigger?: Omit<Said, 'at'>
  readonly rings?: readonly RingState[]
  readonly header?: Partial<IncidentHeader>
  readonly trailer?: Partial<IncidentTrailer>
}

/** A recording of these events, in the order of their times; the trigger comes at 0. */
export function recordingOf(said: readonly Said[], circumstances: Circumstances = {}): Recording {
  const { kind = 'event', trigger = {}, rings = [], header = {}, trailer = {} } = circumstances
  const sorted = [...said].sort((one, other) => one.at - other.at).map(eventOf)
  const begun = eventOf(
    { at: 0, severity: 'error', facility: 'alarm', message: 'alarm', ...trigger },
    sorted.length,
  )
  return {
    header: {
      ...sampleHeader(),
      trigger: { kind, reason: '', fingerprint: '', event: begun },
      rings,
      ...header,
    },
    trailer: { ...sampleTrailer(), ...trailer },
    events: [...sorted.map((event) => ({ event })), { event: begun, mark: 'trigger' }],
  }
}

/** `count` things, evenly between two times. */
export function evenly(
  count: number,
  from: number,
  to: number,
  say: (at: number, n: number) => Said,
): readonly Said[] {
  return Array.from({ length: count }, (_, n) => say(from + ((to - from) * n) / count, n))
}

/** A minute of a program in which nothing happens. */
export function quietly(): readonly Said[] {
  return evenly(600, -60, 0, (at, n) => ({
    at,
    severity: 'debug',
    facility: 'app',
    message: 'turn {n}',
    fields: { n },
  }))
}

/** The same values in each run, from 0 up to 1. */
export function spread(n: number): number {
  return Math.abs(Math.sin(n * 12.9898) * 43_758.5453) % 1
}

export function ring(severity: string, oldestAt: number, evicted = 1000): RingState {
  return {
    severity,
    facility: '',
    thread: 0,
    capacityBytes: 65_536,
    usedBytes: 65_000,
    events: 100,
    evicted,
    oldest: OPENED_AT + oldestAt * 1e6,
  }
}

function eventOf(said: Said, seq: number): LogEvent {
  const { at, severity = 'info', facility = '', message = '', fields = {}, error, traceId } = said
  return {
    seq,
    time: OPENED_AT + Math.round(at * 1e6),
    severity: severityOf(severity) ?? 9,
    message,
    facility,
    fields,
    ...(error !== undefined && { error }),
    ...(traceId !== undefined && { traceId }),
  }
}
