import type { LogEvent } from '../../../src/event/event'
import { severityOf } from '../../../src/event/severity'

let seq = 0

/** An event of a severity, at a time in milliseconds. */
export function eventOf(severity: string, more: Partial<LogEvent> & { readonly ms?: number } = {}): LogEvent {
  const { ms = 0, ...rest } = more
  return {
    seq: seq++,
    time: 1_795_293_185_000_000 + ms * 1000,
    severity: severityOf(severity) ?? 0,
    message: 'something happened',
    facility: '',
    fields: {},
    ...rest,
  }
}
