import type { Clock } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import { DESK_POLL_MS } from '../base/limits'
import { systemRandom } from '../base/random'
import { decodeEvent } from '../codec/decode'
import { EventEncoder } from '../codec/encoder'
import type { PlainObject, TriggerKind } from '../event/event'
import type { Redactor } from '../event/redact'
import { type ReportDesk, release } from '../incident/desk'
import type { IncidentDirectory } from '../incident/directory'
import { fingerprintOf } from '../incident/fingerprint'
import { Following } from '../incident/following'
import type { IncidentHeader } from '../incident/header'
import type { IncidentLimits } from '../incident/limits'
import { incidentId } from '../incident/name'
import { newHeader } from '../incident/new-header'
import { Report } from '../incident/report'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import { stateOfRing } from '../ring/state'
import { DESK_SIDECAR, type SidecarSetup } from './setup'

export interface SidecarReportsOptions {
  readonly setup: SidecarSetup
  readonly control: ControlBlock
  readonly desk: ReportDesk
  readonly directory: IncidentDirectory
  readonly limits: IncidentLimits
  readonly redactor: Redactor
  readonly clock: Clock
  readonly rings: () => readonly RingHandle[]
  readonly onTrouble: (error: Error) => void
  readonly onRecovered: () => void
  readonly onOpened: (report: Report) => void
  readonly onClosed: (report: Report) => void
}

/** An event of the second thread, which is in no ring. */
export interface SidecarEvent {
  readonly severity: number
  readonly message: string
  readonly facility: string
  readonly fields: object
}

/** Why the second thread reports, and the event that says so. */
export interface SidecarTrigger extends SidecarEvent {
  readonly kind: TriggerKind
  readonly reason: string
}

/**
 * Reports that this thread writes, of rings that others fill: history at once, then what comes, for which the rings are
 * looked at again and again. Events that qualify meanwhile are handed over by their threads (`incident/desk.ts`).
 */
export class SidecarReports {
  readonly #options: SidecarReportsOptions
  #open: { readonly report: Report; readonly following: Following } | undefined
  #closed = false

  constructor(options: SidecarReportsOptions) {
    this.#options = options
  }

  /**
   * Begins a report, or marks a further trigger in the one that this thread writes. Its window begins with
   * {@link Report.begin}.
   * @returns undefined where limits hold it back
   */
  trigger(trigger: SidecarTrigger): Report | undefined {
    const { control, clock, limits } = this.#options
    const seq = control.nextSeq()
    const payload = this.#encode(trigger, clock.now(), seq)
    const event = decodeEvent(payload)
    const fingerprint = fingerprintOf(event)
    const { kind, reason } = trigger
    if (this.#open !== undefined) {
      this.#open.report.furtherTrigger(payload, { seq, time: event.time, kind, reason, fingerprint })
      return this.#open.report
    }
    if (this.#closed || limits.admit(fingerprint, { manual: kind === 'manual' }) !== 'admitted')
      return undefined
    try {
      return this.#follow(this.#begin({ kind, reason, fingerprint, event }, payload, seq))
    } catch (cause) {
      // As for a header that no reader would take.
      this.#giveUp()
      const message = `an incident could not be recorded: ${messageOf(cause)}`
      this.#options.onTrouble(new FlogError('FLOG_WRITE_FAILED', message, { cause }))
      return undefined
    }
  }

  /** An event for the window of a report. */
  add(report: Report, event: SidecarEvent): void {
    const { control, clock } = this.#options
    const seq = control.nextSeq()
    report.event(this.#encode(event, clock.now(), seq), seq)
  }

  /** Ends what is open, and begins nothing any more. */
  close(): void {
    this.#closed = true
    this.#open?.report.close('closed')
  }

  /** Only now is the desk free for others: what has begun is ended first, and with it what was handed over. */
  #giveUp(): void {
    this.#open?.report.close('closed')
    release(this.#options.desk, DESK_SIDECAR)
  }

  #follow({ report, owns }: { readonly report: Report; readonly owns: boolean }): Report {
    const { rings, desk, control, clock } = this.#options
    const following = new Following({
      ...{ report, control, clock, rings },
      pollMs: DESK_POLL_MS,
      desk: owns ? { desk, thread: DESK_SIDECAR } : undefined,
    })
    this.#open = { report, following }
    this.#options.onOpened(report)
    return report
  }

  #begin(
    trigger: IncidentHeader['trigger'],
    payload: Uint8Array,
    seq: number,
  ): { readonly report: Report; readonly owns: boolean } {
    const { control, desk, setup, directory, clock, onTrouble, onRecovered } = this.#options
    const owns = desk.claim(DESK_SIDECAR)
    const other = owns ? 0 : desk.number
    const number = control.nextIncidentNumber()
    if (owns) desk.note(number)
    const rings = this.#options.rings()
    const report = new Report({
      header: this.#header(trigger, number, rings, other),
      sync: systemRandom.bytes(16),
      trigger: { seq, payload },
      // All that is there: what comes behind it is followed from the end of it.
      until: Number.MAX_SAFE_INTEGER,
      rings,
      thread: OF_NO_RING,
      cap: setup.report.cap,
      historyBytes: setup.report.historyBytes,
      durable: setup.report.durable,
      directory,
      clock,
      onTrouble,
      onRecovered,
      beforeClose: () => this.#open?.following.drain(),
      onClosed: (closed) => this.#reportClosed(closed),
    })
    return { report, owns }
  }

  #reportClosed(report: Report): void {
    this.#open?.following.end()
    this.#open = undefined
    this.#options.onClosed(report)
  }

  #header(
    trigger: IncidentHeader['trigger'],
    number: number,
    rings: readonly RingHandle[],
    other: number,
  ): IncidentHeader {
    const { setup, clock, limits } = this.#options
    return newHeader(setup.origin, {
      number,
      openedAt: clock.now(),
      trigger,
      rings: rings.map(stateOfRing),
      suppressed: limits.takeSuppressed(),
      postTrigger: setup.report.postTrigger,
      ...(other > 0 && { relatedTo: incidentId(setup.origin.incarnation, other) }),
      extra: WRITTEN_BY,
    })
  }

  #encode({ severity, message, facility, fields }: SidecarEvent, time: number, seq: number): Uint8Array {
    const encoder = new EventEncoder(this.#options.redactor)
    const length = encoder.encode(time, severity, message, facility, fields)
    encoder.stamp(seq)
    return encoder.bytes.slice(0, length)
  }
}

/** No ring is this thread's own: all are copied and then checked. */
const OF_NO_RING = -1

/** A qualifier or reporter of the program's own was not asked: they cannot leave their thread. */
const WRITTEN_BY: PlainObject = { writtenBy: 'the second thread, by the declarative options of the reporter' }
