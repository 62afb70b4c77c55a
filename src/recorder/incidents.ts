import type { Clock } from '../base/clock'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { TRIGGER_TEXT_CHARS } from '../base/limits'
import { decodeEvent } from '../codec/decode'
import { EncodedEvent } from '../codec/view'
import type { TriggerKind } from '../event/event'
import type { IncidentDirectory } from '../incident/directory'
import { fingerprintOf } from '../incident/fingerprint'
import { Finisher, type FinisherOptions } from '../incident/finisher'
import type { Following } from '../incident/following'
import type { CloseReason } from '../incident/header'
import type { IncidentLimits } from '../incident/limits'
import { type IncidentQualifier, type Qualified, qualified } from '../incident/qualifier'
import type { Report } from '../incident/report'
import type { ControlBlock } from '../ring/control'
import type { EventObserver } from './capture'
import { Incident } from './incident'
import type { Reports } from './reports'
import type { Threads } from './threads'

export interface IncidentsOptions {
  readonly directory: IncidentDirectory
  readonly qualifier: IncidentQualifier
  readonly reports: Reports
  readonly limits: IncidentLimits
  readonly clock: Clock
  readonly control: ControlBlock
  /** Other threads of the process that record; who of them reports is settled at their desk. */
  readonly threads?: Threads | undefined
  /** Finishes incidents in another thread. */
  readonly elsewhere?: FinisherOptions['elsewhere']
  readonly onIncident: (incident: Incident) => void
  readonly onWarning: (warning: FlogError) => void
  /** A warning of this code may be given again. */
  readonly onRecovered: (code: FlogErrorCode) => void
}

export interface IncidentsStats {
  readonly recorded: number
  readonly qualifierFailures: number
  readonly lostEvents: number
  readonly unfinished: number
}

/** An event of which something may become of its own accord, or because somebody asked for it. */
interface Candidate {
  readonly kind: TriggerKind
  readonly event: EncodedEvent
  /** The same event without the usual limit, where that cut it. */
  readonly whole?: (() => Uint8Array) | undefined
  /** Why it was asked for; an event that nobody asked about has none. */
  readonly reason?: string
  /** Held back by `perHour` only. */
  readonly unlimited?: boolean
}

/** What more may be said of an incident that is asked for. */
export interface RequestOptions {
  readonly whole?: Candidate['whole']
  /** Whether cool-down and fingerprint hold it back, as they do an event that qualifies; default false. */
  readonly limited?: boolean
}

/** A severity above all: nothing need be shown. */
const NEVER = 25

/**
 * Watches the events of one recorder: asks the qualifier, opens reports, and feeds the one that is open.
 *
 * User code (qualifier, reporter, listeners) may log while it is asked. Such events are recorded and, if a report is open
 * then, appended to it after the one in hand; but they are not qualified: a qualifier that logs an error would otherwise
 * qualify for ever.
 *
 * ```
 *   observe ──> asking? ──yes──> held ─────────────────────────────┐ in order, when user code is through
 *                  └──no──> qualifies? ──> history is written, then ┴──> window
 * ```
 */
export class Incidents implements EventObserver {
  watchFrom: number
  readonly #options: IncidentsOptions
  readonly #finisher: Finisher
  readonly #minimum: number
  #open: { readonly report: Report; readonly incident: Incident } | undefined
  #following: Following | undefined
  /** Whether the desk is ours. */
  #claimed = false
  /** What is logged while user code is asked, or undefined while it is not. */
  #held: Candidate[] | undefined
  /** The last event that was in a ring before user code was asked. */
  #until = 0
  #recorded = 0
  #qualifierFailures = 0
  #lostEvents = 0
  #closed = false

  constructor(options: IncidentsOptions) {
    this.#options = options
    this.#minimum = options.qualifier.minimumSeverity ?? 1
    this.watchFrom = this.#minimum
    const { directory, clock, elsewhere, onWarning, onRecovered } = options
    this.#finisher = new Finisher({ directory, clock, elsewhere, onTrouble: onWarning, onRecovered })
  }

  /** The incident whose window is open. */
  get current(): Incident | undefined {
    return this.#open?.incident
  }

