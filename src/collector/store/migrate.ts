import { createHash } from 'node:crypto'
import { FlogError } from '../../base/errors'
import { DATABASE_MIGRATION_MS } from '../../base/limits'
import type { Database, Executor, TransactionOptions } from './database'
import { TRAITS } from './dialect'
import { statementsOf } from './statements'

/** One numbered step of the schema. */
export interface Migration {
  /** 1, 2, 3, … without a gap. */
  readonly number: number
  readonly name: string
  /**
   * True where it only adds: tables, indexes, columns that are nullable or have a default. Older versions of the collector
   * can go on beside it; after one that changes what is there they refuse to start.
   */
  readonly addsOnly: boolean
  readonly sql: string
}

interface Applied {
  readonly number: number
  readonly name: string
  readonly checksum: string
  readonly adds_only: boolean
}

/** Any number that nobody else locks: the bytes of `flog`. */
const LOCK = 0x666c6f67

const CREATE = `
CREATE TABLE IF NOT EXISTS flog_migration (
  number     integer     PRIMARY KEY,
  name       text        NOT NULL,
  checksum   text        NOT NULL,
  adds_only  boolean     NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`

const CREATE_LOCK = 'CREATE TABLE IF NOT EXISTS flog_migration_lock (id integer PRIMARY KEY)'
const FILL_LOCK = 'INSERT INTO flog_migration_lock (id) VALUES (1) ON CONFLICT (id) DO NOTHING'
const TAKE_LOCK = 'SELECT id FROM flog_migration_lock WHERE id = 1 FOR UPDATE'

/** SQLSTATEs: a table, an object, a column. */
const THERE_ALREADY = ['42P07', '42710', '42701']
const GONE_ALREADY = ['42P01', '42704', '42703']

const EXISTS = 'SELECT to_regclass($1) IS NOT NULL AS exists'
const APPLIED = 'SELECT number, name, checksum, adds_only FROM flog_migration ORDER BY number'
const RECORD = 'INSERT INTO flog_migration (number, name, checksum, adds_only) VALUES ($1, $2, $3, $4)'

/**
 * Brings the schema up to date; several processes may do so at once. A schema that is up to date is only looked at.
 * @throws FlogError FLOG_DATABASE_VERSION where another version of flog made a schema that this one cannot work with
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  signal?: AbortSignal,
): Promise<void> {
  if (await isUpToDate(database, migrations)) return
  const options: TransactionOptions = {
    timeoutMs: DATABASE_MIGRATION_MS,
    statementTimeoutMs: DATABASE_MIGRATION_MS,
    ...(signal === undefined ? {} : { signal }),
  }
  if (TRAITS[database.dialect].migratesAtOnce) await allAtOnce(database, migrations, options)
  else await oneByOne(database, migrations, options)
}

async function isUpToDate(database: Database, migrations: readonly Migration[]): Promise<boolean> {
  if (!(await exists(database, 'flog_migration'))) return false
  return (await missing(database, migrations, database.where)).length === 0
}

async function allAtOnce(database: Database, migrations: readonly Migration[], options: TransactionOptions) {
  await database.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`)
    await tx.query(CREATE)
    for (const migration of await missing(tx, migrations, database.where)) await apply(tx, migration)
  }, options)
}

/**
 * Statement by statement, while a transaction that does nothing else has the row that is the lock. It is let go when that ends,
 * also by the death of its process; whoever comes next goes on where that one was.
 */
async function oneByOne(database: Database, migrations: readonly Migration[], options: TransactionOptions) {
  await ensure(database, 'flog_migration', CREATE)
  await ensure(database, 'flog_migration_lock', CREATE_LOCK)
  await database.query(FILL_LOCK)
  await database.transaction(async (lock) => {
    await lock.query(TAKE_LOCK)
    for (const migration of await missing(database, migrations, database.where)) {
      await applyInSteps(database, migration, { ...options, signal: lock.signal })
    }
  }, options)
}

async function applyInSteps(database: Database, migration: Migration, options: TransactionOptions) {
  for (const statement of statementsOf(migration.sql)) {
    // Under `read committed` the schema cannot be changed.
    const step = database.transaction((tx) => tx.query(statement), { ...options, isolation: 'serializable' })
    await step.catch((error: unknown) => {
      if (!wasDone(statement, error)) throw error
    })
  }
  await record(database, migration)
}

/** By a process that was ended half-way: nobody else can have, under the lock. */
function wasDone(statement: string, error: unknown): boolean {
  const state = FlogError.is(error) ? error.details['sqlState'] : undefined
  const done = statement.startsWith('DROP') ? GONE_ALREADY : THERE_ALREADY
  return typeof state === 'string' && done.includes(state)
}

/** Of two that make a table at once one may be told that it is there, `IF NOT EXISTS` or not. */
async function ensure(database: Database, table: string, create: string): Promise<void> {
  try {
    await database.query(create)
  } catch (error) {
    if (!(await exists(database, table))) throw error
  }
}

async function exists(executor: Executor, table: string): Promise<boolean> {
  const { rows } = await executor.query<{ exists: boolean }>(EXISTS, [table])
  return rows[0]?.exists === true
}

async function apply(tx: Executor, migration: Migration): Promise<void> {
  await tx.query(migration.sql)
  await record(tx, migration)
}

async function record(executor: Executor, { number, name, addsOnly, sql }: Migration): Promise<void> {
  await executor.query(RECORD, [number, name, checksumOf(sql), addsOnly])
}

/** What is still to be applied. */
async function missing(
  executor: Executor,
  migrations: readonly Migration[],
  where: string,
): Promise<readonly Migration[]> {
  const { rows } = await executor.query<Applied>(APPLIED)
  const known = new Map(migrations.map((migration) => [migration.number, migration]))
  for (const row of rows) checkApplied(row, known.get(row.number), where)
  const applied = new Set(rows.map(({ number }) => number))
  return migrations.filter(({ number }) => !applied.has(number))
}

function checkApplied(row: Applied, migration: Migration | undefined, where: string): void {
  const details = { where, migration: row.number, name: row.name }
  if (migration === undefined) {
    if (row.adds_only) return
    throw new FlogError(
      'FLOG_DATABASE_VERSION',
      `a newer version of flog changed the schema of ${where} (migration ${row.number}, ${row.name}): update this one`,
      { details },
    )
  }
  if (row.checksum === checksumOf(migration.sql)) return
  throw new FlogError(
    'FLOG_DATABASE_VERSION',
    `migration ${row.number} (${migration.name}) was applied to ${where} with other contents, as ${row.name}`,
    { details },
  )
}

/** Of the statements, however they are laid out. */
function checksumOf(sql: string): string {
  return createHash('sha256').update(sql.replace(/\s+/g, ' ').trim()).digest('hex')
}
