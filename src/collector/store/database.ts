import type { Clock } from '../../base/clock'
import { invalidOption } from '../../base/errors'
import type { Random } from '../../base/random'
import { openEmbedded } from './embedded/open'
import { migrate } from './migrate'
import { MIGRATIONS } from './migrations'
import { openPostgres, withoutSecrets } from './postgres'

/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | PlainJson
export type PlainJson = { readonly [key: string]: Json }

/**
 * A value of a statement, `$1` and so on. A list is sent as an SQL array, a plain object as JSON: a list that is to become
 * jsonb is sent as text, `JSON.stringify(list)`.
 */
export type Param =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | readonly string[]
  | PlainJson

export interface Rows<Row> {
  readonly rows: readonly Row[]
  /** Rows returned, or changed where the statement returns none. */
  readonly count: number
}

/** What statements are run in. Bigints come as bigint, timestamptz as Date, jsonb as plain values, numeric as text. */
export interface Executor {
  /** @throws FlogError FLOG_DATABASE_… with the driver's error as its cause, and the statement in `details.statement` */
  query<Row = Record<string, unknown>>(text: string, params?: readonly Param[]): Promise<Rows<Row>>
}

/** A query on one that has ended throws FLOG_CLOSED. */
export interface Transaction extends Executor {
  /** Aborted when the transaction's time is over, or its caller gave up: what else it waits for should end too. */
  readonly signal: AbortSignal
}

export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'serializable'
  /** How often it is run again after a serialization failure or a deadlock. */
  readonly retries?: number
  readonly signal?: AbortSignal
  /** Milliseconds for all of it, repetitions included, from when it has a connection. */
  readonly timeoutMs?: number
  /** Milliseconds for each statement, where that is not what the database was opened with. */
  readonly statementTimeoutMs?: number
}

export interface Database extends Executor {
  readonly dialect: Dialect
  /** The database as messages name it, without a password. */
  readonly where: string
  /**
   * Runs `run` in a transaction: committed when it resolves, rolled back when it rejects. After a serialization failure or a
   * deadlock it is run again, after a random and growing time: `run` may run several times, and must have no effect but
   * through `tx`. Where there is one connection, as on PGlite, a query beside `tx` while inside `run` throws FLOG_DATABASE_NESTED.
   * @throws what `run` throws; FlogError FLOG_DATABASE_TIMEOUT, FLOG_ABORTED, FLOG_DATABASE_…; where the connection was lost
   *   over the COMMIT, `details.outcome` is `unknown`
   */
  transaction<T>(run: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * For what must not wait until others give a connection back: a heartbeat. Where there is but one connection, it waits.
   */
  readonly urgent: Executor
  /**
   * Calls `onNotice` for each NOTIFY; reconnects by itself, and calls it with undefined after each reconnection, when some may
   * have been missed. Where a database has no NOTIFY it is never called: a wake-up is a hint, and polling is what is relied on.
   * `onNotice` must not throw.
   */
  listen(channel: string, onNotice: (payload: string | undefined) => void): Promise<Listening>
  /** Idempotent. Waits for statements and transactions that are under way. */
  close(): Promise<void>
}

export interface Listening {
  /** Idempotent. */
  close(): Promise<void>
}

export type Dialect = 'postgres' | 'cockroach' | 'pglite'

export interface OpenOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Gives up opening; afterwards it has no effect. */
  readonly signal?: AbortSignal
  /** Connections at most; PGlite has one. */
  readonly poolSize?: number
  /** Milliseconds that one statement may take; a transaction may take at least as long. Migrations have a limit of their own. */
  readonly statementTimeoutMs?: number
  /** Milliseconds to wait for a connection, to be made or to be spared by somebody else. Not on PGlite. */
  readonly connectTimeoutMs?: number
}

/**
 * Opens a database and brings its schema up to date.
 * @param where `postgres://…` for a PostgreSQL from version 15 on, or a CockroachDB; else a directory for PGlite, or `memory:`
 * @throws FlogError FLOG_OPTION_INVALID, FLOG_ABORTED, FLOG_DATABASE_…
 */
export async function openDatabase(where: string, options: OpenOptions = {}): Promise<Database> {
  const database = await connect(where, options)
  try {
    await migrate(database, MIGRATIONS, options.signal)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

async function connect(where: string, options: OpenOptions): Promise<Database> {
  if (/^postgres(ql)?:\/\//.test(where)) return openPostgres(where, options)
  const isOther = /^[a-z]+:|^[a-z][a-z0-9+.-]*:\/\//i.test(where) && where !== 'memory:'
  if (where === '' || isOther) {
    throw invalidOption('database', 'postgres://… or a directory', withoutSecrets(where))
  }
  return openEmbedded(where, options)
}
