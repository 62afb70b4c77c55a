import type { MessagePort } from 'node:worker_threads'
import { type Clock, SystemClock, type Timer } from '../base/clock'
import type { FlogError } from '../base/errors'
import { BLACK_BOX_IDLE_POLL_MS, BLACK_BOX_POLL_MS } from '../base/limits'
import { Redactor } from '../event/redact'
import { ERROR, INFO } from '../event/severity'
import { BlackBox } from '../incident/black-box/black-box'
import { BlackBoxGuard } from '../incident/black-box/guard'
import { ReportDesk } from '../incident/desk'
import { IncidentDirectory } from '../incident/directory'
import { type FinishedIncident, finishIncident } from '../incident/finish'
import { Finisher } from '../incident/finisher'
import { IncidentLimits } from '../incident/limits'
import type { Report } from '../incident/report'
import { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import { Roster } from '../ring/roster'
import { Calls, failureOf } from './calls'
import { HostedPublishers } from './publishers'
import { SidecarReports } from './reports'
import type { AppService, SidecarService, SidecarSetup } from './setup'
import { StallWatch } from './stall'

const STATS_MS = 1000
/** Bytes of rings that are forgotten before their memory is asked back. */
const FORGOTTEN_BYTES = 32 * 1024 * 1024
/** More than the 64 MiB of memory outside of its heap after which V8 begins to collect. */
const PRESSURE_BYTES = 72 * 1024 * 1024

/**
 * The second thread of a process: keeps the black box, watches the app thread, publishes, and finishes incidents. It sees
 * of the app what is in shared memory, and needs nothing of it.
 */
export class SidecarThread {
  readonly #setup: SidecarSetup
  readonly #clock: Clock
  readonly #control: ControlBlock
  readonly #directory: IncidentDirectory
  readonly #app: Calls<AppService>
  readonly #finisher: Finisher
  readonly #reports: SidecarReports
  readonly #publishers: HostedPublishers
  readonly #blackBox: BlackBox | undefined
  readonly #stalls: StallWatch | undefined
  readonly #roster: Roster
  #poll: Timer | undefined
  readonly #telling: Timer
  #told = ''
  #forgottenBytes = 0

  constructor(setup: SidecarSetup, port: MessagePort) {
    this.#setup = setup
    this.#control = new ControlBlock(setup.control)
    this.#clock = new SystemClock(this.#control.clockAnchor)
    const { channel, members } = setup
    this.#roster = new Roster({
      ...{ channel, members, clock: this.#clock },
      self: undefined,
      answers: true,
      onJoin: (rings) => this.#blackBox?.add(rings),
      onLeave: (rings) => this.#blackBox?.ended(rings),
      onForget: (rings) => this.#forget(rings),
    })
    this.#app = new Calls<AppService>(port, this.#service(port))
    // Also where the recorder did not wait for an answer.
    port.on('close', () => void this.#close())
    const onTrouble = (error: Error): void => this.#app.tell('trouble', failureOf(error))
    const onRecovered = (code: FlogError['code']): void => this.#app.tell('recovered', code)
    this.#directory = new IncidentDirectory({ ...setup.directory, onWarning: onTrouble })
    this.#finisher = new Finisher({
      directory: this.#directory,
      clock: this.#clock,
      onTrouble,
      onRecovered,
    })
    this.#reports = this.#newReports(onTrouble, () => onRecovered('FLOG_WRITE_FAILED'))
    this.#publishers = new HostedPublishers(this.#published())
    this.#blackBox = this.#newBlackBox(onTrouble, onRecovered)
    this.#stalls = setup.stallMs > 0 ? this.#newStallWatch() : undefined
    this.#telling = this.#clock.every(STATS_MS, () => this.#tellStats())
    this.#keepBlackBox()
    this.#app.tell('ready', undefined)
  }

  #service(port: MessagePort): SidecarService {
    return {
      publish: (options) => this.#publishers.publish(options),
      dialOut: (to) => this.#publishers.dialOut(to),
      hangUp: (dialled) => this.#publishers.hangUp(dialled),
      unpublish: (publisher) => this.#publishers.unpublish(publisher),
      finish: (path) => this.#finish(path),
      idle: () => this.#finisher.idle(),
      close: async () => {
        await this.#close()
        // Only now: the answer is on its way before the port is closed.
        setImmediate(() => port.close())
      },
    }
  }

  async #close(): Promise<void> {
    this.#stalls?.close()
    this.#telling.cancel()
    this.#reports.close()
    await this.#publishers.close()
    await this.#finisher.close()
    this.#poll?.cancel()
    this.#roster.close()
    this.#blackBox?.close()
  }

  async #finish(path: string): Promise<FinishedIncident> {
    const { fileMode } = this.#directory
    const finished = await finishIncident(path, { clock: this.#clock, fileMode })
    await this.#directory.enforceQuota(finished.summary.id)
    return finished
  }

  #keepBlackBox(): void {
    const hadNews = this.#blackBox?.poll() === true
    const ms = hadNews ? BLACK_BOX_POLL_MS : BLACK_BOX_IDLE_POLL_MS
    if (this.#blackBox !== undefined) this.#poll = this.#clock.after(ms, () => this.#keepBlackBox())
  }

  #newBlackBox(
    onTrouble: (error: Error) => void,
    onRecovered: (code: FlogError['code']) => void,
  ): BlackBox | undefined {
    const { blackBox, origin, startedAt } = this.#setup
    if (blackBox === undefined) return undefined
    const members = this.#roster.members()
    const box = new BlackBox({
      directory: new IncidentDirectory({ ...blackBox.directory, onWarning: onTrouble }),
      id: blackBox.id,
      startedAt,
      origin,
      rings: members.flatMap(({ rings }) => rings),
      control: this.#control,
      clock: this.#clock,
      guard: new BlackBoxGuard(blackBox.guard),
      onTrouble,
      onRecovered: () => onRecovered('FLOG_WRITE_FAILED'),
    })
    for (const { hasLeft, rings } of members) if (hasLeft) box.ended(rings)
    return box
  }

  /**
   * V8 does not count shared memory, and in this thread, which makes little garbage, it would not collect for hours what
   * keeps the rings of ended threads from being freed. Memory that it counts makes it; untouched, it takes no room.
   */
  #forget(rings: readonly RingHandle[]): void {
    this.#blackBox?.forget(rings)
    for (const { memory } of rings) this.#forgottenBytes += memory.byteLength
    if (this.#forgottenBytes < FORGOTTEN_BYTES) return
    this.#forgottenBytes = 0
    new ArrayBuffer(PRESSURE_BYTES)
  }

  #newReports(onTrouble: (error: Error) => void, onRecovered: () => void): SidecarReports {
    const { desk, limits, redactions } = this.#setup
    return new SidecarReports({
      setup: this.#setup,
      control: this.#control,
      desk: new ReportDesk(desk),
      directory: this.#directory,
      limits: new IncidentLimits({ ...limits, clock: this.#clock }),
      redactor: new Redactor(redactions),
      clock: this.#clock,
      rings: () => this.#roster.rings(),
      onTrouble,
      onRecovered,
      onOpened: (report) => this.#opened(report),
      onClosed: (report) => void this.#closed(report),
    })
  }

  #opened(report: Report): void {
    this.#finisher.prepare()
    this.#app.tell('opened', { header: report.header, path: report.path })
  }

  async #closed(report: Report): Promise<void> {
    const finished = await this.#finisher.finish(report)
    this.#app.tell('closed', { id: report.header.id, finished })
  }

  #newStallWatch(): StallWatch {
    return new StallWatch({
      stallMs: this.#setup.stallMs,
      beatsBefore: this.#setup.beatsBefore,
      control: this.#control,
      clock: this.#clock,
      capMs: this.#setup.report.cap.ms,
      trigger: (ms, stack) =>
        this.#reports.trigger({
          kind: 'stall',
          reason: `the event loop has not turned for ${Math.round(ms)} ms`,
          severity: ERROR,
          message: 'the event loop has not turned for {ms} ms',
          facility: 'process.stall',
          fields: { ms: Math.round(ms), stack },
        }),
      add: (report, stack) =>
        this.#reports.add(report, {
          severity: ERROR,
          message: 'what the event loop was stuck in',
          facility: 'process.stall',
          fields: { stack },
        }),
    })
  }

  #published(): ConstructorParameters<typeof HostedPublishers>[0] {
    return {
      origin: this.#setup.origin,
      startedAt: this.#setup.startedAt,
      directory: this.#directory,
      rings: () => this.#roster.rings(),
      control: this.#control,
      clock: this.#clock,
      ask: (wish) => this.#app.ask('capture', wish),
      captureHere: (reason) => this.#capture(reason),
      onDialled: (dialled, state) => this.#app.tell('dialled', { dialled, state }),
    }
  }

  #capture(reason: string): string | undefined {
    const report = this.#reports.trigger({
      kind: 'manual',
      reason,
      severity: INFO,
      message: 'incident asked for: {reason}',
      facility: 'flog',
      fields: { kind: 'manual', reason },
    })
    report?.begin()
    return report?.header.id
  }

  #tellStats(): void {
    const { refused, overruns } = this.#blackBox ?? {}
    const blackBox = refused === undefined || overruns === undefined ? undefined : { refused, overruns }
    const stats = { publishers: this.#publishers.stats(), blackBox, stalls: this.#stalls?.count ?? 0 }
    const text = JSON.stringify(stats)
    if (text !== this.#told) this.#app.tell('stats', stats)
    this.#told = text
  }
}
