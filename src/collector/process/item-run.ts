import { PROCESS_ITEM_ERRORS } from '../../base/limits'
import type { PlainJson, Transaction } from '../store/database'
import { type AfterError, ErrorBudget, noted } from './budget'
import type { CheckedDefinition, Progress, RunContext } from './definition'
import { GoneError } from './gone-error'
import { ItemSignal } from './item-signal'
import type { RunDeps } from './run'
import { dropItem, endItem, type TakenItem } from './run-items'
import type { BegunRun } from './runs'
import { itemStateAfter } from './states'
import { Counts } from './stats'

/** What an item needs of the run that it is part of. */
export interface RunOfItem {
  readonly definition: CheckedDefinition
  readonly begun: BegunRun
  readonly deps: RunDeps
  readonly counts: Counts
  readonly budget: ErrorBudget
  readonly settings: PlainJson
  readonly signals: readonly AbortSignal[]
  readonly isLost: boolean
  readonly isInterrupted: boolean
  progress(): Promise<Progress>
  transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
  attempt<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
}

/** One item in the hands of a worker: its signal, its errors, and what is written in the end. */
export class ItemRun {
  readonly #run: RunOfItem
  readonly #item: TakenItem
  readonly #signal: ItemSignal
  readonly #budget = new ErrorBudget(PROCESS_ITEM_ERRORS)
  readonly #counts = new Counts()
  /** Errors that the worker noted itself: throwing one of them afterwards does not make it two. */
  readonly #noted = new Set<unknown>()
  #givenUp = false
  #ended = false
  #gone = false

  constructor(run: RunOfItem, item: TakenItem) {
    this.#run = run
    this.#item = item
    this.#signal = new ItemSignal(run.signals)
  }

  /** @throws what the database threw, after trying again; nothing when the run was lost */
  async process(): Promise<void> {
    const { clock } = this.#run.deps
    const startedAt = clock.monotonic()
    if (this.#item.list === 'active') this.#run.counts.add(1, 'workItems')
    await this.#work()
    const cut = this.#signal.signal.aborted
    const interrupted = cut && this.#run.isInterrupted
    if (cut && !interrupted && !this.#run.isLost) this.#note(this.#signal.signal.reason)
    this.#ended = true
    if (this.#run.isLost) return
    await this.#write(interrupted, clock.monotonic() - startedAt)
  }

  async #work(): Promise<void> {
    const { definition, deps } = this.#run
    this.#signal.limit(deps.clock, definition.itemTimeoutMs, this.#item.name)
    try {
      await this.#signal.race(this.#call(), deps.clock, definition.graceMs)
    } catch (error) {
      // A signal that was obeyed is no error of the worker's.
      if (this.#signal.signal.aborted) return
      this.#gone = this.#item.list === 'cleanup' && error instanceof GoneError
      if (!this.#gone && !this.#noted.has(error)) this.#note(error)
    } finally {
      this.#signal.release()
    }
  }

  /** Async, so that a worker that throws at once is one that rejects. */
  async #call(): Promise<void> {
    const { definition } = this.#run
    const { name, params, version } = this.#item
    await definition[this.#item.list]({ name, params, version }, this.#context())
  }

  async #write(interrupted: boolean, durationMs: number): Promise<void> {
    const { begun, counts, deps, definition } = this.#run
    const { time } = deps
    const status = this.#status(interrupted, durationMs)
    const errors = this.#budget.total
    const state = interrupted ? 'incomplete' : itemStateAfter({ spent: this.#givenUp, errors })
    if (state === 'aborted') counts.add(1, 'workItemsAborted')
    if (this.#item.list === 'cleanup' && state === 'completed') {
      const dropped = await this.#run.attempt((tx) => dropItem(tx, begun, this.#item, status, time))
      if (dropped) counts.add(1, 'workItemsCleaned')
      return
    }
    if (this.#item.list === 'cleanup') counts.add(1, 'workItemsDirty')
    const end = { state, interrupted, leaveAlone: this.#budget.spent, status }
    await this.#run.attempt((tx) =>
      endItem(tx, begun, this.#item, end, { backoff: definition.backoff, time }),
    )
  }

  #status(interrupted: boolean, durationMs: number): PlainJson {
    return {
      durationMs: Math.round(durationMs),
      stats: this.#counts.all(),
      errors: this.#budget.first.map(({ message, code }) =>
        code === undefined ? { message } : { message, code },
      ),
      totalErrors: this.#budget.total,
      ...(interrupted ? { interrupted } : {}),
    }
  }

  #note(error: unknown): AfterError {
    const one = noted(this.#item.name, error)
    this.#noted.add(error)
    const ofRun = this.#run.budget.add(one)
    const ofItem = this.#budget.add(one)
    if (ofRun === 'continue' && ofItem === 'continue') return 'continue'
    this.#givenUp = true
    return 'abort'
  }

  #context(): RunContext {
    const run = this.#run
    const { runId, fence, plan } = run.begun
    return {
      signal: this.#signal.signal,
      fence,
      runId,
      slot: plan.slot,
      get settings() {
        return run.settings
      },
      stats: (n, name) => {
        // Of a worker that was given up nothing is taken any more.
        if (this.#ended) return
        this.#counts.add(n, name)
        run.counts.add(n, `work.${name}`)
      },
      error: (error) => (this.#ended ? 'abort' : this.#note(error)),
      progress: () => run.progress(),
      transact: (work) => run.transact(work),
    }
  }
}
