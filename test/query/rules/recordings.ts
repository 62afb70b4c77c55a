import type { LogEvent } from '../../../src/event/event'
import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent, Recording } from '../../../src/query/recording'
import { sampleHeader } from '../../incident/samples'

export const TRIGGER_TIME = Date.UTC(2026, 10, 21, 20, 31, 5) * 1000

/** @param ms milliseconds from the trigger on */
export function eventAt(ms: number, message: string, more: Partial<LogEvent> = {}): LogEvent {
  const time = TRIGGER_TIME + ms * 1000
  return { seq: 0, time, severity: 9, message, facility: 'app', fields: {}, ...more }
}

/** A recording of these events, and of the trigger among them, in the order of their times. */
export function recordingOf(
  trigger: LogEvent,
  others: readonly LogEvent[] = [],
  header: Partial<IncidentHeader> & { readonly fingerprint?: string } = {},
): Recording {
  const events = [...others, trigger]
    .sort((one, other) => one.time - other.time)
    .map((event, seq): RecordedEvent => {
      return event === trigger ? { event: { ...event, seq }, mark: 'trigger' } : { event: { ...event, seq } }
    })
  const { fingerprint = 'f00d', ...rest } = header
  const record = { kind: 'event', reason: 'severity error', fingerprint, event: trigger } as const
  return { header: { ...sampleHeader(), trigger: record, ...rest }, trailer: undefined, events }
}
