import { threadId } from 'node:worker_threads'
import type { Clock } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import { systemRandom } from '../base/random'
import { decodeEvent } from '../codec/decode'
import { EncodedEvent } from '../codec/view'
import type { TriggerKind } from '../event/event'
import type { IncidentDirectory } from '../incident/directory'
import { fingerprintOf } from '../incident/fingerprint'
import {
  type CloseReason,
  FORMAT_MAJOR,
  FORMAT_MINOR,
  type IncidentHeader,
  type TriggerRecord,
} from '../incident/header'
import type { IncidentLimits } from '../incident/limits'
import { incidentId } from '../incident/name'
import { type IncidentQualifier, type Qualified, qualified } from '../incident/qualifier'
import { Report } from '../incident/report'
import { IncidentReporter } from '../incident/reporter'
import type { ControlBlock } from '../ring/control'
import type { Ring } from '../ring/ring'
import { type RingSet, ringState } from '../ring/set'
import type { EventObserver } from './capture'
import { Finisher } from './finisher'
import { Incident } from './incident'
import type { Origin } from './origin'

export interface IncidentsOptions {
  readonly origin: Origin
  readonly directory: IncidentDirectory
  readonly qualifier: IncidentQualifier
  readonly reporter: IncidentReporter
  readonly limits: IncidentLimits
  readonly clock: Clock
  readonly control: ControlBlock
  readonly rings: RingSet
  readonly onIncident: (incident: Incident) => void
  readonly onWarning: (warning: FlogError) => void
}

/** A severity above all: nothing need be shown. */
const NEVER = 25

/**
 * Watches the events of one recorder: asks the qualifier, opens reports, and feeds the one that is open.
 *
 * User code (qualifier, reporter) may log while it is asked. Such events are recorded, but not qualified: a qualifier that
 * logs an error would otherwise qualify for ever.
 */
export class Incidents implements EventObserver {
  watchFrom: number
  readonly #options: IncidentsOptions
  readonly #finisher: Finisher
  readonly #minimum: number
  #open: { readonly report: Report; readonly incident: Incident } | undefined
  /** Events logged while a report is opened: they come after its trigger. */
  #meanwhile: EncodedEvent[] | undefined
  #asking = false
  #recorded = 0
  #qualifierFailures = 0
  #closed = false

  constructor(options: IncidentsOptions) {
    this.#options = options
    this.#minimum = options.qualifier.minimumSeverity ?? 1
    this.watchFrom = this.#minimum
    const { directory, clock, onWarning } = options
    this.#finisher = new Finisher({ directory, clock, onTrouble: onWarning })
  }

  /** The incident whose window is open. */
  get current(): Incident | undefined {
    return this.#open?.incident
  }

