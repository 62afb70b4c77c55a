import type { ChildProcess } from 'node:child_process'
import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { type Clock, type ClockStep, SystemClock } from '../base/clock'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { TRIGGER_TEXT_CHARS } from '../base/limits'
import { type Context, runWithContext } from '../event/context'
import { INFO, WARN } from '../event/severity'
import { IncidentDirectory } from '../incident/directory'
import type { SuppressedCounts } from '../incident/header'
import { IncidentLimits } from '../incident/limits'
import type { PublishOptions } from '../remote/publish-process'
import type { Publisher } from '../remote/publisher'
import type { RingState } from '../ring/layout'
import type { RingSet } from '../ring/set'
import { stateOfRing } from '../ring/state'
import { Adoption } from './adoption'
import { Capture } from './capture'
import { Children } from './children'
import { Elsewhere } from './elsewhere'
import { Incident } from './incident'
import { Incidents } from './incidents'
import { passOn } from './lineage'
import { Logger } from './logger'
import { parseOptions, type RecorderOptions, type Settings } from './options'
import { type Origin, originOf } from './origin'
import { placeOf } from './place'
import { onProcessExit, processState } from './process'
import type { ProcessEvents } from './process-events'
import { Reports } from './reports'
import { ringsOf } from './ring-options'
import type { SecondThread } from './second-thread'
import type { SidecarSettings } from './sidecar-options'
import type { Threads, ThreadsOptions } from './threads'
import type { WarmUp } from './warm-up'

/** Recorder-made events are of this facility and below. */
const OWN_FACILITY = 'flog'

export interface RecorderStats {
  readonly rings: readonly RingState[]
  readonly incidents: {
    /** Reports that were opened. */
    readonly recorded: number
    readonly suppressed: SuppressedCounts
    /** Times that the qualifier threw, or gave no answer that can be understood. */
    readonly qualifierFailures: number
    /** Incidents whose window is over and whose finished file is not in place yet. */
    readonly unfinished: number
    /** Times that the disk began to refuse an incident. */
    readonly refused: number
    /** Bytes that wait in memory for a disk that refuses them. */
    readonly unwrittenBytes: number
    /** Events that incidents lack, because too much waited already. */
    readonly lostEvents: number
  }
  /** Events that could not be recorded; 0 unless there is a bug. */
  readonly failed: number
}

interface RecorderEvents {
  /** Twice an incident: when it is opened, and when its finished file is in place (`incident.phase`). */
  incident: [incident: Incident]
  /** Something that does not stop the recorder and should be known. Without a listener it is a process warning. */
  warning: [warning: FlogError]
}

/**
 * Records everything in memory, and writes one file when something goes wrong.
 * @throws FlogError FLOG_OPTION_INVALID naming the option
 */
export function createRecorder(options: RecorderOptions = {}): Recorder {
  return new Recorder(parseOptions(options))
}

