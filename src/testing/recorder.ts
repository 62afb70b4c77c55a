import { SystemClock } from '../base/clock'
import { EVENT_BYTES } from '../base/limits'
import { EncodedEvent } from '../codec/view'
import { type Context, runWithContext } from '../event/context'
import type { LogEvent } from '../event/event'
import { type Redaction, type RedactionOptions, Redactor } from '../event/redact'
import { INFO } from '../event/severity'
import { messageText } from '../event/template'
import { fingerprintOf } from '../incident/fingerprint'
import { type IncidentQualifier, type QualifierOption, qualified, toQualifier } from '../incident/qualifier'
import { severityAtLeast } from '../incident/qualifiers/severity'
import { Capture, type EventObserver } from '../recorder/capture'
import { Logger } from '../recorder/logger'
import { ControlBlock } from '../ring/control'
import { RingSet } from '../ring/set'
import { type EventPattern, matchesEvent } from './pattern'

export interface TestRecorderOptions {
  /** As of a real recorder; default `severityAtLeast('error')`. One that throws fails the test: the log call throws. */
  readonly qualifier?: QualifierOption
  /** As of a real recorder. */
  readonly redact?: readonly Redaction[] | RedactionOptions
}

/** What would have begun an incident. Limits play no part: each event that qualifies is here. */
export interface TestIncident {
  readonly reason: string
  readonly fingerprint: string
  readonly event: LogEvent
}

/**
 * A recorder that keeps every event in memory, for tests: no file, no timer, nothing to close. Events go through the same
 * encoder as in production, so that what a test sees (values taken at the call, redaction, cuts) is what a file would hold.
 */
export function createTestRecorder(options: TestRecorderOptions = {}): TestRecorder {
  const qualifier = toQualifier('qualifier', options.qualifier ?? severityAtLeast('error'))
  return new TestRecorder(new Redactor(options.redact), new Observed(qualifier))
}

/** A {@link Logger} whose events can be looked at. Made by {@link createTestRecorder}. */
export class TestRecorder extends Logger {
  readonly #observed: Observed

  /** @internal */
  constructor(redactor: Redactor, observed: Observed) {
    const sizes = { trace: SMALL, debug: SMALL, info: SMALL, warn: SMALL, error: SMALL, fatal: SMALL }
    const parts = { clock: new SystemClock(), control: new ControlBlock(), rings: new RingSet({ sizes }) }
    super(new OutspokenCapture(parts, redactor, observed))
    this.#observed = observed
  }

  /** All events so far, in order. */
  get recorded(): readonly LogEvent[] {
    return this.#observed.events
  }

  /** All that would have begun an incident, in order. */
  get incidents(): readonly TestIncident[] {
    return this.#observed.incidents
  }

  /** Messages of all events, filled in. */
  get messages(): readonly string[] {
    return this.recorded.map(messageText)
  }

  /** The events that have everything that `pattern` names. */
  matching(pattern: EventPattern): readonly LogEvent[] {
    return this.recorded.filter((event) => matchesEvent(event, pattern))
  }

  /** As of a real recorder; it is among the {@link incidents}. */
  capture(reason: string): TestIncident {
    const fields = { kind: 'manual', reason: String(reason) }
    const payload = this.events.recordUnobserved(INFO, 'incident asked for: {reason}', 'flog', fields)
    return this.#observed.asked(new EncodedEvent(payload).decoded, String(reason))
  }

  /** As of a real recorder. */
  run<T>(context: Context, action: () => T): T {
    return runWithContext(context, action)
  }

  /** Forgets all events and incidents; `seq` goes on. */
  clear(): void {
    this.#observed.clear()
  }
}

/** In production a qualifier that throws costs nobody an event; here it is what the test is to show. */
class OutspokenCapture extends Capture {
  readonly #observed: Observed

  constructor(parts: ConstructorParameters<typeof Capture>[0], redactor: Redactor, observed: Observed) {
    super(parts, redactor, EVENT_BYTES, observed)
    this.#observed = observed
  }

  override record(...args: Parameters<Capture['record']>): number {
    const seq = super.record(...args)
    this.#observed.throwWhatWasThrown()
    return seq
  }
}

/** Nothing is read back from the rings. */
const SMALL = '32KiB'

/** Keeps what the recorder records, and asks the qualifier as a real one does. */
class Observed implements EventObserver {
  readonly watchFrom = 1
  readonly events: LogEvent[] = []
  readonly incidents: TestIncident[] = []
  readonly #qualifier: IncidentQualifier
  #thrown: { readonly error: unknown } | undefined

  constructor(qualifier: IncidentQualifier) {
    this.#qualifier = qualifier
  }

  observe(payload: Uint8Array, severity: number): void {
    const event = new EncodedEvent(payload).decoded
    this.events.push(event)
    if (severity < (this.#qualifier.minimumSeverity ?? 1)) return
    try {
      const answer = qualified(this.#qualifier.qualifies(event), event)
      if (answer !== undefined) this.incidents.push({ fingerprint: fingerprintOf(event), ...answer, event })
    } catch (error) {
      this.#thrown = { error }
    }
  }

  throwWhatWasThrown(): void {
    const thrown = this.#thrown
    this.#thrown = undefined
    if (thrown !== undefined) throw thrown.error
  }

  asked(event: LogEvent, reason: string): TestIncident {
    const incident = { reason, fingerprint: fingerprintOf(event), event }
    this.events.push(event)
    this.incidents.push(incident)
    return incident
  }

  clear(): void {
    this.events.length = 0
    this.incidents.length = 0
  }
}
