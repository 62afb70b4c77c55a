import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import { DESK_POLL_BUSY_MS, DESK_WAIT_MS } from '../base/limits'
import { randomHex, systemRandom } from '../base/random'
import { type Arbitration, arbitrate, evict, ReportDesk, release } from '../incident/desk'
import type { IncidentDirectory } from '../incident/directory'
import { Following } from '../incident/following'
import type { Report } from '../incident/report'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import { type Member, Roster } from '../ring/roster'
import { changeJoinable, type Place } from './place'
import { observeProcess } from './process-listeners'

export interface ThreadsOptions {
  readonly place: Place
  readonly directory: IncidentDirectory
  readonly rings: readonly RingHandle[]
  readonly clock: Clock
  /** Another thread has rings now. */
  readonly onJoin: () => void
  /** Finishes, where it can, the file of an incident whose thread ended over it. */
  readonly elsewhere: { readonly isReady: boolean; finish(path: string): Promise<unknown> }
  readonly onWarning: (warning: FlogError) => void
}

/** Threads as the desk knows them: the main one is 1, the second one 2, and workers come from there on. */
const DESK_MAIN = 1
const DESK_WORKERS = 2

/**
 * The other threads of the process that record, as a recorder of any of them sees them: whose rings there are, who reports,
 * and what is to be done when a worker thread ends without another word.
 */
export class Threads {
  readonly desk: ReportDesk
  /** Name of the channel on which threads join and leave. */
  readonly channel: string
  readonly #options: ThreadsOptions
  readonly #thread: number
  readonly #roster: Roster
  readonly #forgetWorkers: () => void
  #finishing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: ThreadsOptions) {
    this.#options = options
    const { place, rings, clock, onJoin } = options
    const joins = place.kind === 'joined' ? place.joins : undefined
    this.#thread = place.thread
    this.desk = new ReportDesk(joins?.desk)
    this.channel = joins?.channel ?? `flight-log.${randomHex(systemRandom, 8)}`
    this.#roster = new Roster({
      ...{ clock, onJoin, channel: this.channel },
      self: { id: randomHex(systemRandom, 8), thread: place.thread, rings },
      answers: place.kind === 'main',
    })
    if (place.kind === 'main') this.#makeJoinable()
    // Each thread sees the workers that it starts itself.
    this.#forgetWorkers = observeProcess('worker', (worker) => this.#watch(worker as Worker))
  }

  /** Rings of other threads, also of those that ended a moment ago. */
  rings(): readonly RingHandle[] {
    return this.#roster.rings()
  }

  /** All that record, this thread included. */
  members(): readonly Member[] {
    return this.#roster.members()
  }

  /** Whether this thread is to report an event that qualified. It may be held up for some 50 ms. */
  arbitrate(seq: number): Arbitration {
    return arbitrate(this.desk, deskNumber(this.#thread), seq, DESK_WAIT_MS)
  }

  /** This thread reports no longer. */
  release(): void {
    release(this.desk, deskNumber(this.#thread))
  }

  /** @param owns whether the desk is this thread's, which then takes the triggers of others */
  follow(
    report: Report,
    parts: { readonly control: ControlBlock; readonly clock: Clock; readonly owns: boolean },
  ): Following {
    const { control, clock, owns } = parts
    return new Following({
      ...{ report, control, clock },
      rings: () => this.rings(),
      pollMs: DESK_POLL_BUSY_MS,
      desk: owns ? { desk: this.desk, thread: deskNumber(this.#thread) } : undefined,
    })
  }

  /** Before the file of an incident is made: should this thread end over it, another one finishes the file. */
  opened(id: string | undefined): void {
    if (id !== undefined) this.#roster.opened({ id, thread: this.#thread })
  }

  /** The file is finished. */
  settled(id: string): void {
    this.#roster.settled({ id, thread: this.#thread })
  }

  /** Synchronous: what the rings hold is history for the others from here on. Idempotent. */
  leave(): void {
    if (this.#closed) return
    this.#closed = true
    this.#forgetWorkers()
    if (this.#options.place.kind === 'main') this.#makeUnjoinable()
    this.#roster.close()
  }

  /** What threads that ended have left is finished. Never rejects. */
  async close(): Promise<void> {
    this.leave()
    await this.#finishing
  }

  #makeJoinable(): void {
    const { path } = this.#options.directory
    const joinable = { directory: path, desk: this.desk.memory, channel: this.channel }
    changeJoinable((recorders) => [...recorders, joinable])
  }

  #makeUnjoinable(): void {
    changeJoinable((recorders) => recorders.filter(({ channel }) => channel !== this.channel))
  }

  /** A thread that is terminated says nothing, but who started it is told that it ended. */
  #watch(worker: Worker): void {
    const thread = worker.threadId
    worker.once('exit', () => {
      if (!this.#closed) this.#ended(thread)
    })
  }

  #ended(thread: number): void {
    const left = this.#roster.ended(thread)
    evict(this.desk, deskNumber(thread))
    if (left.length > 0) this.#finishing = this.#finishing.then(() => this.#finish(new Set(left)))
  }

  async #finish(ids: ReadonlySet<string>): Promise<void> {
    const { directory, onWarning } = this.#options
    try {
      for (const { kind, id, name } of await directory.files()) {
        if (kind === 'plain' && id !== undefined && ids.has(id))
          await this.#finishFile(join(directory.path, name))
      }
    } catch (cause) {
      if (FlogError.is(cause, 'FLOG_FILE_MISSING')) return
      const message = `an incident of a thread that ended cannot be finished: ${messageOf(cause)}; it is left to the next process`
      onWarning(new FlogError('FLOG_WRITE_FAILED', message, { cause }))
    }
  }

  async #finishFile(path: string): Promise<void> {
    const { directory, elsewhere, clock } = this.#options
    try {
      if (elsewhere.isReady) {
        await elsewhere.finish(path)
        return
      }
    } catch (error) {
      if (!FlogError.is(error, 'FLOG_CLOSED')) throw error
    }
    const { finishIncident } = require('../incident/finish') as typeof import('../incident/finish')
    const { summary } = await finishIncident(path, { clock, fileMode: directory.fileMode })
    await directory.enforceQuota(summary.id)
  }
}

function deskNumber(thread: number): number {
  return thread === 0 ? DESK_MAIN : DESK_WORKERS + thread
}
