import type { Clock } from '../base/clock'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { type BlackBoxGuard, endBlackBox } from '../incident/black-box/guard'
import { blackBoxPath } from '../incident/black-box/name'
import { evict } from '../incident/desk'
import { IncidentDirectory } from '../incident/directory'
import type { FinishedIncident } from '../incident/finish'
import type { IncidentHeader } from '../incident/header'
import { incidentId } from '../incident/name'
import type { PublishOptions } from '../remote/publish-process'
import type { Publisher } from '../remote/publisher'
import type { Sidecar } from '../sidecar/handle'
import { DESK_APP, DESK_SIDECAR, type SidecarSetup, type SidecarStats } from '../sidecar/setup'
import type { Capture } from './capture'
import type { HealthSampler } from './health'
import type { Incident } from './incident'
import type { Settings } from './options'
import type { Origin } from './origin'
import type { Pulse } from './pulse'
import type { SidecarSettings } from './sidecar-options'
import type { Threads } from './threads'

export interface SecondThreadParts {
  readonly settings: Settings
  readonly sidecar: SidecarSettings
  readonly origin: Origin
  readonly startedAt: number
  readonly directory: IncidentDirectory
  readonly events: Capture
  readonly threads: Threads
  readonly clock: Clock
  readonly capture: (reason: string) => Incident | undefined
  readonly onOpened: (header: IncidentHeader, path: string | undefined) => void
  readonly onClosed: (id: string, finished: FinishedIncident | undefined) => void
  readonly onWarning: (warning: FlogError) => void
  readonly onRecovered: (code: FlogErrorCode) => void
}

/** Milliseconds that an exit is held up at most: the second thread looks at the desk every few. */
const EXIT_WAIT_MS = 250
const UNTAKEN = 0
const TAKEN_HERE = 1

/** The recorder's side of the sidecar: what it is told at its start, signs of life, and its orderly end. */
export class SecondThread {
  readonly #parts: SecondThreadParts
  readonly #sidecar: Sidecar
  readonly #pulse: Pulse
  readonly #health: HealthSampler | undefined
  readonly #blackBox: { readonly id: string; readonly directory: IncidentDirectory } | undefined
  #guard: BlackBoxGuard | undefined
  /** Incidents that the second thread writes, by id. */
  readonly #theirs = new Map<string, string | undefined>()
  #burying: Promise<unknown> = Promise.resolve()

