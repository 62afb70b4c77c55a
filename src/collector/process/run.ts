import type { Clock, Timer } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { PROCESS_FINISH_ATTEMPTS, PROCESS_FINISH_RETRY_MS, PROCESS_RUN_ERRORS } from '../../base/limits'
import { pause } from '../../base/pause'
import type { PlainJson, Transaction } from '../store/database'
import { ErrorBudget } from './budget'
import type { CheckedDefinition, Progress } from './definition'
import { ItemRun, type RunOfItem } from './item-run'
import type { Owner } from './owner'
import { isAnyLeft, type TakenItem, takeItem } from './run-items'
import { type BegunRun, checkFence, finishRun, type RunEnd, type RunFigures, writeProgress } from './runs'
import { type RunState, runStateAfter } from './states'
import { Counts, type Stats } from './stats'
import type { DatabaseTime } from './time'

export interface RunDeps {
  readonly owner: Owner
  readonly clock: Clock
  readonly time: DatabaseTime
  /** Milliseconds between two writes of progress. */
  readonly progressMs: number
  /** Trouble with the database that is tried again. */
  readonly onTrouble: (error: unknown) => void
}

export interface RunResult {
  readonly run: number
  /** `conflict`: another instance has it, or our session ended; nothing was written about its end. */
  readonly state: Exclude<RunState, 'active' | 'lost'> | 'conflict'
  readonly stats: Stats
}

/** One run of a process by its owner: takes items, has the worker process them, and writes what came of it. */
export class Run implements RunOfItem {
  readonly definition: CheckedDefinition
  readonly begun: BegunRun
  readonly deps: RunDeps
  readonly counts = new Counts()
  readonly budget = new ErrorBudget(PROCESS_RUN_ERRORS)
  readonly #conflict = new AbortController()
  readonly #interrupt = new AbortController()
  #settings: PlainJson
  #settingsVersion: bigint
  #list: TakenItem['list'] = 'active'
  #stopped = false
  /** Something is left for another run. */
  #isLeft = false
  /** The answer to a commit was lost: an item may be taken that is in nobody's hands. */
  #isUnsure = false
  #trouble = false
  #progressAt: number
  #writing = false

  constructor(definition: CheckedDefinition, begun: BegunRun, deps: RunDeps) {
    this.definition = definition
    this.begun = begun
    this.deps = deps
    this.#settings = begun.settings
    this.#settingsVersion = begun.settingsVersion
    this.#progressAt = deps.clock.monotonic() + deps.progressMs
  }

  get settings(): PlainJson {
    return this.#settings
  }

