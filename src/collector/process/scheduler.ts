import { type Clock, SystemClock } from '../../base/clock'
import { FlogError, invalidOption } from '../../base/errors'
import { PROCESS_POLL_MS } from '../../base/limits'
import { pause } from '../../base/pause'
import type { Database, PlainJson } from '../store/database'
import {
  type CheckedDefinition,
  checkDefinition,
  type FlowControl,
  type ProcessDefinition,
  progressMs,
} from './definition'
import type { Reason } from './due'
import { glance, type Looked, type LookOptions, look } from './look'
import type { Owner } from './owner'
import { PROCESS_CHANNEL, Processes } from './processes'
import { unknownProcess } from './rows'
import { Run, type RunResult } from './run'
import type { TakenItem } from './run-items'
import { type BegunRun, isActive } from './runs'
import { type DatabaseTime, databaseTime } from './time'

export interface SchedulerOptions {
  readonly clock?: Clock
  /** Begins runs up to a tenth of the period and 30 s after their slot, always as much for one process; default true. */
  readonly jitter?: boolean
  /** Milliseconds after which processes are looked at again when no notice came; default 15 s. */
  readonly pollMs?: number
  /** What the database is to take for its time; for tests. */
  readonly time?: DatabaseTime
  /** Told what is worth a metric or a line in a log. Must not throw. */
  readonly onEvent?: (event: SchedulerEvent) => void
}

export type SchedulerEvent =
  | {
      readonly kind: 'begun'
      readonly process: string
      readonly run: number
      readonly reason: Reason
      readonly latenessMs: number
    }
  | { readonly kind: 'ended'; readonly process: string; readonly result: RunResult }
  /** Slots that got no run of their own. */
  | { readonly kind: 'missed'; readonly process: string; readonly slots: number }
  /** A run whose owner died, or stood still. */
  | { readonly kind: 'lost'; readonly process: string; readonly run: number }
  /** Something failed that is tried again. */
  | { readonly kind: 'trouble'; readonly process: string; readonly error: unknown }

/** What came of looking at a process once. */
export interface Turn {
  /** The run that was due, ended; undefined where there was nothing to do. */
  readonly result: RunResult | undefined
  /** Milliseconds, by the database's time, until there is something to do by schedule. */
  readonly waitMs: number
}

/** A run, and the item that was taken with its beginning. */
interface Begun {
  readonly run: Run
  readonly first: TakenItem | undefined
}

/** Runs processes under a session, until that ends. Any number of instances may run the same ones: each run is of one of them. */
export class Scheduler {
  readonly processes: Processes
  readonly #database: Database
  readonly #owner: Owner
  readonly #clock: Clock
  readonly #time: DatabaseTime
  readonly #jitter: boolean
  readonly #pollMs: number
  readonly #onEvent: (event: SchedulerEvent) => void
  readonly #definitions = new Map<string, CheckedDefinition>()
  /** Runs of ours whose end could not be written. */
  readonly #unfinished = new Map<string, Run>()
  /** Runs that we may have begun: the answer was lost. */
  readonly #unsure = new Map<string, Begun>()
  readonly #wakers = new Map<string, () => void>()
  /** Processes that a notice came for while nobody waited for it. */
  readonly #noticed = new Set<string>()
  #running = false

