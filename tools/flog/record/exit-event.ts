import type { LogEvent } from '../../../src/event/event'
import { ERROR, FATAL, INFO, severityName } from '../../../src/event/severity'
import type { EventInput } from '../../../src/recorder/logger'
import type { ProgramEnd } from './program'

/** Facility of what `flog record` itself records. */
export const RECORD_FACILITY = 'flog.record'

/** The event of a program's end. A failure that nobody asked for is fatal: it is what a flight recorder is for. */
export function exitEvent(end: ProgramEnd, command: string): EventInput {
  const surprise = !end.kind.startsWith('missing') && !('asked' in end && end.asked)
  switch (end.kind) {
    case 'missing':
      return event(ERROR, '{command} could not be started', { command, reason: end.problem.message })
    case 'signal':
      return event(surprise ? FATAL : INFO, '{command} was ended by {signal}', {
        command,
        signal: end.signal,
      })
    case 'exit':
      return event(surprise && end.code !== 0 ? FATAL : INFO, '{command} ended with exit code {exitCode}', {
        command,
        exitCode: end.code,
      })
  }
}

/** Qualifies by severity; the program's end only where `exits` says so. */
export function lineQualifier(severity: number, exits: boolean) {
  const reason = `severity is at least ${severityName(severity)}`
  return {
    minimumSeverity: severity,
    qualifies: (event: LogEvent) =>
      event.severity >= severity && (exits || event.facility !== RECORD_FACILITY) ? { reason } : false,
  }
}

function event(severity: number, message: string, fields: Readonly<Record<string, unknown>>): EventInput {
  return { severity, message, fields, facility: RECORD_FACILITY }
}
