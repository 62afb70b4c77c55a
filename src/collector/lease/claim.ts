import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { LEASE_CLAIM_RETRY_MS, LEASE_CLAIM_TRIES } from '../../base/limits'
import { pause } from '../../base/pause'
import type { Random } from '../../base/random'
import type { Database, Executor, Param, PlainJson, Rows, Transaction } from '../store/database'
import {
  claimStatement,
  lockStatement,
  ofIds,
  ofKind,
  peekStatement,
  type Selection,
  TAKEN,
} from './claim-sql'

/**
 * Where subjects to work on come from: all of a kind, or what a query finds; which of them is taken is a matter of priority
 * and turn. It may run several times. An empty answer, or FLOG_WORK_NOTHING thrown, means that there is nothing to do.
 *
 * It is asked again when one was taken: what was so before may have been done by somebody else meanwhile. The second time it
 * is told which one, and may look at that one only.
 */
export type Retrieve =
  | { readonly kind: string }
  | ((tx: Transaction, taken?: string) => Promise<readonly string[]>)

export interface Claimed {
  readonly subject: string
  readonly process: string
  readonly sessionId: string
  readonly fence: bigint
  readonly attempt: number
  /** What the holder before this one said last, when it died before it could finish. */
  readonly details: PlainJson | null
}

export interface ClaimContext {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly sessionId: string
  readonly excluded: readonly string[]
  readonly signal: AbortSignal
  transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
}

type Outcome = Claimed | 'nothing' | 'look again' | 'session expired'

/**
 * Takes work; undefined where there is none.
 * @throws FlogError FLOG_WORK_CONFLICT when the subjects that were named are all taken
 */
export async function claim(
  context: ClaimContext,
  process: string,
  retrieve: Retrieve,
  ignoreBackoff: boolean,
): Promise<Claimed | 'session expired' | undefined> {
  const attempt = new Attempt(context, process, ignoreBackoff)
  for (let tries = 1; ; tries++) {
    const outcome = await attempt.run(retrieve)
    if (outcome === 'nothing' || tries === LEASE_CLAIM_TRIES) return undefined
    if (outcome !== 'look again') return outcome
    await pause(context.clock, context.random.fraction() * LEASE_CLAIM_RETRY_MS * tries, context.signal, true)
    if (context.signal.aborted) return 'session expired'
  }
}

/** Undoes a claim. */
const STALE = new FlogError('FLOG_WORK_NOTHING', 'somebody else did it while it was taken')

class Attempt {
  readonly #context: ClaimContext
  readonly #process: string
  readonly #ignoreBackoff: boolean

  constructor(context: ClaimContext, process: string, ignoreBackoff: boolean) {
    this.#context = context
    this.#process = process
    this.#ignoreBackoff = ignoreBackoff
  }

  async run(retrieve: Retrieve): Promise<Outcome> {
    const { database, excluded, transact } = this.#context
    if (typeof retrieve === 'function') return this.#retrieved(retrieve)
    const selection = ofKind(retrieve.kind)
    // The statement checks the session itself, so it needs no transaction around it.
    if (excluded.length === 0) return this.#take(database, selection)
    return transact((tx) => this.#lockAndTake(tx, selection))
  }

  async #retrieved(retrieve: Exclude<Retrieve, { kind: string }>): Promise<Outcome> {
    const { excluded, transact } = this.#context
    try {
      return await transact(async (tx) => {
        const ids = await retrieve(tx)
        if (ids.length === 0) return 'nothing'
        const selection = ofIds(ids)
        const take = () =>
          excluded.length === 0 ? this.#take(tx, selection) : this.#lockAndTake(tx, selection)
        const outcome = await take()
        if (outcome === 'nothing') await this.#assertFree(tx, ids)
        if (typeof outcome === 'object' && !(await retrieve(tx, outcome.subject)).includes(outcome.subject))
          throw STALE
        return outcome
      })
    } catch (error) {
      if (error === STALE) return 'look again'
      if (FlogError.is(error, 'FLOG_WORK_NOTHING')) return 'nothing'
      throw error
    }
  }

  async #lockAndTake(tx: Transaction, selection: Selection): Promise<Outcome> {
    const params = this.#params(selection)
    const { rows } = await tx.query<{ subject_id: string }>(lockStatement(selection), params)
    if (rows[0] !== undefined) return this.#take(tx, ofIds([rows[0].subject_id]))
    return this.#outcome(await tx.query<ClaimRow>(peekStatement(selection), params))
  }

  async #take(executor: Executor, selection: Selection): Promise<Outcome> {
    return this.#outcome(await executor.query<ClaimRow>(claimStatement(selection), this.#params(selection)))
  }

  #outcome({ rows }: Rows<ClaimRow>): Outcome {
    const row = rows[0] as ClaimRow
    if (!row.alive) return 'session expired'
    if (row.subject === null) return row.picked || row.locked ? 'look again' : 'nothing'
    const { subject, fence, attempt, details } = row
    return { subject, process: this.#process, sessionId: this.#context.sessionId, fence, attempt, details }
  }

  async #assertFree(tx: Transaction, ids: readonly string[]): Promise<void> {
    const { rows } = await tx.query(TAKEN, [ids, this.#process, this.#context.excluded])
    if (rows.length === 0) return
    throw new FlogError(
      'FLOG_WORK_CONFLICT',
      `somebody else has the work ${this.#process} on what was asked for`,
      {
        details: { process: this.#process, subjects: ids },
      },
    )
  }

  #params(selection: Selection): readonly Param[] {
    const { sessionId, excluded } = this.#context
    return [sessionId, this.#process, this.#ignoreBackoff, excluded, ...selection.params]
  }
}

type ClaimRow =
  | { readonly alive: boolean; readonly picked: boolean; readonly locked: boolean; readonly subject: null }
  | {
      readonly alive: true
      readonly subject: string
      readonly fence: bigint
      readonly attempt: number
      readonly details: PlainJson | null
    }