  constructor(database: Database, owner: Owner, options: SchedulerOptions = {}) {
    this.#database = database
    this.#owner = owner
    this.#clock = options.clock ?? new SystemClock()
    this.#time = options.time ?? databaseTime
    this.#jitter = options.jitter ?? true
    this.#pollMs = options.pollMs ?? PROCESS_POLL_MS
    this.#onEvent = options.onEvent ?? (() => {})
    this.processes = new Processes(database, { time: this.#time })
  }

  /**
   * Makes a process known, here and in the database.
   * @throws FlogError FLOG_OPTION_INVALID; FLOG_PROCESS_RUNNING once `run` was called
   */
  async define<S extends PlainJson>(definition: ProcessDefinition<S>): Promise<void> {
    this.#beforeRun(definition.name)
    const checked = checkDefinition(definition)
    if (this.#definitions.has(checked.name))
      throw invalidOption('name', 'one that is not defined yet', checked.name)
    this.#definitions.set(checked.name, checked)
    try {
      await this.processes.define(checked)
    } catch (error) {
      this.#definitions.delete(checked.name)
      throw error
    }
  }

  /**
   * Changes waiting times of a process that is defined.
   * @throws FlogError FLOG_OPTION_INVALID; FLOG_PROCESS_UNKNOWN; FLOG_PROCESS_RUNNING once `run` was called
   */
  async flowControl(process: string, flow: FlowControl): Promise<void> {
    this.#beforeRun(process)
    const checked = checkDefinition({ ...this.#definition(process), ...flow })
    await this.processes.define(checked)
    this.#definitions.set(process, checked)
  }

  /**
   * Runs what is due until `signal`, then lets the items under way end.
   * @throws the reason of the session's signal when that ended: begin again with a new session; FLOG_PROCESS_RUNNING while it
   *   runs already; FLOG_DATABASE_… where it cannot be listened to
   */
  async run(signal: AbortSignal): Promise<void> {
    for (const process of this.#definitions.keys()) this.#beforeRun(process)
    this.#running = true
    const stop = new AbortController()
    const onStop = (): void => stop.abort()
    for (const source of [signal, this.#owner.signal]) {
      if (source.aborted) onStop()
      source.addEventListener('abort', onStop, { once: true })
    }
    try {
      await this.#listenAndLoop(stop.signal)
    } finally {
      for (const source of [signal, this.#owner.signal]) source.removeEventListener('abort', onStop)
      this.#running = false
    }
    if (!signal.aborted) this.#owner.signal.throwIfAborted()
  }

  async #listenAndLoop(stop: AbortSignal): Promise<void> {
    const listening = await this.#database.listen(PROCESS_CHANNEL, (process) => this.#wake(process))
    try {
      await Promise.all([...this.#definitions.values()].map((definition) => this.#loop(definition, stop)))
    } finally {
      await listening.close()
    }
  }

  /**
   * Looks at a process once, and runs it where that is due.
   * @throws FlogError FLOG_PROCESS_UNKNOWN, FLOG_SESSION_EXPIRED, FLOG_DATABASE_…
   */
  async turn(process: string, stop: AbortSignal = new AbortController().signal): Promise<Turn> {
    const definition = this.#definition(process)
    const unfinished = this.#unfinished.get(process)
    if (unfinished !== undefined) await this.#finish(process, unfinished)
    const { stallTimeoutMs, catchUpMs, pauseOnFailure, backoff } = definition
    const options = { stallTimeoutMs, catchUpMs, pauseOnFailure, backoff, jitter: this.#jitter }
    const verdict = this.#unsure.has(process)
      ? undefined
      : await glance(this.#database, process, options, this.#time)
    if (verdict !== undefined) return { result: undefined, waitMs: verdict.waitMs }
    const { begun, waitMs } = await this.#look(definition, options)
    if (begun === undefined) return { result: undefined, waitMs }
    return { result: await this.#execute(begun, stop), waitMs: 0 }
  }

  /** Begins a run where one is due, and takes its first item in the same transaction. */
  async #look(
    definition: CheckedDefinition,
    options: LookOptions,
  ): Promise<{ readonly begun: Begun | undefined; readonly waitMs: number }> {
    const { name } = definition
    const unsure = this.#unsure.get(name)
    let tried: Begun | undefined
    try {
      const looked = await this.#owner.transact(async (tx) => {
        tried = undefined
        if (unsure !== undefined && (await isActive(tx, unsure.run.begun))) return undefined
        const found = await look(tx, name, this.#owner.id, options, this.#time)
        if (found.run === undefined) return found
        const run = this.#newRun(definition, found.run)
        tried = { run, first: await run.take(tx) }
        return found
      })
      this.#unsure.delete(name)
      if (looked === undefined) return { begun: unsure, waitMs: 0 }
      this.#tell(name, looked)
      return { begun: tried, waitMs: looked.verdict.waitMs }
    } catch (error) {
      if (tried !== undefined && FlogError.is(error) && error.details['outcome'] === 'unknown') {
        this.#unsure.set(name, tried)
      }
      throw error
    }
  }

  #newRun(definition: CheckedDefinition, begun: BegunRun): Run {
    const { name: process } = definition
    return new Run(definition, begun, {
      owner: this.#owner,
      clock: this.#clock,
      time: this.#time,
      progressMs: progressMs(definition, begun.periodMs),
      onTrouble: (error) => this.#onEvent({ kind: 'trouble', process, error }),
    })
  }

  async #execute({ run, first }: Begun, stop: AbortSignal): Promise<RunResult> {
    const { process, runId, plan } = run.begun
    const { reason, latenessMs } = plan
    this.#onEvent({ kind: 'begun', process, run: Number(runId), reason, latenessMs })
    await run.execute(first, stop)
    return this.#finish(process, run)
  }

  /** A run whose end cannot be written now stays ours: nobody takes it from a session that lives. */
  async #finish(process: string, run: Run): Promise<RunResult> {
    try {
      const result = await run.finish()
      this.#unfinished.delete(process)
      this.#onEvent({ kind: 'ended', process, result })
      return result
    } catch (error) {
      this.#unfinished.set(process, run)
      throw error
    }
  }

  async #loop(definition: CheckedDefinition, stop: AbortSignal): Promise<void> {
    const { name } = definition
    await pause(this.#clock, definition.initialWaitMs, stop, true)
    while (!stop.aborted) {
      const waitMs = await this.turn(name, stop).then(
        ({ result, waitMs }) =>
          result === undefined || result.state === 'completed' ? waitMs : this.#pollMs,
        (error: unknown) => {
          this.#onEvent({ kind: 'trouble', process: name, error })
          return this.#pollMs
        },
      )
      if (!stop.aborted) await this.#wait(name, Math.min(waitMs, this.#pollMs), stop)
    }
  }

  /** Until a time, a notice, or the end. */
  async #wait(process: string, ms: number, stop: AbortSignal): Promise<void> {
    if (this.#noticed.delete(process)) return
    const woken = new AbortController()
    const wake = (): void => woken.abort()
    this.#wakers.set(process, wake)
    stop.addEventListener('abort', wake, { once: true })
    await pause(this.#clock, ms, woken.signal, true)
    stop.removeEventListener('abort', wake)
    this.#wakers.delete(process)
  }

  /** @param process undefined: notices may have been missed */
  #wake(process: string | undefined): void {
    for (const name of process === undefined ? this.#definitions.keys() : [process]) {
      const wake = this.#wakers.get(name)
      if (wake !== undefined) wake()
      else if (this.#definitions.has(name)) this.#noticed.add(name)
    }
  }

  #tell(process: string, { verdict, lostRun }: Looked): void {
    if (lostRun !== undefined) this.#onEvent({ kind: 'lost', process, run: Number(lostRun) })
    if (verdict.missed > 0) this.#onEvent({ kind: 'missed', process, slots: verdict.missed })
  }

  #definition(process: string): CheckedDefinition {
    const definition = this.#definitions.get(process)
    if (definition === undefined) throw unknownProcess(process)
    return definition
  }

  #beforeRun(process: string): void {
    if (!this.#running) return
    throw new FlogError('FLOG_PROCESS_RUNNING', `process ${process} is run already: say so before`, {
      details: { process },
    })
  }
}