  stats(): IncidentsStats {
    const lostEvents = this.#lostEvents + (this.#open?.report.lost ?? 0)
    const { unfinished } = this.#finisher
    return { recorded: this.#recorded, qualifierFailures: this.#qualifierFailures, lostEvents, unfinished }
  }

  observe(payload: Uint8Array, severity: number, whole: (() => Uint8Array) | undefined): void {
    const event = new EncodedEvent(payload)
    if (this.#held !== undefined) this.#held.push({ kind: 'event', event })
    else if (severity < this.#minimum) this.#open?.report.event(payload, event.seq)
    else this.#alone(() => this.#qualify({ kind: 'event', event, whole }))
  }

  /**
   * An incident that somebody asked for. While user code is asked about another event, it waits until that is through.
   * @returns undefined where the limits do not allow another one, or where it waits and none is open
   */
  request(
    kind: TriggerKind,
    payload: Uint8Array,
    reason: string,
    { whole, limited = false }: RequestOptions = {},
  ): Incident | undefined {
    const candidate = { kind, event: new EncodedEvent(payload), reason, whole, unlimited: !limited }
    if (this.#held !== undefined) {
      this.#held.push(candidate)
      return this.#open?.incident
    }
    let incident: Incident | undefined
    this.#alone(() => {
      incident = this.#trigger(candidate, { reason })
    })
    return incident
  }

  /** An event for the window, if one is open; it begins no incident, whatever a qualifier would say of it. */
  append(payload: Uint8Array): void {
    const event = new EncodedEvent(payload)
    if (this.#held !== undefined) this.#held.push({ kind: 'event', event })
    else this.#open?.report.event(payload, event.seq)
  }

  /** Settles when everything that was triggered is finished, or refused; a window that is open is not waited for. */
  async idle(): Promise<void> {
    await this.#finisher.idle()
  }

  /** Ends an open window. The plain file is whole when this returns, if the disk takes it. */
  closeNow(reason: CloseReason): void {
    // Whoever is asked may end the process.
    for (const { event } of this.#held?.splice(0) ?? []) this.#open?.report.event(event.payload, event.seq)
    this.#open?.report.close(reason)
    if (reason === 'exit') this.#finisher.flushNow()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.closeNow('closed')
    this.#watch()
    await this.#finisher.close()
  }

  /** Runs what asks user code, and then sees to what that logged meanwhile. Never throws. */
  #alone(action: () => void): void {
    const held: Candidate[] = []
    this.#held = held
    this.#until = this.#options.control.published
    this.watchFrom = 1
    this.#guarded(action)
    for (let next = held.shift(); next !== undefined; next = held.shift()) {
      const candidate = next
      this.#guarded(() => this.#takeHeld(candidate))
    }
    this.#held = undefined
    this.#watch()
  }

  #guarded(action: () => void): void {
    try {
      action()
    } catch (cause) {
      const message = `an incident could not be recorded: ${messageOf(cause)}`
      this.#options.onWarning(new FlogError('FLOG_WRITE_FAILED', message, { cause }))
    }
  }

  #takeHeld(candidate: Candidate): void {
    const { event, reason } = candidate
    this.#until = event.seq
    if (reason !== undefined) this.#trigger(candidate, { reason })
    else this.#open?.report.event(event.payload, event.seq)
  }