  constructor(parts: SecondThreadParts) {
    this.#parts = parts
    const { events, clock, sidecar, directory } = parts
    const { control } = events
    this.#blackBox =
      sidecar.blackBox === undefined
        ? undefined
        : {
            id: incidentId(parts.origin.incarnation, control.nextIncidentNumber()),
            directory:
              sidecar.blackBox.directory === undefined
                ? directory
                : besides(sidecar.blackBox.directory, directory),
          }
    // Loaded by who asks for a second thread, and nobody else.
    const { Pulse } = require('./pulse') as typeof import('./pulse')
    this.#pulse = new Pulse({
      clock,
      beat: () => control.beat(),
      setDebugged: (debugged) => {
        control.debugged = debugged
      },
    })
    this.#health = sidecar.healthMs > 0 ? this.#newHealth(sidecar.healthMs) : undefined
    const { Sidecar } = require('../sidecar/handle') as typeof import('../sidecar/handle')
    this.#sidecar = new Sidecar({
      setup: () => this.#setup(),
      app: {
        capture: ({ reason, ticket }) => this.#capture(reason, ticket),
        opened: ({ header, path }) => {
          this.#theirs.set(header.id, path)
          parts.onOpened(header, path)
        },
        closed: ({ id, finished }) => {
          this.#theirs.delete(id)
          parts.onClosed(id, finished)
        },
      },
      clock,
      onDied: () => this.#bury(),
      onTrouble: parts.onWarning,
      onRecovered: parts.onRecovered,
    })
  }

  get stats(): SidecarStats | undefined {
    return this.#sidecar.stats
  }

  /** @throws FlogError FLOG_CLOSED where there is no second thread, or it ends meanwhile */
  finish(path: string): Promise<FinishedIncident> {
    return this.#sidecar.finish(path)
  }

  /** Settles when what it wrote is finished, here where it died over it; an open window is not waited for. Never rejects. */
  async idle(): Promise<void> {
    await this.#sidecar.idle()
    await this.#burying
  }

  get isReady(): boolean {
    return this.#sidecar.isReady
  }

  /** @returns undefined where there is no second thread to be had */
  publish(options: PublishOptions): Promise<Publisher | undefined> {
    return this.#sidecar.publish(options)
  }

  /** The process ends in order: a report of the second thread is completed, the black box goes. Synchronous. */
  exit(): void {
    this.#parts.threads.desk.end(DESK_APP, EXIT_WAIT_MS)
    this.#end()
  }

  #end(): void {
    if (this.#blackBox === undefined || this.#guard === undefined) return
    const { id, directory } = this.#blackBox
    try {
      endBlackBox(blackBoxPath(directory.path, this.#parts.startedAt, id), this.#guard)
    } catch {
      // The next start makes an incident of it that says that the process died, which is better than none.
    }
  }

  async close(): Promise<void> {
    this.#health?.close()
    // Before the beats end: no beat would be a stall.
    await this.#sidecar.close()
    await this.#burying
    this.#pulse.close()
    this.#end()
  }

  /** The second thread died: the next incident is not to wait for it, and what it began is finished here. */
  #bury(): void {
    evict(this.#parts.threads.desk, DESK_SIDECAR)
    const orphans = [...this.#theirs]
    this.#theirs.clear()
    for (const orphan of orphans) this.#burying = this.#burying.then(() => this.#finishOrphan(...orphan))
  }

  async #finishOrphan(id: string, path: string | undefined): Promise<void> {
    const { directory, clock, onClosed, onWarning } = this.#parts
    let finished: FinishedIncident | undefined
    try {
      const { finishIncident } = require('../incident/finish') as typeof import('../incident/finish')
      const { fileMode } = directory
      if (path !== undefined) finished = await finishIncident(path, { clock, fileMode })
      await directory.enforceQuota(id)
    } catch (cause) {
      const message = `incident ${id}, which the second thread began, could not be finished: ${messageOf(cause)}`
      onWarning(new FlogError('FLOG_WRITE_FAILED', message, { cause }))
    }
    onClosed(id, finished)
  }

  #setup(): SidecarSetup {
    const { settings, sidecar, origin, startedAt, directory, events, threads } = this.#parts
    const { reporter, limits, redactions } = settings
    const { BlackBoxGuard } =
      require('../incident/black-box/guard') as typeof import('../incident/black-box/guard')
    this.#guard = new BlackBoxGuard()
    return {
      control: events.control.memory,
      desk: threads.desk.memory,
      channel: threads.channel,
      members: threads.members(),
      origin,
      startedAt,
      directory: setupOf(directory),
      report: {
        postTrigger: reporter.declaredWindow,
        cap: reporter.cap,
        historyBytes: reporter.historyBytesAtTrigger,
        durable: reporter.durable,
      },
      limits,
      redactions,
      beatsBefore: events.control.beats,
      stallMs: sidecar.stallMs,
      blackBox: this.#blackBox && {
        directory: setupOf(this.#blackBox.directory),
        id: this.#blackBox.id,
        guard: this.#guard.memory,
      },
    }
  }

  /** The second thread waits for a moment, then it reports itself: whoever marks the ticket first does. */
  #capture(reason: string, ticket: SharedArrayBuffer): string | undefined {
    const word = new Int32Array(ticket)
    if (Atomics.compareExchange(word, 0, UNTAKEN, TAKEN_HERE) !== UNTAKEN) return undefined
    return this.#parts.capture(reason)?.id
  }

  #newHealth(everyMs: number): HealthSampler {
    const { HealthSampler } = require('./health') as typeof import('./health')
    const { events, clock } = this.#parts
    return new HealthSampler({
      clock,
      pulse: this.#pulse,
      everyMs,
      record: (severity, message, facility, fields) =>
        void events.recordUnobserved(severity, message, facility, fields),
    })
  }
}

/** Another directory, with the same permissions. */
function besides(path: string, { fileMode, quota }: IncidentDirectory): IncidentDirectory {
  return new IncidentDirectory({ path, fileMode, quota })
}

function setupOf({ path, fileMode, quota }: IncidentDirectory): SidecarSetup['directory'] {
  return { path, fileMode, quota }
}
