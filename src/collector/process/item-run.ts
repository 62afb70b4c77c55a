import { FlogError } from '../../base/errors'
import { PROCESS_ITEM_ERRORS } from '../../base/limits'
import type { PlainJson, Transaction } from '../store/database'
import { type AfterError, ErrorBudget, noted } from './budget'
import type { CheckedDefinition, Progress, RunContext } from './definition'
import { GoneError } from './gone-error'
import { ItemSignal } from './item-signal'
import type { RunDeps } from './run'
import { dropItem, endItem, type TakenItem } from './run-items'
import type { BegunRun } from './runs'
import { type ItemState, itemStateAfter } from './states'
import { Counts, OF_WORKERS } from './stats'

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
  progress(): Promise<Progress>
  transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
}

/** One item in the hands of a worker: its signal, its errors, and what is written in the end. */
export class ItemRun {
  readonly #run: RunOfItem
  readonly #item: TakenItem
  readonly #signal: ItemSignal
  readonly #budget = new ErrorBudget(PROCESS_ITEM_ERRORS)
  readonly #counts = new Counts('')
  /** Errors that the worker noted itself: throwing one of them afterwards does not make it two. */
  readonly #noted = new Set<unknown>()
  #givenUp = false
  #ended = false
  #gone = false
  #interrupted = false
  #durationMs = 0

  constructor(run: RunOfItem, item: TakenItem) {
    this.#run = run
    this.#item = item
    this.#signal = new ItemSignal(run.signals)
  }

  /** Has the worker process it. Does not reject: what went wrong is written with its end. */
  async process(): Promise<void> {
    const { clock } = this.#run.deps
    const startedAt = clock.monotonic()
    if (this.#item.list === 'active') this.#run.counts.add(1, 'workItems')
    await this.#work()
    const { aborted: cut, reason } = this.#signal.signal
    this.#interrupted = cut && FlogError.is(reason, 'FLOG_PROCESS_INTERRUPTED')
    if (cut && !this.#interrupted && !this.#run.isLost) this.#note(reason)
    this.#ended = true
    this.#durationMs = clock.monotonic() - startedAt
  }

  /**
   * Writes how it ended; doing it again, after an answer that was lost, changes nothing.
   * @returns what is to be counted once that is committed
   */
  async write(tx: Transaction): Promise<readonly string[]> {
    const { begun, deps, definition } = this.#run
    const { time } = deps
    const state = this.#state
    const aborted = state === 'aborted' ? ['workItemsAborted'] : []
    if (this.#item.list === 'cleanup' && state === 'completed') {
      const dropped = await dropItem(tx, begun, this.#item, this.#status(), time)
      return dropped ? ['workItemsCleaned'] : []
    }
    const end = {
      state,
      interrupted: this.#interrupted,
      leaveAlone: this.#budget.spent,
      status: this.#status(),
    }
    await endItem(tx, begun, this.#item, end, { backoff: definition.backoff, time })
    return this.#item.list === 'cleanup' ? ['workItemsDirty', ...aborted] : aborted
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

  get #state(): ItemState {
    if (this.#interrupted) return 'incomplete'
    return itemStateAfter({ spent: this.#givenUp, errors: this.#budget.total })
  }

  #status(): PlainJson {
    return {
      durationMs: Math.round(this.#durationMs),
      stats: this.#counts.all(),
      errors: this.#budget.first.map(({ message, code }) =>
        code === undefined ? { message } : { message, code },
      ),
      totalErrors: this.#budget.total,
      ...(this.#interrupted ? { interrupted: true } : {}),
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
        run.counts.add(n, `${OF_WORKERS}${name}`)
      },
      error: (error) => (this.#ended ? 'abort' : this.#note(error)),
      progress: async () => (this.#ended ? 'none' : run.progress()),
      transact: (work) => this.#transact(work),
    }
  }

  /** Not for a worker that was given up, nor for what it left behind: the end of its item may be written already. */
  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#assertGoing()
    return this.#run.transact(async (tx) => {
      const result = await work(tx)
      this.#assertGoing()
      return result
    })
  }

  #assertGoing(): void {
    if (!this.#ended) return
    this.#signal.signal.throwIfAborted()
    const { name } = this.#item
    throw new FlogError('FLOG_CLOSED', `item ${JSON.stringify(name)} has ended`, { details: { item: name } })
  }
}
