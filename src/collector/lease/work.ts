import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { LEASE_CANCEL_MS } from '../../base/limits'
import type { Random } from '../../base/random'
import type { Database, PlainJson, Transaction } from '../store/database'
import { type Backoff, isDead, jittered, nextBackoff, parseBackoff } from './backoff'
import type { Claimed } from './claim'
import type { Session } from './session'
import {
  beat,
  clearBackoff,
  endedBefore,
  endingOf,
  endOf,
  keepSubject,
  lastInterval,
  lockHeld,
  lost,
  putBackoff,
  release,
} from './settle'
import { timeout } from './timeout'
import { WorkState } from './work-state'

/** When work is tried again that is never to be tried again. */
export const NEVER = new Date(8.64e15)

export interface WorkContext {
  readonly session: Session
  readonly database: Database
  readonly random: Random
  readonly clock: Clock
  readonly onTrouble: (error: unknown) => void
  readonly onSettled: (result: 'finished' | 'failed' | 'canceled' | 'lost') => void
  /** It is not wanted any more, and could not be given back. */
  readonly onAbandoned: () => void
}

/**
 * Something that is done on one subject, and that nobody else does meanwhile. Whoever holds it calls finish, fail or cancel,
 * or leaves that to `await using`. What reaches beyond the database carries {@link fence}, so that it can be refused there
 * when a later holder has been.
 */
export class Work {
  readonly subject: string
  readonly process: string
  /** Larger for each later holder of the same work. */
  readonly fence: bigint
  /** 1 at the first try, and one more after each failure, until it is finished. */
  readonly attempt: number
  /** What a holder that died had said with its last heartbeat: where to go on. */
  readonly details: PlainJson | null
  readonly #claimed: Claimed
  readonly #context: WorkContext
  readonly #state = new WorkState()
  readonly #stopped = new AbortController()
  /** What the last try to end it would have returned. */
  #sent: Ended | undefined
  /** What was sent to the database and not answered: it may have been done. */
  #unanswered: Ended | undefined

  constructor(claimed: Claimed, context: WorkContext) {
    const { subject, process, fence, attempt, details } = claimed
    this.subject = subject
    this.process = process
    this.fence = fence
    this.attempt = attempt
    this.details = details
    this.#claimed = claimed
    this.#context = context
    if (context.session.signal.aborted) this.stop(context.session.signal.reason)
  }

  /** Aborts when the work is lost, or its session ends: stop working. */
  get signal(): AbortSignal {
    return this.#stopped.signal
  }

  /** Notes how far it has come. @throws FlogError FLOG_WORK_LOST, FLOG_WORK_FINISHED, FLOG_SESSION_EXPIRED */
  async heartbeat(details?: PlainJson): Promise<void> {
    this.#state.assertHeld('report on')
    await this.#orLost(this.#context.session.transact((tx) => beat(tx, this.#claimed, details)))
  }

