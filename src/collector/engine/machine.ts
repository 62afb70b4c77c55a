import type { Clock, Timer } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import { ENGINE_STOP_MS } from '../../base/limits'
import { failuresAfter, restartDelay } from './backoff'
import type { Decision, PartErrorContext, Settings } from './config'
import type { Declaration } from './declaration'
import { aborted, MissingError, withoutStack } from './errors'
import { Journal } from './journal'
import { Judge, type Question, type Verdict } from './judge'
import { TicketLoop } from './loop'
import type { PartRecord } from './record'
import { Roster } from './roster'
import { Run, type RunEnd, type RunHost } from './run'
import { Shutdown } from './shutdown'
import { deferred } from './workers'

/**
 * What happens to parts, one ticket after the other.
 *
 * A part that started or stopped bounces its dependents: those that do nothing are started, the others are told to stop and
 * started again when they have. While the engine stops, nothing starts, and a part is told to stop when none of its dependents
 * goes on, or when those that do were given up.
 */
export class Machine implements RunHost {
  readonly roster = new Roster()
  readonly done = deferred()
  readonly journal: Journal
  readonly clock: Clock
  phase: 'started' | 'stopping' | 'stopped' = 'started'
  /** What `wait` rejects with, or will. */
  error: unknown
  /** What `kill` was given, or the first fatal error. */
  reason: unknown
  /** Called once, when all has ended and before whoever waits is told. */
  onDone = (): void => {}
  readonly #settings: Settings
  readonly #judge: Judge
  readonly #loop = new TicketLoop((error) => this.#broken(error))
  #shutdown: Shutdown | undefined
  #told = false
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

  /** False from the moment in which it was told to stop, also where it has not begun to yet. */
  get takesParts(): boolean {
    return this.phase === 'started' && !this.#told
  }

  ticket(action: () => void): void {
    this.#loop.post(action)
  }

  kill(reason: unknown): void {
    this.#told = true
    this.ticket(() => {
      if (this.phase === 'started') this.#die({ ...(reason === undefined ? {} : { reason }) })
    })
  }

