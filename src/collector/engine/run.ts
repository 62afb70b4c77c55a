import type { Clock, Timer } from '../../base/clock'
import { FlogError } from '../../base/errors'
import type { Declaration } from './declaration'
import { aborted, isAbort, thrownBy } from './errors'
import type { PartWorker } from './part'
import { whenRefused } from './promised'
import { type Inputs, Snapshot } from './snapshot'

/**
 * What a part does: nothing; waiting for its delay, or for what is decided about its error; starting; running; stopping because
 * it was told to; or going on although it was told to stop, for longer than it may.
 */
export type PartState = 'stopped' | 'waiting' | 'starting' | 'started' | 'stopping' | 'abandoned'

type RunPhase = 'delayed' | 'starting' | 'running' | 'ended'

/** How a run ended. */
export interface RunEnd {
  /** Undefined for an end in order. */
  readonly error: unknown
  /** It was told to stop before it had a worker, and did. */
  readonly aborted: boolean
  /** Milliseconds that the worker ran; undefined where none was ever accepted. */
  readonly ranMs: number | undefined
}

/** The engine, as a run knows it. All but `ticket` are called from inside a ticket. */
export interface RunHost {
  readonly clock: Clock
  ticket(action: () => void): void
  starting(run: Run): void
  /** At most once. */
  started(run: Run): void
  /** Did not start in time; it is told to stop, and ends later. */
  startOverdue(run: Run, error: FlogError): void
  /** Did not stop in time; it may still end later. */
  stopOverdue(run: Run, error: FlogError): void
  killFailed(run: Run, error: unknown): void
  /** Exactly once, unless the run never ends. */
  ended(run: Run, end: RunEnd): void
}

export interface RunPlan {
  readonly part: string
  readonly declaration: Declaration
  readonly attempt: number
  readonly inputs: Inputs
  readonly delayMs: number
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
}

/**
 * One run of a part: delay, start, worker, end.
 *
 *     delayed ──▶ starting ──▶ running ──▶ ended
 *        └───────────┴─ told to stop ─────────▲   a worker that arrives then is killed on arrival
 *
 * A run that is overdue with its start is told to stop, and ends when the start has settled and its worker, if there is
 * one after all, is gone: a part never has two workers. `abandoned` is set when that takes longer than the limit.
 */
export class Run {
  readonly plan: RunPlan
  phase: RunPhase = 'delayed'
  stopping = false
  abandoned = false
  /** Accepted: it came while it was wanted. */
  worker: PartWorker<unknown> | undefined
  /** What it offered when it was accepted. */
  output: unknown
  readonly #host: RunHost
  readonly #abort = new AbortController()
  readonly #snapshot: Snapshot
  #timer: Timer | undefined
  /** Why it ends although nobody told it to: its start took too long, or what it offers cannot be had. */
  #failure: unknown
  #begunAt = 0
  #startedAt: number | undefined