  /** A transaction that counts only while the work is held. @throws as {@link heartbeat} */
  async transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#state.assertHeld('use')
    const { session } = this.#context
    return this.#orLost(
      session.transact(async (tx) => {
        await lockHeld(tx, this.#claimed)
        return run(tx)
      }),
    )
  }

  /**
   * It is done: backoff and attempts are forgotten, and `run` writes what came of it in the same transaction. When that
   * fails the work is still held, and can be finished again. Where the connection is lost over the COMMIT it is asked what
   * became of it: nothing is done twice, and what `run` returned the first time is returned.
   * @throws as {@link heartbeat}; and what `run` throws
   */
  async finish<T>(run: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#settle('finish', 'finished', undefined, async (tx) => {
      await clearBackoff(tx, this.#claimed)
      return run(tx)
    })
  }

  /**
   * It did not work out: not before the moment that is returned is it tried again, {@link NEVER} when no attempts are left.
   * @param backoff without one it is tried after a second, which is seldom what is wanted: there is a warning
   * @throws as {@link heartbeat}
   */
  async fail(backoff: Backoff | undefined, cause: string): Promise<Date> {
    if (backoff === undefined) this.#context.onTrouble(noBackoff(this.process))
    else parseBackoff('backoff', backoff)
    return this.#settle('fail', 'failed', cause, async (tx) => {
      const last = backoff === undefined ? undefined : await lastInterval(tx, this.#claimed)
      const intervalMs = nextBackoff(backoff, last)
      const delayMs = jittered(backoff, intervalMs, this.#context.random)
      const dead = isDead(backoff, this.attempt)
      const failure = { delayMs, intervalMs, attempts: this.attempt, cause, dead }
      const until = await putBackoff(tx, this.#claimed, failure)
      return dead ? NEVER : until
    })
  }

  /**
   * Gives the work back as it was: neither a success nor a failure. It works also when the session has expired, takes two
   * seconds at most, and never throws: what cannot be given back now is given back with a heartbeat, or taken from us when
   * the session dies.
   */
  async cancel(): Promise<void> {
    const { clock, database, onAbandoned, onTrouble } = this.#context
    const budget = timeout(clock, LEASE_CANCEL_MS, `cancelling ${this.process} took too long`)
    try {
      // Who finishes it and does not wait for that may yet fail to.
      await Promise.race([this.#state.settled(), budget.over])
      if (this.#state.phase !== 'held') return
      await this.#state.settle('cancel', () =>
        database.transaction((tx) => release(tx, this.#claimed, 'canceled'), { signal: budget.signal }),
      )
      this.#settled('canceled')
    } catch (error) {
      onAbandoned()
      onTrouble(error)
    } finally {
      budget.cancel()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel()
  }

  /** Called by the session: its holder shall stop, for the session ends. The work may still be cancelled. */
  stop(reason: unknown): void {
    this.#stopped.abort(reason)
  }

  /** Called by the session: the database does not know this holder any more. What may have ended it is asked for later. */
  lose(result: 'lost' | 'canceled', reason: unknown): void {
    if (this.#unanswered !== undefined && result === 'lost') return
    if (this.#state.lose()) this.#settled(result, reason)
  }

  async #settle<T>(
    what: string,
    ending: Ended['ending'],
    cause: string | undefined,
    run: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const end = async (tx: Transaction): Promise<T> => {
      if (ending === 'failed') await keepSubject(tx, this.#claimed)
      if (!(await release(tx, this.#claimed, ending, cause))) return this.#endedBefore<T>(tx, ending)
      const value = await run(tx)
      this.#sent = { ending, value }
      return value
    }
    try {
      const value = await this.#state.settle(
        what,
        () => this.#committed(end),
        (error) => endOf(error, this.#claimed),
      )
      this.#settled(ending)
      return value
    } catch (error) {
      if (this.#state.phase === 'lost') this.#settled('lost', error)
      if (this.#state.phase === 'done') this.#settled(this.#unanswered?.ending ?? ending)
      throw error
    }
  }

  /** Where the answer was lost it is asked again, at once: if it was done, that is found out. */
  async #committed<T>(end: (tx: Transaction) => Promise<T>): Promise<T> {
    const { session } = this.#context
    for (let isAgain = false; ; isAgain = true) {
      this.#sent = undefined
      try {
        return await session.transact(end)
      } catch (error) {
        if (!isUnanswered(error)) throw error
        this.#unanswered = this.#sent ?? this.#unanswered
        if (isAgain) throw error
      }
    }
  }

  /** Whoever does not hold it any more may have ended it without hearing of it. */
  async #endedBefore<T>(tx: Transaction, ending: Ended['ending']): Promise<T> {
    const sent = this.#unanswered
    if (sent === undefined || (await endingOf(tx, this.#claimed)) !== sent.ending) throw lost(this.#claimed)
    if (sent.ending === ending) return sent.value as T
    throw endedBefore(this.#claimed, sent.ending)
  }

  async #orLost<T>(running: Promise<T>): Promise<T> {
    try {
      return await running
    } catch (error) {
      if (endOf(error, this.#claimed) === 'lost') this.lose('lost', error)
      throw error
    }
  }

  #settled(result: 'finished' | 'failed' | 'canceled' | 'lost', reason?: unknown): void {
    this.#stopped.abort(reason ?? new FlogError('FLOG_WORK_FINISHED', `the work ${this.process} is over`))
    this.#context.onSettled(result)
  }
}

/** An end of the work that was sent to the database, and what its transaction returned. */
interface Ended {
  readonly ending: 'finished' | 'failed'
  readonly value: unknown
}

function isUnanswered(error: unknown): boolean {
  return FlogError.is(error) && error.details['outcome'] === 'unknown'
}

function noBackoff(process: string): FlogError {
  return new FlogError(
    'FLOG_WORK_NO_BACKOFF',
    `${process} failed without a backoff: it is tried again after a second`,
  )
}
