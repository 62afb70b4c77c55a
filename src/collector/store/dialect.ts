import { FlogError } from '../../base/errors'
import type { Dialect } from './database'

/**
 * Where the three databases differ for us. All else, every statement of the collector, is the same for them: PostgreSQL
 * 15's SQL without what CockroachDB lacks.
 */
export interface DialectTraits {
  /** NOTIFY is delivered. Without it, who waits for news polls. */
  readonly notifies: boolean
  /**
   * Advisory locks exclude, and tables are made in transactions: all migrations are one transaction under one lock. Otherwise
   * they are made statement by statement, while a row is locked.
   */
  readonly migratesAtOnce: boolean
  /**
   * FOR KEY SHARE lets other columns be changed meanwhile. Otherwise it is FOR SHARE: a session whose row a transaction holds
   * on to would not get its heartbeat through.
   */
  readonly sharesKeys: boolean
  /** What a new connection is told: the limits that the database enforces itself. */
  readonly greeting: (limits: ServerLimits) => string
}

export interface ServerLimits {
  readonly statementMs: number
  /** A transaction whose process is stuck, or cut off, holds its locks for this long at most. */
  readonly idleMs: number
}

const limits = ({ statementMs, idleMs }: ServerLimits) =>
  `SET statement_timeout = ${statementMs}; SET idle_in_transaction_session_timeout = ${idleMs}`

/** Whatever a server, a database or a role has for its habit: what `pg` reads, and what a claim is written for. */
const HABITS = `SET timezone = 'UTC'; SET datestyle = 'ISO'`
const ISOLATION = `SET default_transaction_isolation = 'read committed'`

/**
 * It looks once a second whether who asked is still there, so that the statement of a killed process ends, and its locks. Some
 * systems cannot: then they end with the statement's time.
 */
const CHECK_CLIENT = `DO $$ BEGIN
  PERFORM set_config('client_connection_check_interval', '1000', false);
EXCEPTION WHEN OTHERS THEN NULL;
END $$`

export const TRAITS: Readonly<Record<Dialect, DialectTraits>> = {
  postgres: {
    notifies: true,
    migratesAtOnce: true,
    sharesKeys: true,
    greeting: (ms) => `${limits(ms)}; ${HABITS}; ${ISOLATION}; ${CHECK_CLIENT}`,
  },
  /**
   * Its advisory locks are accepted and do nothing; a change of the schema commits the transaction that it is in (from 25.1
   * on), or cannot be relied on in it; FOR KEY SHARE is FOR SHARE (cockroachdb/cockroach#52420). That is what its manual says:
   * no test of ours has run on it, only what is done differently for it, on PostgreSQL.
   */
  cockroach: {
    notifies: false,
    migratesAtOnce: false,
    sharesKeys: false,
    greeting: (ms) => `${limits(ms)}; ${HABITS}`,
  },
  /** It has no timers of its own: limits are kept outside of it. */
  pglite: { notifies: true, migratesAtOnce: true, sharesKeys: true, greeting: () => HABITS },
}

/** The oldest PostgreSQL that is tested with. */
const OLDEST_MAJOR = 15

/**
 * Of what `SELECT version()` says.
 * @throws FlogError FLOG_DATABASE_VERSION for a PostgreSQL that is too old
 */
export function dialectOf(version: string, where: string): 'postgres' | 'cockroach' {
  if (/^CockroachDB\b/.test(version)) return 'cockroach'
  const major = Number(/^PostgreSQL (\d+)/.exec(version)?.[1] ?? Number.NaN)
  if (!(major < OLDEST_MAJOR)) return 'postgres'
  throw new FlogError(
    'FLOG_DATABASE_VERSION',
    `the database ${where} is PostgreSQL ${major}: a collector needs ${OLDEST_MAJOR} or newer`,
    { details: { where, major, oldest: OLDEST_MAJOR } },
  )
}