  stats(): { readonly recorded: number; readonly qualifierFailures: number } {
    return { recorded: this.#recorded, qualifierFailures: this.#qualifierFailures }
  }

  observe(payload: Uint8Array, severity: number, whole: (() => Uint8Array) | undefined): void {
    const event = new EncodedEvent(payload)
    if (this.#meanwhile !== undefined) {
      this.#meanwhile.push(event)
      return
    }
    const answer = severity >= this.#minimum ? this.#ask(event) : undefined
    if (answer === undefined) this.#open?.report.event(payload, event.seq)
    else this.#trigger('event', event, answer, whole)
  }

  /** An incident that somebody asked for. @returns undefined where the limits do not allow another one */
  request(kind: TriggerKind, payload: Uint8Array, reason: string): Incident | undefined {
    return this.#trigger(kind, new EncodedEvent(payload), { reason }, undefined)
  }

  /** Settles when everything that was triggered is finished or given up; a window that is open is not waited for. */
  async idle(): Promise<void> {
    await this.#finisher.idle()
  }

  /** Ends an open window. The plain file is whole when this returns. */
  closeNow(reason: CloseReason): void {
    this.#open?.report.close(reason)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.watchFrom = NEVER
    this.closeNow('closed')
    await this.#finisher.close()
  }

  #ask(event: EncodedEvent): Qualified | undefined {
    if (this.#asking) return undefined
    this.#asking = true
    try {
      return qualified(this.#options.qualifier.qualifies(event), event)
    } catch (error) {
      this.#qualifierFailed(error)
      return undefined
    } finally {
      this.#asking = false
    }
  }

  #qualifierFailed(cause: unknown): void {
    this.#qualifierFailures++
    if (this.#qualifierFailures > 1) return
    const message = `the incident qualifier threw (${messageOf(cause)}); its event did not begin an incident`
    this.#options.onWarning(new FlogError('FLOG_QUALIFIER_FAILED', message, { cause }))
  }

  #trigger(
    kind: TriggerKind,
    event: EncodedEvent,
    { reason, fingerprint = fingerprintOf(event) }: Qualified,
    whole: (() => Uint8Array) | undefined,
  ): Incident | undefined {
    const { seq, time, payload } = event
    if (this.#open !== undefined) {
      const { incident, report } = this.#open
      report.furtherTrigger(whole?.() ?? payload, { seq, time, kind, reason, fingerprint })
      return incident
    }
    if (this.#closed) return undefined
    const admission = this.#options.limits.admit(fingerprint, { manual: kind === 'manual' })
    if (admission !== 'admitted') return undefined
    const bytes = whole?.() ?? payload
    return this.#openReport({ kind, reason, fingerprint, event: decodeEvent(bytes) }, bytes)
  }

  #openReport(trigger: TriggerRecord, payload: Uint8Array): Incident | undefined {
    const meanwhile: EncodedEvent[] = []
    this.#meanwhile = meanwhile
    let report: Report
    try {
      report = this.#newReport(trigger, payload)
    } catch (cause) {
      const message = `an incident could not be recorded: ${messageOf(cause)}`
      this.#options.onWarning(new FlogError('FLOG_WRITE_FAILED', message, { cause }))
      return undefined
    } finally {
      this.#meanwhile = undefined
    }
    const incident = new Incident(report)
    this.#recorded++
    this.#open = { report, incident }
    this.watchFrom = 1
    this.#options.onIncident(incident)
    report.begin()
    for (const event of meanwhile) report.event(event.payload, event.seq)
    return incident
  }

  #newReport(trigger: TriggerRecord, payload: Uint8Array): Report {
    const { reporter, directory, clock, onWarning } = this.#options
    const defaults = DEFAULT_REPORTER
    const postTrigger = this.#byReporter(() => reporter.postTrigger(trigger), () => defaults.postTrigger(trigger))
    const extra = this.#byReporter(() => reporter.header(trigger), () => undefined)
    const rings = this.#rings().filter(({ handle }) =>
      this.#byReporter(() => reporter.includes(handle, trigger), () => true),
    )
    return new Report({
      header: { ...this.#header(trigger, rings), postTrigger, ...(extra !== undefined && { extra }) },
      sync: systemRandom.bytes(16),
      trigger: { seq: trigger.event.seq, payload },
      rings: rings.map((ring) => ring.handle),
      thread: threadId,
      cap: reporter.cap,
      historyBytes: reporter.historyBytesAtTrigger,
      durable: reporter.durable,
      directory,
      clock,
      onTrouble: onWarning,
      onClosed: (report, reason) => this.#reportClosed(report, reason),
    })
  }

  #header(trigger: TriggerRecord, rings: readonly Ring[]): Omit<IncidentHeader, 'postTrigger'> {
    const { origin, limits, control, clock } = this.#options
    const number = control.nextIncidentNumber()
    return {
      type: 'incident',
      format: `${FORMAT_MAJOR}.${FORMAT_MINOR}`,
      id: incidentId(origin.incarnation, number),
      number,
      openedAt: clock.now(),
      trigger,
      ...origin,
      rings: rings.map(ringState),
      suppressed: limits.takeSuppressed(),
    }
  }

  #rings(): readonly Ring[] {
    return this.#options.rings.rings
  }

  /** What a reporter subclass says, or the default where it throws. */
  #byReporter<T>(ask: () => T, otherwise: () => T): T {
    try {
      return ask()
    } catch (cause) {
      const message = `the incident reporter threw (${messageOf(cause)}); the default was taken instead`
      this.#options.onWarning(new FlogError('FLOG_REPORTER_FAILED', message, { cause }))
      return otherwise()
    }
  }

  #reportClosed(report: Report, reason: CloseReason): void {
    const incident = this.#open?.incident
    this.#open = undefined
    this.watchFrom = this.#closed ? NEVER : this.#minimum
    if (incident === undefined || reason === 'exit') return
    void this.#finisher.finish(report).then((finished) => {
      incident.settle(finished)
      this.#options.onIncident(incident)
    })
  }
}

const DEFAULT_REPORTER = new IncidentReporter()