/** A flight recorder: a {@link Logger} with rings, a qualifier and an incident directory behind it. */
export class Recorder extends Logger {
  readonly directory: string
  readonly origin: Origin
  readonly #emitter = new EventEmitter<RecorderEvents>()
  readonly #incidents: Incidents
  readonly #reports: Reports
  readonly #incidentDirectory: IncidentDirectory
  readonly #limits: IncidentLimits
  readonly #rings: RingSet
  readonly #clock: Clock
  readonly #adoption: Adoption
  readonly #children: Children
  readonly #processEvents: ProcessEvents | undefined
  readonly #forgetExit: () => void
  readonly #second: SecondThread | undefined
  readonly #threads: Threads | undefined
  /** Incidents that the second thread writes, by id. */
  readonly #elsewhere = new Map<string, Incident>()
  readonly #disinherit: (() => void) | undefined
  readonly #startedAt: number
  readonly #warmUp: WarmUp
  readonly #warned = new Set<string>()
  #publishers: Publisher[] = []
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(settings: Settings, ownClock?: Clock) {
    const { qualifier, reporter, redactor, eventBytes, sidecar } = settings
    // First of all: a thread that joins its process takes over its numbers.
    const place = sidecar && placeOf(settings.directory)
    const { incarnation, control } = processState()
    const clock = ownClock ?? new SystemClock(control.clockAnchor)
    const rings = ringsOf(settings, place?.thread ?? 0)
    const origin = originOf(incarnation, settings, redactor)
    const limits = new IncidentLimits({ ...settings.limits, clock })
    const onWarning = (warning: FlogError) => this.#warn(warning)
    const onRecovered = (code: FlogErrorCode) => void this.#warned.delete(code)
    const onIncident = (incident: Incident) => this.#tellIncident(incident)
    const { quota, fileMode } = settings
    const directory = new IncidentDirectory({
      ...{ path: settings.directory, quota, onWarning },
      ...given({ fileMode }),
    })
    const telling = { onWarning, onRecovered }
    const parts = {
      origin,
      directory,
      qualifier,
      reporter,
      redactor,
      limits,
      clock,
      control,
      rings,
      ...telling,
    }
    const reports = new Reports(parts)
    const elsewhere = new Elsewhere()
    const threads =
      place && place.kind !== 'apart'
        ? newThreads({
            ...{ place, directory, clock, elsewhere, onWarning },
            rings: rings.handles,
            onJoin: () => incidents.follow(),
          })
        : undefined
    const incidents: Incidents = new Incidents({ ...parts, reports, threads, elsewhere, onIncident })
    super(new Capture({ clock, control, rings }, redactor, eventBytes, incidents))
    this.directory = settings.directory
    this.origin = origin
    this.#startedAt = clock.now()
    this.#incidents = incidents
    this.#reports = reports
    this.#incidentDirectory = directory
    this.#limits = limits
    this.#rings = rings
    this.#clock = clock
    this.#children = new Children(() => this.#adoption.lookNow())
    this.#adoption = new Adoption(directory, incarnation, clock, onWarning, {
      exitOf: (ended) => this.#children.of(ended),
      blackBoxDirectory: sidecar?.blackBox?.directory,
    })
    this.#forgetExit = onProcessExit({ onExit: () => this.#exit() })
    this.#threads = threads
    this.#second =
      sidecar && threads && place?.kind === 'main'
        ? this.#newSecondThread(settings, sidecar, threads)
        : undefined
    elsewhere.become(this.#second)
    // Later: who makes a recorder has no chance to listen before.
    if (place?.kind === 'apart') queueMicrotask(() => this.#warn(place.warning))
    const { processEvents, inherit } = settings
    if (processEvents !== undefined) {
      const events = require('./process-events') as typeof import('./process-events')
      this.#processEvents = new events.ProcessEvents(processEvents, this.events, incidents)
    }
    this.#disinherit = inherit ? passOn({ ...origin, directory: settings.directory }) : undefined
    if (clock instanceof SystemClock) clock.onStep((step) => this.#clockStepped(step))
    // With the first recorder, not with the package: it brings much of what writes reports.
    const { WarmUp } = require('./warm-up') as typeof import('./warm-up')
    this.#warmUp = new WarmUp(clock, this.#second === undefined)
  }

  /** The incident whose window is open, if there is one. */
  get currentIncident(): Incident | undefined {
    return this.#incidents.current
  }

  /**
   * Begins an incident without an event that qualifies. While one is open, marks a further trigger in it. Never throws.
   * @param reason for people: why; at most 1000 characters are kept
   * @returns the incident, its history written; undefined where `limits.perHour` does not allow another one, or the
   * recorder is closed, or a qualifier or reporter asks: the incident then begins when that is through
   */
  capture(reason: string): Incident | undefined {
    const text = this.events.redactor.text(textOf(reason)).slice(0, TRIGGER_TEXT_CHARS)
    const fields = { kind: 'manual', reason: text }
    const payload = this.events.recordUnobserved(INFO, 'incident asked for: {reason}', OWN_FACILITY, fields)
    return this.#incidents.request('manual', payload, text)
  }

  /** Calls `action`; all events that it and what it starts log carry `context`. */
  run<T>(context: Context, action: () => T): T {
    return runWithContext(context, action)
  }

  on<K extends keyof RecorderEvents>(name: K, listener: (...args: RecorderEvents[K]) => void): this {
    this.#emitter.on(name, listener as never)
    return this
  }

  off<K extends keyof RecorderEvents>(name: K, listener: (...args: RecorderEvents[K]) => void): this {
    this.#emitter.off(name, listener as never)
    return this
  }

  stats(): RecorderStats {
    const { admitted: _, suppressed } = this.#limits.stats()
    return {
      rings: this.#rings.handles.map(stateOfRing),
      incidents: { ...this.#incidents.stats(), suppressed, ...this.#diskStats() },
      failed: this.events.failed,
    }
  }

  /**
   * Serves incidents and live events to remote clients. The publisher is closed with the recorder.
   * @throws FlogError FLOG_OPTION_INVALID, FLOG_KEYS_UNUSABLE, FLOG_REMOTE_UNREACHABLE, FLOG_CLOSED
   */
  async publish(options: PublishOptions = {}): Promise<Publisher> {
    if (this.#isClosing()) throw closed()
    const elsewhere = await this.#second?.publish(options)
    if (elsewhere !== undefined) return this.#keepPublisher(elsewhere)
    // Loaded on demand: an app that only records never loads the remote protocol.
    const { publishRecorder } = require('./publishing') as typeof import('./publishing')
    const publisher = await publishRecorder(options, {
      origin: this.origin,
      startedAt: this.#startedAt,
      directory: this.#incidentDirectory,
      rings: this.#rings.handles,
      control: this.events.control,
      clock: this.#clock,
      capture: (reason) => this.capture(reason),
    })
    return this.#keepPublisher(publisher)
  }

  /**
   * Watches a child process, so that what it leaves behind when it dies is finished here at once, and says how it ended.
   * @returns the child
   */
  watchChild<T extends ChildProcess | Worker>(child: T): T {
    if (!this.#isClosing()) this.#children.watch(child)
    return child
  }

  /**
   * Settles when every incident whose window is over is finished on disk, or was refused by the disk once more. An open
   * window is not waited for. Those that the second thread began are included, unless it does not answer for 5 s.
   */
  async flush(): Promise<void> {
    await Promise.all([this.#incidents.idle(), this.#second?.idle()])
  }

  /** Ends an open window and finishes its file; closes publishers. Events logged later are recorded, and lost. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#warmUp.stop()
    this.#processEvents?.close()
    this.#disinherit?.()
    this.#children.close()
    // At once: what is logged from here on is none of the window's.
    const finishing = this.#incidents.close()
    try {
      await Promise.all(this.#publishers.map((publisher) => publisher.close()))
    } finally {
      await this.#adoption.close()
      await finishing
      this.#threads?.leave()
      await this.#second?.close()
      await this.#threads?.close()
      this.#forgetExit()
    }
  }

  async #keepPublisher(publisher: Publisher): Promise<Publisher> {
    if (this.#isClosing()) {
      await publisher.close()
      throw closed()
    }
    this.#publishers.push(publisher)
    return publisher
  }

  #exit(): void {
    this.#incidents.closeNow('exit')
    this.#second?.exit()
    this.#threads?.leave()
  }

  #newSecondThread(settings: Settings, sidecar: SidecarSettings, threads: Threads): SecondThread {
    const { SecondThread } = require('./second-thread') as typeof import('./second-thread')
    return new SecondThread({
      ...{ settings, sidecar, threads },
      origin: this.origin,
      startedAt: this.#startedAt,
      directory: this.#incidentDirectory,
      events: this.events,
      clock: this.#clock,
      capture: (reason) => this.capture(reason),
      onOpened: (header, path) => {
        const incident = new Incident({ header, path })
        this.#elsewhere.set(header.id, incident)
        this.#tellIncident(incident)
      },
      onClosed: (id, finished) => {
        const incident = this.#elsewhere.get(id)
        this.#elsewhere.delete(id)
        incident?.settle(finished)
        if (incident !== undefined) this.#tellIncident(incident)
      },
      onWarning: (warning) => this.#warn(warning),
      onRecovered: (code) => void this.#warned.delete(code),
    })
  }

  #isClosing(): boolean {
    return this.#closing !== undefined
  }

  #diskStats(): Pick<RecorderStats['incidents'], 'refused' | 'unwrittenBytes'> {
    return { refused: this.#reports.refused, unwrittenBytes: this.#reports.unwritten.bytes }
  }

  /** One listener that throws keeps no other from being told. */
  #tellIncident(incident: Incident): void {
    for (const listener of this.#emitter.listeners('incident')) {
      try {
        listener(incident)
      } catch (cause) {
        this.#warn(
          new FlogError('FLOG_LISTENER_FAILED', `an incident listener threw: ${messageOf(cause)}`, { cause }),
        )
      }
    }
  }

  /** Each kind of trouble is told once, and again when it was over in between; `stats()` counts. */
  #warn(warning: FlogError): void {
    if (this.#warned.has(warning.code)) return
    this.#warned.add(warning.code)
    if (this.#emitter.listenerCount('warning') === 0) {
      process.emitWarning(warning.message, { type: 'FlogWarning', code: warning.code })
      return
    }
    for (const listener of this.#emitter.listeners('warning')) {
      try {
        listener(warning)
      } catch {
        // Whoever listens to warnings and throws has been told as well as can be.
      }
    }
  }

  #clockStepped(step: ClockStep): void {
    const ms = Math.round(step.ms)
    // Not now: the clock is asked in the middle of recording another event.
    queueMicrotask(() => {
      this.events.record(WARN, 'the wall clock moved by {ms} ms', `${OWN_FACILITY}.clock`, { ms }, undefined)
    })
  }
}

/** Loaded by who asks for a second thread, and nobody else. */
function newThreads(options: ThreadsOptions): Threads {
  const { Threads } = require('./threads') as typeof import('./threads')
  return new Threads(options)
}

function closed(): FlogError {
  return new FlogError('FLOG_CLOSED', 'the recorder is closed, it publishes no more')
}

function textOf(reason: unknown): string {
  try {
    return String(reason)
  } catch {
    return 'a reason that cannot be shown'
  }
}

/** The entries that are given: `exactOptionalPropertyTypes` tells absent from undefined. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