  add(name: string, declaration: Declaration): void {
    const part = this.roster.add(name, declaration)
    this.journal.emit({ type: 'installed', part: name })
    this.ticket(() => this.#start(part, 0))
  }

  replace(part: PartRecord, declaration: Declaration): void {
    this.roster.replace(part, declaration)
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
      if (this.roster.get(part.name) !== part) return gone.resolve()
      this.#withdraw(part)
      if (part.run === undefined) this.#drop(part)
      else if (part.run.abandoned) gone.reject(part.error)
      // While all stop, each does when its turn comes.
      else if (this.phase === 'started') this.#stop(part, part.run, 'it is uninstalled')
    })
    return gone.promise
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
    if (run.worker !== undefined) this.#bounceDependents(part)
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
    // Those of one that was abandoned were bounced then.
    if (end.ranMs !== undefined && !run.abandoned) this.#bounceDependents(part)
  }

  #verdict(part: PartRecord, run: Run, end: RunEnd): Verdict {
    const judged = this.#judge.verdict(part.name, run.plan.declaration, end.error)
    const verdict = end.aborted ? { ...judged, ending: 'aborted' as const } : judged
    const { ending, error } = verdict
    if (!end.aborted) part.error = error
    this.journal.emit({ type: 'stopped', part: part.name, ...(error === undefined ? {} : { error }) })
    this.journal.measure(part.name, (metrics) => metrics.ended?.(part.name, ending, end.ranMs))
    return verdict
  }

  #goOn(part: PartRecord, run: Run, end: RunEnd, { ending, error }: Verdict): void {
    part.failures = failuresAfter(part.failures, end.ranMs, this.#settings.backoffResetMs)
    if (run.plan.declaration !== part.declaration) {
      if (ending === 'error') this.#tell(part, run, error)
      this.#start(part, this.#settings.bounceDelayMs)
      return
    }
    if (ending === 'completed') part.failures = 0
    const removed = ending === 'completed' && !run.stopping && this.#settings.removeCompleted === true
    // Neither is a failure; and what failed before is not what happens now.
    if (ending === 'missing' || ending === 'aborted') part.failures = Math.min(part.failures, 1)
    if (ending === 'error') this.#failed(part, run, end, error)
    else if (ending === 'uninstall' || removed) this.#drop(part)
    else if (ending === 'bounce' || run.stopping) this.#start(part, this.#settings.bounceDelayMs)
  }

  #failed(part: PartRecord, run: Run, end: RunEnd, error: unknown): void {
    const failures = part.failures + 1
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
    if (this.phase === 'started') this.#die({ error })
  }

  #start(part: PartRecord, delayMs: number): void {
    if (this.phase !== 'started' || !part.idle || part.leaving !== undefined) return
    const inputs = this.roster.inputsOf(part)
    const missing = part.hard.find((name) => !inputs.running.has(name))
    if (missing !== undefined) {
      part.error = withoutStack(() => new MissingError(`"${missing}" not running: dependency not available`))
      return
    }
    if (part.starts > 0) part.restartedAt(this.clock.monotonic())
    if (delayMs > 0) this.journal.emit({ type: 'waiting', part: part.name, delayMs })
    const { startTimeoutMs, stopTimeoutMs } = this.#settings
    const { name, declaration, starts } = part
    const plan = { part: name, declaration, attempt: starts + 1, inputs, delayMs }
    part.run = new Run(this, { ...plan, startTimeoutMs, stopTimeoutMs, ...declaration.timeouts })
  }

  #bounceDependents(part: PartRecord): void {
    if (this.phase !== 'started') return
    for (const dependent of this.roster.dependentsOf(part)) this.#bounce(dependent)
  }

  #bounce(part: PartRecord): void {
    if (part.question !== undefined) part.bounced = true
    else if (part.run === undefined) this.#start(part, this.#settings.bounceDelayMs)
    else if (!part.run.abandoned) this.#stop(part, part.run, 'an input came or went')
  }

  #stop(part: PartRecord, run: Run, why: string, cause?: unknown): void {
    if (run.stopping) return
    this.journal.emit({ type: 'stopping', part: part.name })
    run.stop(stopped(part.name, why, cause))
  }

  #withdraw(part: PartRecord): void {
    part.question?.cancel()
    part.question = undefined
  }

  #drop(part: PartRecord): void {
    this.roster.remove(part)
    const type = part.killed ? 'killed' : 'uninstalled'
    this.journal.emit({ type, part: part.name, ...(part.error === undefined ? {} : { error: part.error }) })
    for (const gone of part.leaving ?? []) gone.resolve()
  }

  #die(why: { readonly reason?: unknown; readonly error?: unknown }): void {
    this.phase = 'stopping'
    this.reason = why.reason ?? why.error
    this.journal.emit({ type: 'dying', ...why })
    for (const part of this.roster.parts) this.#withdraw(part)
    this.#shutdown = new Shutdown(this.roster.parts)
    for (const part of this.roster.parts) this.#stopIfFree(part, this.#shutdown)
    this.#finishIfDone()
  }

  #endedInDeath(part: PartRecord, run: Run, { ending, error }: Verdict): void {
    if (ending === 'error') this.#tell(part, run, error)
    if (part.leaving !== undefined) this.#drop(part)
    this.#stopInputs(part)
  }

  #stopInputs(part: PartRecord): void {
    const shutdown = this.#shutdown
    for (const name of shutdown?.release(part) ?? []) {
      const input = this.roster.get(name)
      if (input !== undefined && shutdown !== undefined) this.#stopIfFree(input, shutdown)
    }
    this.#finishIfDone()
  }

  /**
   * What is only about to run stops at once; what runs when nobody needs it any more. What was replaced does so at once,
   * too: with the inputs that it had there may be a circle.
   */
  #stopIfFree(part: PartRecord, shutdown: Shutdown): void {
    if (part.run === undefined || part.run.abandoned) return
    const stays = shutdown.needs(part.name) && part.run.state === 'started' && !part.outdated
    if (!stays) this.#stop(part, part.run, 'the engine stops', this.reason)
  }

  #finishIfDone(): void {
    if (this.phase === 'stopping' && this.#shutdown?.over === true) this.#finish()
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
    const part = this.roster.get(run.plan.part)
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
    const error = this.#internal
    this.ticket(() => this.phase === 'started' && this.#die({ error }))
    this.ticket(() => this.#endAnyway())
  }

  /** After a contradiction nothing is sure, also not that every part will be known to have ended. */
  #endAnyway(): void {
    const ms = Math.min(this.#settings.stopTimeoutMs, ENGINE_STOP_MS)
    if (this.phase === 'stopped' || this.#lastResort !== undefined) return
    this.#lastResort = this.clock.after(ms, () => this.ticket(() => this.#finish()), { keepAlive: true })
  }
}

function stopped(part: string, why: string, cause?: unknown): FlogError {
  return aborted(`part "${part}" was told to stop: ${why}`, cause)
}
