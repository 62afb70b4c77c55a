import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { LEASE_CLAIM_RETRY_MS, LEASE_CLAIM_TRIES } from '../../base/limits'
import { pause } from '../../base/pause'
import type { Random } from '../../base/random'
import type { Database, Executor, Param, PlainJson, Transaction } from '../store/database'
import {
  claimFreeStatement,
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
  /** The session that had it, and died over it. */
  readonly takenFrom: string | null
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

/** The share of claims that look at once at what the dead hold as well. */
const SHARE_OF_STEALING = 1 / 16

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
    if (excluded.length > 0) return transact((tx) => this.#take(tx, selection))
    try {
      return await this.#take(database, selection)
    } catch (error) {
      if (!FlogError.is(error, 'FLOG_DATABASE_SERIALIZATION')) throw error
      return transact((tx) => this.#take(tx, selection))
    }
  }

  async #retrieved(retrieve: Exclude<Retrieve, { kind: string }>): Promise<Outcome> {
    const { transact } = this.#context
    try {
      return await transact(async (tx) => {
        const ids = await retrieve(tx)
        if (ids.length === 0) return 'nothing'
        const outcome = await this.#take(tx, ofIds(ids))
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

  async #take(executor: Executor, selection: Selection): Promise<Outcome> {
    const row = await this.#claimed(executor, selection)
    if (row !== undefined) return { ...row, process: this.#process, sessionId: this.#context.sessionId }
    const { rows } = await executor.query<Peek>(peekStatement(selection), this.#params(selection))
    const { alive, left } = rows[0] as Peek
    if (!alive) return 'session expired'
    return left ? 'look again' : 'nothing'
  }

  async #claimed(executor: Executor, selection: Selection): Promise<ClaimRow | undefined> {
    const { excluded, random } = this.#context
    const picked = excluded.length === 0 ? selection : await this.#locked(executor, selection)
    if (picked === undefined) return undefined
    if (random.fraction() >= SHARE_OF_STEALING) {
      const [free] = (await executor.query<ClaimRow>(claimFreeStatement(picked), this.#params(picked))).rows
      if (free !== undefined) return free
    }
    return (await executor.query<ClaimRow>(claimStatement(picked), this.#params(picked))).rows[0]
  }

  async #locked(tx: Executor, selection: Selection): Promise<Selection | undefined> {
    const { rows } = await tx.query<{ subject_id: string }>(lockStatement(selection), this.#params(selection))
    return rows[0] === undefined ? undefined : ofIds([rows[0].subject_id])
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

interface ClaimRow {
  readonly subject: string
  readonly fence: bigint
  readonly attempt: number
  readonly details: PlainJson | null
  /** The session that died over it. */
  readonly takenFrom: string | null
}

interface Peek {
  readonly alive: boolean
  readonly left: boolean
}