  constructor(host: RunHost, plan: RunPlan) {
    this.#host = host
    this.plan = plan
    this.#snapshot = new Snapshot(plan.part, plan.attempt, this.#abort.signal, plan.inputs)
    if (plan.delayMs > 0) this.#after(plan.delayMs, () => this.#begin())
    else queueMicrotask(() => host.ticket(() => this.#begin()))
  }

  /** Runs, and was not told to stop: others may have it for an input. */
  get available(): boolean {
    return this.phase === 'running' && !this.stopping
  }

  get state(): Exclude<PartState, 'stopped'> {
    if (this.abandoned) return 'abandoned'
    if (this.stopping || this.#failure !== undefined) return 'stopping'
    if (this.phase === 'delayed') return 'waiting'
    return this.phase === 'starting' ? 'starting' : 'started'
  }

  /** Milliseconds that the start took; 0 until it has settled. */
  get startMs(): number {
    return (this.#startedAt ?? this.#begunAt) - this.#begunAt
  }

  stop(reason: FlogError): void {
    if (this.stopping || this.phase === 'ended') return
    this.stopping = true
    this.#timer?.cancel()
    this.#abort.abort(reason)
    if (this.phase === 'delayed') this.#host.ticket(() => this.#end(undefined))
    else this.#limitStop()
    if (this.worker !== undefined) this.#kill(this.worker, reason)
  }

  #begin(): void {
    if (this.phase !== 'delayed' || this.stopping) return
    this.phase = 'starting'
    this.#begunAt = this.#host.clock.monotonic()
    this.#host.starting(this)
    const { part, declaration, startTimeoutMs } = this.plan
    this.#after(startTimeoutMs, () => this.#startIsOverdue())
    // Inside the promise, so that one that throws at once is no different from one that rejects.
    const start = new Promise<PartWorker<unknown>>((resolve) => resolve(declaration.start(this.#snapshot)))
    start.then(
      (worker) => this.#host.ticket(() => this.#arrived(worker)),
      (error) => this.#host.ticket(() => this.#startFailed(thrownBy(part, error))),
    )
  }

  #startIsOverdue(): void {
    const { part, startTimeoutMs } = this.plan
    const late = new FlogError(
      'FLOG_ENGINE_TIMEOUT',
      `part "${part}" did not start within ${startTimeoutMs} ms`,
      { details: { part, startTimeoutMs } },
    )
    this.#host.startOverdue(this, late)
    this.#fail(late)
  }

  /** Not `stop`: nobody asked for it, so that it ends as a failure. */
  #fail(failure: unknown): void {
    this.#failure = failure
    this.#abort.abort(failure)
    this.#limitStop()
  }

  #startFailed(error: unknown): void {
    this.#snapshot.expire()
    this.#end(this.#failure ?? this.#unasked(error))
  }

  #arrived(worker: unknown): void {
    this.#snapshot.expire()
    if (!isWorker(worker)) {
      this.#end(noWorker(this.plan.part, worker))
      return
    }
    if (!this.#watch(worker)) return
    this.#look(worker)
    if (this.stopping || this.#failure !== undefined) this.#kill(worker, this.#abort.signal.reason)
    else this.#accept(worker)
  }

  #look(worker: PartWorker<unknown>): void {
    try {
      this.output = worker.output
    } catch (error) {
      if (this.#failure === undefined) this.#fail(thrownBy(this.plan.part, error))
    }
  }

  #accept(worker: PartWorker<unknown>): void {
    this.#timer?.cancel()
    this.phase = 'running'
    this.worker = worker
    this.#startedAt = this.#host.clock.monotonic()
    this.#host.started(this)
  }

  /** @returns false for a worker whose end nobody can know */
  #watch(worker: PartWorker<unknown>): boolean {
    const { part } = this.plan
    try {
      Promise.resolve(worker.wait()).then(
        () => this.#host.ticket(() => this.#end(undefined)),
        (error) => this.#host.ticket(() => this.#end(this.#unasked(thrownBy(part, error)))),
      )
      return true
    } catch (error) {
      this.#kill(worker, error)
      this.#end(thrownBy(part, error))
      return false
    }
  }

  /** Undefined for an error that only says that the part stopped, as it was told to. */
  #unasked(error: unknown): unknown {
    return this.stopping && (error === this.#abort.signal.reason || isAbort(error)) ? undefined : error
  }

  #kill(worker: PartWorker<unknown>, reason: unknown): void {
    const failed = (error: unknown) => this.#host.killFailed(this, thrownBy(this.plan.part, error))
    try {
      whenRefused(worker.kill(reason), (error) => this.#host.ticket(() => failed(error)))
    } catch (error) {
      failed(error)
    }
  }

  #limitStop(): void {
    const { part, stopTimeoutMs } = this.plan
    this.#after(stopTimeoutMs, () => {
      this.abandoned = true
      const message = `part "${part}" did not stop within ${stopTimeoutMs} ms`
      const details = { part, stopTimeoutMs }
      this.#host.stopOverdue(this, new FlogError('FLOG_ENGINE_ABANDONED', message, { details }))
    })
  }

  #end(error: unknown): void {
    if (this.phase === 'ended') return
    const now = this.#host.clock.monotonic()
    this.#timer?.cancel()
    this.phase = 'ended'
    if (!this.#abort.signal.aborted) this.#abort.abort(aborted(`part "${this.plan.part}" has ended`))
    this.#host.ended(this, {
      error: error ?? this.#failure,
      aborted:
        this.stopping && this.#startedAt === undefined && error === undefined && this.#failure === undefined,
      ranMs: this.#startedAt === undefined ? undefined : now - this.#startedAt,
    })
  }

  /** One timer at a time; the engine keeps the program alive while it waits. */
  #after(ms: number, action: () => void): void {
    this.#timer?.cancel()
    if (ms === Number.POSITIVE_INFINITY) return
    this.#timer = this.#host.clock.after(
      ms,
      () => this.#host.ticket(() => this.phase !== 'ended' && action()),
      { keepAlive: true },
    )
  }
}

function isWorker(value: unknown): value is PartWorker<unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    const { kill, wait } = value as Partial<PartWorker<unknown>>
    return typeof kill === 'function' && typeof wait === 'function'
  } catch {
    return false
  }
}

function noWorker(part: string, got: unknown): FlogError {
  const message = `start of part "${part}" gave ${got === undefined ? 'undefined' : 'something'} that is no worker`
  return new FlogError('FLOG_ENGINE_WORKER', message, { details: { part } })
}