  /** Those that end an item: it is told why by the reason. */
  get signals(): readonly AbortSignal[] {
    return [this.deps.owner.signal, this.#conflict.signal, this.#interrupt.signal]
  }

  /** The run is not ours any more, or must not be written by us. */
  get isLost(): boolean {
    return this.#conflict.signal.aborted || this.deps.owner.signal.aborted
  }

  /**
   * The item that comes next: active ones first, then those that are to be cleaned up.
   * @returns undefined where none is left
   */
  async take(tx: Transaction): Promise<TakenItem | undefined> {
    const item = await takeItem(tx, this.begun, this.#list, this.deps.time)
    if (item !== undefined) this.#list = item.list
    return item
  }

  /**
   * Processes all items, or until `stop`: what is under way then gets the grace of the definition to end.
   * @param first taken already; undefined where there is none
   */
  async execute(first: TakenItem | undefined, stop: AbortSignal): Promise<void> {
    if (first === undefined) return
    const stopping = this.#onStop(stop)
    try {
      const workers = Array.from({ length: this.definition.concurrency }, (_, n) =>
        this.#work(n === 0 ? first : undefined),
      )
      await Promise.all(workers)
      if (this.#stopped || this.#isUnsure) await this.#lookForMore()
    } finally {
      stopping.cancel()
    }
  }

  /**
   * Writes that the run has ended; tried again where it fails.
   * @throws what the database threw last
   */
  async finish(): Promise<RunResult> {
    const interrupted = this.#isLeft || this.#trouble
    const errors = this.budget.total
    const state = runStateAfter({ spent: this.budget.spent, interrupted, errors }) as RunResult['state'] &
      RunState
    const { pauseOnFailure, dropRetentionMs } = this.definition
    const end: RunEnd = { ...this.#figures(), state, interrupted, pauseOnFailure, dropRetentionMs }
    const run = Number(this.begun.runId)
    try {
      const stats = await this.attempt((tx) => finishRun(tx, this.begun, end, this.deps.time))
      return { run, state, stats }
    } catch (error) {
      if (!this.isLost) throw error
      return { run, state: 'conflict', stats: this.counts.all() }
    }
  }

  /** Writes progress, unless it was written a short while ago. */
  async progress(): Promise<Progress> {
    const { clock, progressMs, owner, time } = this.deps
    if (this.isLost) return 'conflict'
    if (this.#writing || clock.monotonic() < this.#progressAt) return 'none'
    this.#writing = true
    try {
      const now = await owner.transact((tx) => writeProgress(tx, this.begun, this.#figures(), time))
      this.#progressAt = clock.monotonic() + progressMs
      return this.#merge(now)
    } catch (error) {
      this.#progressAt = clock.monotonic() + Math.min(progressMs, PROCESS_FINISH_RETRY_MS)
      this.#noteConflict(error)
      if (this.isLost) return 'conflict'
      this.deps.onTrouble(error)
      return 'none'
    } finally {
      this.#writing = false
    }
  }

  /** A transaction of the worker's own, which fails when the run was taken over. */
  async transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.deps.owner.transact(async (tx) => {
        await checkFence(tx, this.begun)
        return run(tx)
      })
    } catch (error) {
      this.#noteConflict(error)
      throw error
    }
  }

  /** A transaction that is tried again after it failed, but not when the run has been lost. */
  async attempt<T>(run: (tx: Transaction) => Promise<T>): Promise<T> {
    const { owner, clock, onTrouble } = this.deps
    for (let attempt = 1; ; attempt++) {
      try {
        for (const signal of [owner.signal, this.#conflict.signal]) signal.throwIfAborted()
        return await owner.transact(run)
      } catch (error) {
        this.#noteConflict(error)
        if (FlogError.is(error) && error.details['outcome'] === 'unknown') this.#isUnsure = true
        if (this.isLost || attempt === PROCESS_FINISH_ATTEMPTS) throw error
        onTrouble(error)
        await pause(clock, PROCESS_FINISH_RETRY_MS * 2 ** (attempt - 1), owner.signal, true)
      }
    }
  }

  get #goesOn(): boolean {
    return !this.#stopped && !this.#trouble && !this.budget.spent && !this.isLost
  }

  /** Does not reject: no item may still be at work when the end of the run is written. */
  async #work(first: TakenItem | undefined): Promise<void> {
    try {
      let item = first ?? (await this.#next())
      while (item !== undefined) {
        const itemRun = new ItemRun(this, item)
        await itemRun.process()
        if (this.isLost) return
        item = await this.#next(itemRun)
        await this.progress()
      }
    } catch (error) {
      this.#end(error)
    }
  }

  /** Writes how an item ended, and takes another one in the same transaction. */
  async #next(ended?: ItemRun): Promise<TakenItem | undefined> {
    if (ended === undefined && !this.#goesOn) return undefined
    const { counts, item } = await this.attempt(async (tx) => ({
      counts: (await ended?.write(tx)) ?? [],
      item: this.#goesOn ? await this.take(tx) : undefined,
    }))
    for (const name of counts) this.counts.add(1, name)
    return item
  }

  /** Whoever is told to stop when all is done has done it. */
  async #lookForMore(): Promise<void> {
    if (this.isLost || this.#trouble) return
    try {
      this.#isLeft = await this.attempt((tx) => isAnyLeft(tx, this.begun, this.deps.time))
    } catch (error) {
      this.#end(error)
    }
  }

  /** The database failed for good: what is left is for another run. */
  #end(error: unknown): void {
    if (this.isLost) return
    this.#trouble = true
    this.deps.onTrouble(error)
  }

  #onStop(stop: AbortSignal): Timer {
    let grace: Timer | undefined
    const onStop = (): void => {
      this.#stopped = true
      grace = this.deps.clock.after(this.definition.graceMs, () =>
        this.#interrupt.abort(interrupted(this.begun)),
      )
    }
    if (stop.aborted) onStop()
    else stop.addEventListener('abort', onStop, { once: true })
    return {
      cancel: () => {
        stop.removeEventListener('abort', onStop)
        grace?.cancel()
      },
    }
  }

  #noteConflict(error: unknown): void {
    if (FlogError.is(error, 'FLOG_PROCESS_CONFLICT')) this.#conflict.abort(error)
  }

  #merge({ settings, version }: { readonly settings: PlainJson; readonly version: bigint }): Progress {
    if (version === this.#settingsVersion) return 'updated'
    this.#settings = settings
    this.#settingsVersion = version
    return 'merged'
  }

  #figures(): RunFigures {
    return { stats: this.counts.all(), errors: this.budget.first, totalErrors: this.budget.total }
  }
}

function interrupted({ process, runId }: BegunRun): FlogError {
  return new FlogError('FLOG_PROCESS_INTERRUPTED', `run ${runId} of ${process} ends before all is done`, {
    details: { process, run: Number(runId) },
  })
}
