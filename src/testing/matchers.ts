import { inspect } from 'node:util'
import { invalidOption } from '../base/errors'
import type { LogEvent } from '../event/event'
import { toJson } from '../event/json'
import { severityName } from '../event/severity'
import { messageText } from '../event/template'
import { type EventPattern, matchesEvent } from './pattern'
import { TestRecorder } from './recorder'

/** For the types of `expect`: `declare global { namespace jest { interface Matchers<R> extends RecorderMatchers<R> {} } }` */
export interface RecorderMatchers<R> {
  /** The test recorder has at least one event that matches; with `times`, exactly so many. */
  toHaveRecorded(pattern: EventPattern, times?: number): R
  /** Something would have begun an incident; with a pattern, an event that matches. */
  toHaveIncident(pattern?: EventPattern): R
}

interface MatcherResult {
  readonly pass: boolean
  message(): string
}

/** Matchers for `expect.extend`, of jest, vitest, and whatever else takes them. */
export const recorderMatchers = {
  toHaveRecorded(received: unknown, pattern: EventPattern, times?: number): MatcherResult {
    const recorder = testRecorder(received)
    const found = recorder.matching(pattern).length
    const pass = times === undefined ? found > 0 : found === times
    const wanted = times === undefined ? 'an event' : `${times} ${times === 1 ? 'event' : 'events'}`
    return {
      pass,
      message: () =>
        `expected ${pass ? 'not ' : ''}to have recorded ${wanted} with ${inspect(pattern)}, found ${found} in\n${listed(recorder.recorded)}`,
    }
  },

  toHaveIncident(received: unknown, pattern: EventPattern = {}): MatcherResult {
    const { incidents } = testRecorder(received)
    const pass = incidents.some(({ event }) => matchesEvent(event, pattern))
    const triggers = incidents.map(({ event }) => event)
    return {
      pass,
      message: () =>
        `expected ${pass ? 'no' : 'an'} incident with ${inspect(pattern)}, the triggers are\n${listed(triggers)}`,
    }
  },
}

const LISTED = 20

function testRecorder(received: unknown): TestRecorder {
  if (received instanceof TestRecorder) return received
  throw invalidOption('expect(…)', 'what createTestRecorder returned', received)
}

function listed(events: readonly LogEvent[]): string {
  if (events.length === 0) return '  (none)'
  const omitted = events.length > LISTED ? [`  … ${events.length - LISTED} earlier ones`] : []
  return [...omitted, ...events.slice(-LISTED).map(line)].join('\n')
}

function line(event: LogEvent): string {
  const facility = event.facility === '' ? '' : ` ${event.facility}`
  const fields = Object.keys(event.fields).length === 0 ? '' : ` ${JSON.stringify(toJson(event.fields))}`
  const error = event.error === undefined ? '' : ` ${event.error.name}: ${event.error.message}`
  return `  ${severityName(event.severity)}${facility} ${messageText(event)}${fields}${error}`
}
