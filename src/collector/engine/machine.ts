import type { Clock, Timer } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import { ENGINE_STOP_MS } from '../../base/limits'
import { failuresAfter, restartDelay } from './backoff'
import type { Decision, PartErrorContext, Settings } from './config'
import { MissingError } from './errors'
import { Dependents } from './graph'
import { Journal } from './journal'
import { Judge, type Question, type Verdict } from './judge'
import { TicketLoop } from './loop'
import type { Manifold } from './part'
import { PartRecord } from './record'
import { Run, type RunEnd, type RunHost } from './run'
import type { Inputs } from './snapshot'
import { deferred } from './workers'

/**
 * What happens to parts, one ticket after the other.
 *
 * A part that started or stopped bounces its dependents: those that do nothing are started, the others are told to stop and
 * started again when they have. While the engine stops, nothing starts, and a part is told to stop when none of its dependents
 * goes on, or when those that do were given up.
 */
export class Machine implements RunHost {
  readonly parts = new Map<string, PartRecord>()
  /** Removed because of their errors. */
  readonly killed = new Map<string, PartRecord>()
  readonly done = deferred()
  readonly journal: Journal
  readonly clock: Clock
  phase: 'started' | 'stopping' | 'stopped' = 'started'
  /** What `wait` rejects with, or will. */
  error: unknown
  /** Called once, when all has ended and before whoever waits is told. */
  onDone = (): void => {}
  readonly #settings: Settings
  readonly #judge: Judge
  readonly #loop = new TicketLoop((error) => this.#broken(error))
  readonly #dependents = new Dependents()
  #worst: unknown
  #internal: FlogError | undefined
  #lastResort: Timer | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.clock = settings.clock
    this.journal = new Journal(settings)
    this.#judge = new Judge(settings, (part, error) =>
      this.journal.emit({ type: 'failed', error, ...(part === undefined ? {} : { part }) }),
    )
  }

  ticket(action: () => void): void {
    this.#loop.post(action)
  }

  add(name: string, manifold: Manifold): void {
    const part = new PartRecord(name, manifold)
    this.parts.set(name, part)
    this.killed.delete(name)
    this.#dependents.add(name, part.inputs)
    this.journal.emit({ type: 'installed', part: name })
    this.ticket(() => this.#start(part, 0))
  }

  replace(part: PartRecord, manifold: Manifold): void {
    this.#dependents.remove(part.name, part.inputs)
    part.adopt(manifold)
    this.#dependents.add(part.name, part.inputs)
    part.failures = 0
    this.journal.emit({ type: 'replaced', part: part.name })
    this.ticket(() => {
      this.#withdraw(part)
      this.#bounce(part)
    })
  }

  /** Rejects where the part does not stop in time; it is removed when it does. */
  remove(part: PartRecord): Promise<void> {
    const gone = deferred()
    part.leaving ??= []
    part.leaving.push(gone)
    this.ticket(() => {
      if (this.parts.get(part.name) !== part) return gone.resolve()
      this.#withdraw(part)
      if (part.run === undefined) this.#drop(part)
      else if (part.run.abandoned) gone.reject(part.error)
      else part.run.stop(stopped(part.name, 'it is uninstalled'))
    })
    return gone.promise
  }

  die(): void {
    if (this.phase !== 'started') return
    this.phase = 'stopping'
    this.journal.emit({ type: 'dying' })
    for (const part of this.parts.values()) this.#withdraw(part)
    for (const part of this.parts.values()) this.#stopIfFree(part)
    this.#finishIfDone()
  }

  starting(run: Run): void {
    const part = this.#partOf(run)
    part.starts++
    part.startedAt = this.clock.now()
    this.journal.emit({ type: 'starting', part: part.name })
  }

  started(run: Run): void {
    const part = this.#partOf(run)
    part.error = undefined
    this.journal.emit({ type: 'started', part: part.name })
    const times = { delayMs: run.plan.delayMs, startMs: run.startMs }
    this.journal.measure(part.name, (metrics) => metrics.started?.(part.name, times))
    this.#bounceDependents(part)
  }

  startOverdue(run: Run, error: FlogError): void {
    const part = this.#partOf(run)
    part.error = error
    this.journal.emit({ type: 'stopping', part: part.name, error })
  }

  stopOverdue(run: Run, error: FlogError): void {
    const part = this.#partOf(run)
    part.error = error
    this.journal.emit({ type: 'abandoned', part: part.name, error })
    this.journal.measure(part.name, (metrics) => metrics.abandoned?.(part.name))
    for (const gone of part.leaving ?? []) gone.reject(error)
    if (this.phase === 'started') this.#abandonedAlive(part, run, error)
    else this.#stopInputs(part)
  }

  #abandonedAlive(part: PartRecord, run: Run, error: FlogError): void {
    // What it offered cannot be relied on any more, though it never said that it stopped.
    this.#bounceDependents(part)
    part.question = this.#ask(part, run, error, { phase: 'stop' }, ({ action }) => {
      if (part.run !== run) return
      part.question = undefined
      if (action === 'escalate') this.#fatal(error)
      if (action !== 'kill') return
      part.leaving ??= []
      part.killed = true
    })
  }

  killFailed(run: Run, error: unknown): void {
    this.journal.emit({ type: 'failed', part: run.plan.part, error })
  }

  ended(run: Run, end: RunEnd): void {
    const part = this.#partOf(run)
    this.#withdraw(part)
    part.run = undefined
    const verdict = this.#verdict(part, run, end)
    if (verdict.ending === 'fatal') {
      this.#tell(part, run, verdict.error)
      this.#fatal(verdict.error)
    }
    if (this.phase !== 'started') this.#endedInDeath(part, run, verdict)
    else if (part.leaving !== undefined) this.#drop(part)
    else this.#goOn(part, run, end, verdict)
    if (end.ranMs !== undefined) this.#bounceDependents(part)
  }

  #verdict(part: PartRecord, run: Run, end: RunEnd): Verdict {
    const judged = this.#judge.verdict(part.name, run.plan.manifold, end.error)
    const verdict = end.aborted ? { ...judged, ending: 'aborted' as const } : judged
    const { ending, error } = verdict
    if (!end.aborted) part.error = error
    this.journal.emit({ type: 'stopped', part: part.name, ...(error === undefined ? {} : { error }) })
    this.journal.measure(part.name, (metrics) => metrics.ended?.(part.name, ending, end.ranMs))
    return verdict
  }

  #goOn(part: PartRecord, run: Run, end: RunEnd, { ending, error }: Verdict): void {
    if (run.plan.manifold !== part.manifold) {
      if (ending === 'error') this.#tell(part, run, error)
      this.#start(part, this.#settings.bounceDelayMs)
      return
    }
    if (ending === 'completed') part.failures = 0
    // Neither is a failure; and what failed before is not what happens now.
    if (ending === 'missing' || ending === 'aborted') part.failures = Math.min(part.failures, 1)
    if (ending === 'error') this.#failed(part, run, end, error)
    else if (ending === 'uninstall') this.#drop(part)
    else if (ending === 'bounce' || run.stopping) this.#start(part, this.#settings.bounceDelayMs)
  }

  #failed(part: PartRecord, run: Run, end: RunEnd, error: unknown): void {
    const failures = failuresAfter(part.failures, end.ranMs, this.#settings.backoffResetMs)
    const phase = run.stopping ? 'stop' : end.ranMs === undefined ? 'start' : 'run'
    part.bounced = run.stopping
    const question = this.#ask(part, run, error, { phase, failures }, (decision) => {
      if (part.question !== question) return
      part.question = undefined
      this.#decided(part, failures, error, decision)
    })
    part.question = question
  }

  #decided(part: PartRecord, failures: number, error: unknown, { action, delayMs }: Decision): void {
    const { bounceDelayMs, errorDelayMs, random } = this.#settings
    this.journal.emit({ type: 'decided', part: part.name, action, error })
    if (action === 'escalate') this.#fatal(error)
    if (action === 'kill') part.killed = true
    if (action === 'restart') part.failures = failures
    if (part.killed) this.#drop(part)
    else if (part.bounced) this.#start(part, bounceDelayMs)
    else if (action === 'retry') this.#start(part, delayMs ?? errorDelayMs)
    else if (action === 'restart') {
      this.#start(part, Math.max(restartDelay(this.#settings, failures, random), delayMs ?? 0))
    }
  }

  /** The answer comes in a ticket of its own, and not at all once the engine stops. */
  #ask(
    part: PartRecord,
    run: Run,
    error: unknown,
    context: Pick<PartErrorContext, 'phase'> & Partial<PartErrorContext>,
    answer: (decision: Decision) => void,
  ): Question {
    const asking = {
      attempt: run.plan.attempt,
      failures: part.failures,
      restarts: part.restartsSince(this.clock.monotonic()),
      final: false,
      ...context,
    }
    return this.#judge.ask({ ...asking, part: part.name, error }, (decision) =>
      this.ticket(() => this.phase === 'started' && answer(decision)),
    )
  }

  /** Whoever decides hears of every error, also of one that leaves nothing to decide. */
  #tell(part: PartRecord, run: Run, error: unknown): void {
    const phase = run.stopping ? 'stop' : run.worker === undefined ? 'start' : 'run'
    this.#ask(part, run, error, { phase, final: true }, () => {}).cancel()
  }

  #fatal(error: unknown): void {
    this.#worst = this.#judge.worst(error, this.#worst)
    this.die()
  }

  #start(part: PartRecord, delayMs: number): void {
    if (this.phase !== 'started' || !part.idle || part.leaving !== undefined) return
    const inputs = this.#inputsOf(part)
    const missing = part.hard.find((name) => !inputs.running.has(name))
    if (missing !== undefined) {
      part.error = new MissingError(`"${missing}" not running: dependency not available`)
      return
    }
    if (part.starts > 0) part.restartedAt(this.clock.monotonic())
    if (delayMs > 0) this.journal.emit({ type: 'waiting', part: part.name, delayMs })
    const { startTimeoutMs, stopTimeoutMs } = { ...this.#settings, ...timeoutsOf(part.manifold) }
    const { name, manifold, starts } = part
    const attempt = starts + 1
    part.run = new Run(this, {
      part: name,
      manifold,
      attempt,
      inputs,
      delayMs,
      startTimeoutMs,
      stopTimeoutMs,
    })
  }

  #inputsOf(part: PartRecord): Inputs {
    const declared = new Set(part.inputs)
    const running = new Map<string, unknown>()
    for (const name of declared) {
      const run = this.parts.get(name)?.run
      if (run?.available === true) running.set(name, run.output)
    }
    return { declared, running }
  }

  #bounceDependents({ name }: PartRecord): void {
    if (this.phase !== 'started') return
    for (const dependent of this.#dependents.of(name)) {
      const part = this.parts.get(dependent)
      if (part !== undefined) this.#bounce(part)
    }
  }

  #bounce(part: PartRecord): void {
    if (part.question !== undefined) part.bounced = true
    else if (part.run === undefined) this.#start(part, this.#settings.bounceDelayMs)
    else if (!part.run.abandoned) this.#stop(part, part.run, 'an input came or went')
  }

  #stop(part: PartRecord, run: Run, why: string): void {
    if (run.stopping) return
    this.journal.emit({ type: 'stopping', part: part.name })
    run.stop(stopped(part.name, why))
  }

  #withdraw(part: PartRecord): void {
    part.question?.cancel()
    part.question = undefined
  }

  #drop(part: PartRecord): void {
    this.parts.delete(part.name)
    this.#dependents.remove(part.name, part.inputs)
    if (part.killed) this.killed.set(part.name, part)
    const type = part.killed ? 'killed' : 'uninstalled'
    this.journal.emit({ type, part: part.name, ...(part.error === undefined ? {} : { error: part.error }) })
    for (const gone of part.leaving ?? []) gone.resolve()
  }

  #endedInDeath(part: PartRecord, run: Run, { ending, error }: Verdict): void {
    if (ending === 'error') this.#tell(part, run, error)
    if (part.leaving !== undefined) this.#drop(part)
    this.#stopInputs(part)
  }

  #stopInputs(part: PartRecord): void {
    for (const name of part.inputs) {
      const input = this.parts.get(name)
      if (input !== undefined) this.#stopIfFree(input)
    }
    this.#finishIfDone()
  }

  /** What is only about to run stops at once; what runs when nobody needs it any more. */
  #stopIfFree(part: PartRecord): void {
    if (part.run === undefined || part.run.abandoned) return
    const needed = this.#dependents.of(part.name).some((name) => this.parts.get(name)?.live === true)
    if (!needed || part.run.state !== 'started') this.#stop(part, part.run, 'the engine stops')
  }

  #finishIfDone(): void {
    if (this.phase !== 'stopping') return
    for (const part of this.parts.values()) if (part.live) return
    this.#finish()
  }

  #finish(): void {
    this.#lastResort?.cancel()
    if (this.phase === 'stopped') return
    this.phase = 'stopped'
    this.error = this.#internal ?? this.#judge.final(this.#worst)
    this.onDone()
    this.journal.emit({ type: 'dead', ...(this.error === undefined ? {} : { error: this.error }) })
    this.journal.events.close()
    if (this.error === undefined) this.done.resolve()
    else this.done.reject(this.error)
  }

  #partOf(run: Run): PartRecord {
    const part = this.parts.get(run.plan.part)
    if (part !== undefined && part.run === run) return part
    throw new FlogError(
      'FLOG_ENGINE_INTERNAL',
      `part "${run.plan.part}" has a run that the engine knows nothing of`,
    )
  }

  #broken(cause: unknown): void {
    const message = `the engine contradicts itself: ${messageOf(cause)}`
    this.#internal ??= FlogError.is(cause, 'FLOG_ENGINE_INTERNAL')
      ? cause
      : new FlogError('FLOG_ENGINE_INTERNAL', message, { cause })
    this.ticket(() => this.die())
    this.ticket(() => this.#endAnyway())
  }

  /** After a contradiction nothing is sure, also not that every part will be known to have ended. */
  #endAnyway(): void {
    const ms = Math.min(this.#settings.stopTimeoutMs, ENGINE_STOP_MS)
    if (this.phase === 'stopped' || this.#lastResort !== undefined) return
    this.#lastResort = this.clock.after(ms, () => this.ticket(() => this.#finish()), { keepAlive: true })
  }
}

function stopped(part: string, why: string): FlogError {
  return new FlogError('FLOG_ABORTED', `part "${part}" was told to stop: ${why}`)
}

function timeoutsOf({ startTimeoutMs, stopTimeoutMs }: Manifold): Partial<Settings> {
  return {
    ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
    ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }),
  }
}
