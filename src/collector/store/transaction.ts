import type { Clock, Timer } from '../../base/clock'
import { FlogError } from '../../base/errors'
import {
  DATABASE_GRACE_MS,
  DATABASE_RETRIES,
  DATABASE_RETRY_MAX_MS,
  DATABASE_RETRY_MS,
} from '../../base/limits'
import type { Random } from '../../base/random'
import type { Connection, Connections } from './connections'
import type { Param, Rows, Transaction, TransactionOptions } from './database'
import { databaseFailure } from './failures'

export interface TransactionContext {
  readonly connections: Connections
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds for the whole, unless the caller says. */
  readonly timeoutMs: number
  /** Runs the caller's function, knowing that it is inside of a transaction for as long as `isOpen` says. */
  readonly inside: <T>(isOpen: () => boolean, run: () => Promise<T>) => Promise<T>
}

/** As {@link Database.transaction}. */
export async function inTransaction<T>(
  context: TransactionContext,
  run: (tx: Transaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { retries = DATABASE_RETRIES, timeoutMs = context.timeoutMs } = options
  const limits = limitsOf(context, timeoutMs, options.signal)
  try {
    for (let attempt = 0; ; attempt++) {
      const outcome = await attemptOnce(context, run, options, limits)
      if ('result' in outcome) return outcome.result
      if (!outcome.again || attempt >= retries) throw outcome.error
      await pause(context, attempt, limits.signal)
    }
  } finally {
    limits.end()
  }
}

type Outcome<T> = { readonly result: T } | { readonly error: unknown; readonly again: boolean }

async function attemptOnce<T>(
  context: TransactionContext,
  run: (tx: Transaction) => Promise<T>,
  { isolation = 'read committed', statementTimeoutMs }: TransactionOptions,
  { signal, begin }: Limits,
): Promise<Outcome<T>> {
  const connection = await context.connections.take(signal)
  begin()
  const tx = new OpenTransaction(connection, signal)
  const giveUp = () => connection.interrupt(signal.reason as FlogError)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    signal.throwIfAborted()
    await connection.run(`BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`)
    if (statementTimeoutMs !== undefined) await prolong(connection, statementTimeoutMs)
    const work = context.inside(
      () => tx.isOpen,
      () => run(tx),
    )
    const result = await orAborted(work, signal)
    tx.end()
    await commit(tx, connection, context.connections.where)
    connection.release()
    return { result }
  } catch (error) {
    tx.end()
    await rollBack(connection)
    // What the caller made of it does not matter: the database says that it can be run again.
    const again = FlogError.is(tx.failure, 'FLOG_DATABASE_SERIALIZATION') && !signal.aborted
    return { error: again ? tx.failure : error, again }
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** The database keeps the limit itself; where it does not answer at all, or keeps none, this side does. */
async function prolong(connection: Connection, ms: number): Promise<void> {
  connection.answerMs = ms + DATABASE_GRACE_MS
  await connection.run(
    `SET LOCAL statement_timeout = ${ms}; SET LOCAL idle_in_transaction_session_timeout = ${ms}`,
  )
}

/** Statements of one transaction. It remembers the first that failed: after it, the database takes no more. */
class OpenTransaction implements Transaction {
  readonly signal: AbortSignal
  readonly #connection: Connection
  #isOpen = true
  #failure: unknown

  constructor(connection: Connection, signal: AbortSignal) {
    this.#connection = connection
    this.signal = signal
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get failure(): unknown {
    return this.#failure
  }

  async query<Row = Record<string, unknown>>(text: string, params?: readonly Param[]): Promise<Rows<Row>> {
    if (!this.#isOpen) throw new FlogError('FLOG_CLOSED', 'the transaction has ended')
    try {
      return await this.#connection.run<Row>(text, params)
    } catch (error) {
      this.failed(error)
      throw error
    }
  }

  failed(error: unknown): void {
    this.#failure ??= error
  }

  end(): void {
    this.#isOpen = false
  }
}

/** A COMMIT of a transaction in which a statement failed is answered by ROLLBACK, not by an error. */
async function commit(tx: OpenTransaction, connection: Connection, where: string): Promise<void> {
  const { command } = await connection.run('COMMIT').catch((error: unknown) => {
    const failure = uncertain(databaseFailure(error, { where, statement: 'COMMIT' }))
    tx.failed(failure)
    throw failure
  })
  if (command !== 'ROLLBACK') return
  throw (
    tx.failure ??
    new FlogError('FLOG_DATABASE_FAILED', `the database ${where} rolled back what should be committed`, {
      details: { where },
    })
  )
}

/** A COMMIT that was not answered may have been carried out. */
function uncertain(failure: FlogError): FlogError {
  if ('sqlState' in failure.details && failure.code !== 'FLOG_DATABASE_UNREACHABLE') return failure
  return new FlogError(failure.code, `${failure.message} (it may have been committed)`, {
    cause: failure.cause ?? failure,
    details: { ...failure.details, outcome: 'unknown' },
  })
}

async function rollBack(connection: Connection): Promise<void> {
  if (!connection.isTaken) return
  try {
    await connection.run('ROLLBACK')
    connection.release()
  } catch {
    // Whatever state it is in, the database rolls back what a connection leaves behind.
    connection.destroy()
  }
}

interface Limits {
  readonly signal: AbortSignal
  /** Time runs from the first call on. */
  readonly begin: () => void
  readonly end: () => void
}

/** One signal for the caller's and the time limit; its reason is a FlogError. */
function limitsOf(
  { clock, connections }: TransactionContext,
  ms: number,
  outer: AbortSignal | undefined,
): Limits {
  const controller = new AbortController()
  const { where } = connections
  const onAbort = () =>
    controller.abort(
      FlogError.is(outer?.reason)
        ? outer.reason
        : new FlogError('FLOG_ABORTED', `a transaction of ${where} was given up`, { cause: outer?.reason }),
    )
  const expire = () =>
    controller.abort(
      new FlogError('FLOG_DATABASE_TIMEOUT', `a transaction of ${where} took more than ${ms} ms`, {
        details: { where, ms },
      }),
    )
  let late: Timer | undefined
  if (outer?.aborted) onAbort()
  outer?.addEventListener('abort', onAbort, { once: true })
  const begin = () => {
    late ??= clock.after(ms, expire)
  }
  const end = () => {
    late?.cancel()
    outer?.removeEventListener('abort', onAbort)
  }
  return { signal: controller.signal, begin, end }
}

/** Full jitter: a random time below a bound that doubles. Those that collided do not meet again. */
async function pause(
  { clock, random }: TransactionContext,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const bound = Math.min(DATABASE_RETRY_MAX_MS, DATABASE_RETRY_MS * 2 ** attempt)
  let stop = () => {}
  const passed = new Promise<void>((resolve) => {
    const timer = clock.after(random.fraction() * bound, resolve, { keepAlive: true })
    stop = () => timer.cancel()
  })
  await orAborted(passed, signal).finally(stop)
}

/** `promise`, or a rejection with the signal's reason as soon as it is aborted. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