  #watch(): void {
    const quiet = this.#closed ? NEVER : this.#minimum
    this.watchFrom = this.#open === undefined ? quiet : 1
  }

  #qualify(candidate: Candidate): void {
    const { event } = candidate
    const answer = this.#ask(event)
    if (answer === undefined) this.#open?.report.event(event.payload, event.seq)
    else this.#trigger(candidate, answer)
  }

  #ask(event: EncodedEvent): Qualified | undefined {
    try {
      const answer: unknown = this.#options.qualifier.qualifies(event)
      return typeof answer === 'object' && answer !== null ? soundAnswer(answer) : soundFlag(answer, event)
    } catch (error) {
      this.#qualifierFailed(error)
      return undefined
    }
  }

  #qualifierFailed(cause: unknown): void {
    this.#qualifierFailures++
    if (this.#qualifierFailures > 1) return
    const message = `the incident qualifier failed (${messageOf(cause)}); its event did not begin an incident`
    this.#options.onWarning(new FlogError('FLOG_QUALIFIER_FAILED', message, { cause }))
  }

  #trigger(candidate: Candidate, { reason, fingerprint: given }: Qualified): Incident | undefined {
    const { kind, event } = candidate
    const fingerprint = given ?? fingerprintOf(event)
    if (this.#open !== undefined) {
      const { incident, report } = this.#open
      const { seq, time } = event
      report.furtherTrigger(wholeOf(candidate), { seq, time, kind, reason, fingerprint })
      return incident
    }
    if (this.#closed) return undefined
    const admission = this.#options.limits.admit(fingerprint, { manual: candidate.unlimited === true })
    return admission === 'admitted' ? this.#openReport(candidate, { reason, fingerprint }) : undefined
  }

  /** @returns undefined where another thread reports, and has taken the event into its file */
  #openReport(candidate: Candidate, { reason, fingerprint }: Required<Qualified>): Incident | undefined {
    const { threads, reports, onIncident } = this.#options
    const outcome = threads?.arbitrate(candidate.event.seq) ?? 'alone'
    if (outcome === 'handed over') return undefined
    this.#claimed = outcome === 'claimed'
    const payload = wholeOf(candidate)
    const until = this.#until
    const report = this.#orRelease(() =>
      reports.open({
        relatedTo: this.#claimed ? undefined : reports.idOf(threads?.desk.number ?? 0),
        others: threads?.rings() ?? [],
        trigger: { kind: candidate.kind, reason, fingerprint, event: decodeEvent(payload) },
        marked: { seq: candidate.event.seq, payload },
        until,
        beforeHistory: (number) => {
          if (this.#claimed) threads?.desk.note(number)
          threads?.opened(reports.idOf(number))
          this.#forgetHeld(until)
        },
        beforeClose: () => this.#following?.drain(),
        onClosed: (closed, why) => this.#reportClosed(closed, why),
      }),
    )
    const incident = new Incident(report)
    this.#recorded++
    this.#open = { report, incident }
    this.follow()
    this.#finisher.prepare()
    report.begin()
    onIncident(incident)
    return incident
  }

  /** Begins to follow the rings of other threads, where there are any and a window is open. */
  follow(): void {
    const { threads, control, clock } = this.#options
    const report = this.#open?.report
    if (threads === undefined || report === undefined || this.#following !== undefined) return
    if (threads.rings().length > 0)
      this.#following = threads.follow(report, { control, clock, owns: this.#claimed })
  }

  /** What is held and in the history must not come twice: events that were stamped long before they were recorded. */
  #forgetHeld(until: number): void {
    const held = this.#held ?? []
    const kept = held.filter(({ event, reason }) => event.seq > until || reason !== undefined)
    held.splice(0, held.length, ...kept)
  }

  #orRelease(open: () => Report): Report {
    try {
      return open()
    } catch (error) {
      this.#release()
      throw error
    }
  }

  #release(): void {
    this.#following?.end()
    this.#following = undefined
    if (this.#claimed) this.#options.threads?.release()
    this.#claimed = false
  }

  #reportClosed(report: Report, reason: CloseReason): void {
    const incident = this.#open?.incident
    this.#open = undefined
    this.#release()
    const { lost } = report
    this.#lostEvents += lost
    if (this.#held === undefined) this.#watch()
    if (incident === undefined || reason === 'exit') return
    void this.#finisher.finish(report).then((finished) => {
      this.#lostEvents += report.lost - lost
      if (finished !== undefined) this.#options.threads?.settled(incident.id)
      incident.settle(finished)
      this.#alone(() => this.#options.onIncident(incident))
    })
  }
}

/** The event as it was logged, or cut where it cannot be had again. */
function wholeOf({ event, whole }: Candidate): Uint8Array {
  try {
    return whole?.() ?? event.payload
  } catch {
    return event.payload
  }
}

/** A promise is an object too, but no answer. @throws TypeError */
function soundAnswer(answer: object): Qualified {
  const { reason, fingerprint } = answer as { readonly reason?: unknown; readonly fingerprint?: unknown }
  if (typeof reason !== 'string') throw new TypeError('it returned an object without a reason')
  const clipped = reason.slice(0, TRIGGER_TEXT_CHARS)
  return typeof fingerprint === 'string'
    ? { reason: clipped, fingerprint: fingerprint.slice(0, TRIGGER_TEXT_CHARS) }
    : { reason: clipped }
}

function soundFlag(answer: unknown, event: EncodedEvent): Qualified | undefined {
  if (answer === undefined || answer === null) return undefined
  if (typeof answer !== 'boolean') throw new TypeError(`it returned a ${typeof answer}, not true or false`)
  return qualified(answer, event)
}
