import type { Clock } from '../base/clock'
import { FlogError, type FlogErrorCode, invalidOption, messageOf } from '../base/errors'
import { systemRandom } from '../base/random'
import { decodeEvent } from '../codec/decode'
import { EventEncoder } from '../codec/encoder'
import type { PlainObject } from '../event/event'
import type { Redactor } from '../event/redact'
import { INFO } from '../event/severity'
import type { IncidentDirectory } from '../incident/directory'
import type { CloseReason, IncidentHeader, PostTriggerOptions, TriggerRecord } from '../incident/header'
import type { MarkedEvent } from '../incident/history'
import type { IncidentLimits } from '../incident/limits'
import { incidentId } from '../incident/name'
import { newHeader } from '../incident/new-header'
import type { Report } from '../incident/report'
import { IncidentReporter, parseWindow } from '../incident/reporter'
import { UnwrittenMemory } from '../incident/unwritten'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import type { RingSet } from '../ring/set'
import { stateOfRing } from '../ring/state'
import type { Origin } from './origin'

export interface ReportsOptions {
  readonly origin: Origin
  readonly directory: IncidentDirectory
  readonly reporter: IncidentReporter
  readonly limits: IncidentLimits
  readonly redactor: Redactor
  readonly clock: Clock
  readonly control: ControlBlock
  readonly rings: RingSet
  readonly onWarning: (warning: FlogError) => void
  /** A warning of this code may be given again. */
  readonly onRecovered: (code: FlogErrorCode) => void
}

/** What becomes a report. */
export interface Opening {
  readonly trigger: TriggerRecord
  readonly marked: MarkedEvent
  /** Id of the incident that another thread writes at the same time. */
  readonly relatedTo?: string | undefined
  /** Rings of other threads of the process. */
  readonly others: readonly RingHandle[]
  /** Last `seq` of the history, as far as it is this thread's. */
  readonly until: number
  /** Called when the reporter was asked, right before the file is made and the rings are read. */
  readonly beforeHistory: (number: number) => void
  /** Called before the trailer is written. */
  readonly beforeClose: () => void
  readonly onClosed: (report: Report, reason: CloseReason) => void
}

/** Bytes that a reporter subclass may add to a header. */
const EXTRA_BYTES = 64 * 1024

/** Asks the reporter, which may be user code, what a report should hold, and begins it. */
export class Reports {
  /** Holds what the disk refuses, of all reports together. */
  readonly unwritten = new UnwrittenMemory()
  /** Reports that the disk refused. */
  refused = 0
  readonly #options: ReportsOptions
  readonly #Report: typeof Report

  constructor(options: ReportsOptions) {
    this.#options = options
    // With the first recorder, not with the package. Not at the first trigger either: a process that has run out of
    // descriptors can load nothing.
    this.#Report = (require('../incident/report') as typeof import('../incident/report')).Report
  }

  /** Id of an incident of this process, by its number; undefined for 0, which is none. */
  idOf(number: number): string | undefined {
    return number === 0 ? undefined : incidentId(this.#options.origin.incarnation, number)
  }

  /** @throws FlogError FLOG_WRITE_FAILED for a header that no reader would take */
  open(opening: Opening): Report {
    const { trigger, marked, relatedTo, others, until, beforeHistory, beforeClose, onClosed } = opening
    const { reporter, directory, clock, onWarning, onRecovered } = this.#options
    const all = [...this.#options.rings.handles, ...others]
    const rings = all.filter((ring) => this.#includes(ring, trigger))
    const header = this.#header(trigger, rings, relatedTo)
    beforeHistory(header.number)
    return new this.#Report({
      ...{ header, until, rings, directory, clock, beforeClose, onClosed },
      sync: systemRandom.bytes(16),
      trigger: marked,
      thread: this.#options.rings.thread,
      cap: reporter.cap,
      historyBytes: reporter.historyBytesAtTrigger,
      durable: reporter.durable,
      unwritten: this.unwritten,
      onTrouble: (error) => {
        this.refused++
        onWarning(error)
      },
      onRecovered: () => onRecovered('FLOG_WRITE_FAILED'),
    })
  }

  #header(
    trigger: TriggerRecord,
    rings: readonly RingHandle[],
    relatedTo: string | undefined,
  ): IncidentHeader {
    const { origin, limits, control, clock } = this.#options
    const extra = this.#extra(trigger)
    const postTrigger = this.#window(trigger)
    const number = control.nextIncidentNumber()
    return newHeader(origin, {
      number,
      openedAt: clock.now(),
      trigger,
      rings: rings.map(stateOfRing),
      suppressed: limits.takeSuppressed(),
      postTrigger,
      ...(relatedTo !== undefined && { relatedTo }),
      ...(extra !== undefined && { extra }),
    })
  }

  #window(trigger: TriggerRecord): PostTriggerOptions {
    const { reporter } = this.#options
    return this.#byReporter(
      () => parseWindow('postTrigger()', reporter.postTrigger(trigger)),
      () => IncidentReporter.prototype.postTrigger.call(reporter, trigger),
    )
  }

  /** By value, redacted and bounded, as everything else that ends up in a file. */
  #extra(trigger: TriggerRecord): PlainObject | undefined {
    const { reporter, redactor } = this.#options
    return this.#byReporter(
      () => {
        const extra: unknown = reporter.header(trigger)
        if (extra === undefined || extra === null) return undefined
        if (typeof extra !== 'object') throw invalidOption('header()', 'plain data', extra)
        const encoder = new EventEncoder(redactor, EXTRA_BYTES)
        return decodeEvent(encoder.bytes.slice(0, encoder.encode(0, INFO, '', '', extra))).fields
      },
      () => undefined,
    )
  }

  #includes(ring: RingHandle, trigger: TriggerRecord): boolean {
    const { reporter } = this.#options
    return this.#byReporter(
      () => reporter.includes(ring, trigger),
      () => true,
    )
  }

  /** What a reporter subclass says, or the default where it throws. */
  #byReporter<T>(ask: () => T, otherwise: () => T): T {
    try {
      return ask()
    } catch (cause) {
      const message = `the incident reporter failed (${messageOf(cause)}); the default was taken instead`
      this.#options.onWarning(new FlogError('FLOG_REPORTER_FAILED', message, { cause }))
      return otherwise()
    }
  }
}
