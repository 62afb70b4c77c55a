import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { Client } from 'pg'
import { randomHex, systemRandom } from '../../../src/base/random'
import { type Database, type OpenOptions, openDatabase } from '../../../src/collector/store/database'
import { embeddedCopy } from './embedded-template'

/** The PostgreSQL of this machine that tests may use; CI must have one. */
export const TEST_POSTGRES = process.env['FLOG_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/test'

/** Tables, those first whose rows refer to others'. */
const TABLES = `
WITH RECURSIVE refers AS (
  SELECT c.conrelid AS child, c.confrelid AS parent FROM pg_constraint c
   WHERE c.contype = 'f' AND c.conrelid <> c.confrelid
), depth AS (
  SELECT c.oid, 0 AS depth FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> 'flog_migration'
  UNION
  SELECT r.parent, d.depth + 1 FROM depth d JOIN refers r ON r.child = d.oid
)
SELECT quote_ident(c.relname) AS name FROM depth d JOIN pg_class c ON c.oid = d.oid
 GROUP BY c.oid, c.relname ORDER BY max(d.depth)`

/**
 * Runs `tests` in a describe for PGlite, and in one for the PostgreSQL of this machine. Without one the latter is skipped,
 * visibly; in CI it fails.
 * @param tests `open` gives the database of the suite, migrated, its tables empty: the same one until the suite ends
 */
export function eachDatabase(name: string, tests: (open: () => Promise<Database>) => void): void {
  describe(`${name}, on PGlite`, () => {
    const made: string[] = []
    suite(async () => {
      const place = await embeddedCopy()
      made.push(dirname(place))
      return place
    }, tests)
    afterAll(() => {
      for (const directory of made) rmSync(directory, { recursive: true })
    })
  })
  onPostgres(`${name}, on PostgreSQL`, (urlOf) => suite(urlOf, tests))
}

/**
 * A describe with a schema of its own on the PostgreSQL of this machine, dropped at the end.
 * @param tests `urlOf` gives a URL whose connections see that schema only: for any number of clients and processes
 */
export function onPostgres(name: string, tests: (urlOf: () => Promise<string>) => void): void {
  describe(name, () => {
    if (!answers() && process.env['CI'] !== 'true') {
      test.skip(`nothing answers at ${TEST_POSTGRES}: set FLOG_TEST_POSTGRES`, () => {})
      return
    }
    const schema = `flog_${randomHex(systemRandom, 6)}`
    let made: Promise<string> | undefined
    afterAll(async () => {
      if (made !== undefined) await onServer(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    })
    tests(() => {
      made ??= onServer(`CREATE SCHEMA ${schema}`).then(() => inSchema(TEST_POSTGRES, schema))
      return made
    })
  })
}

/** Empties all tables of the collector. TRUNCATE makes and syncs files, which takes some hundred times as long. */
export async function emptyTables(database: Database): Promise<void> {
  const { rows } = await database.query<{ name: string }>(TABLES)
  await database.transaction(async (tx) => {
    for (const { name } of rows) await tx.query(`DELETE FROM ${name}`)
  })
}

function suite(whereOf: () => Promise<string>, tests: (open: () => Promise<Database>) => void): void {
  let opened: Promise<Database> | undefined
  afterAll(async () => (await opened)?.close())
  tests(async () => {
    opened ??= whereOf().then((where) => openDatabase(where, SUITE))
    const database = await opened
    await emptyTables(database)
    return database
  })
}

/** Tests that start programs keep the machine busy: what a statement may take is no matter of theirs. */
const SUITE: OpenOptions = { statementTimeoutMs: 10_000 }

function inSchema(url: string, schema: string): string {
  const inside = new URL(url)
  // What the machine's disk takes for a commit is no matter of tests.
  inside.searchParams.set('options', `-c search_path=${schema} -c synchronous_commit=off`)
  return inside.href
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: TEST_POSTGRES })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Asked of a process of its own: a suite has to know while it is being described. */
function answers(): boolean {
  const { hostname, port } = new URL(TEST_POSTGRES)
  const program = `const socket = require('node:net').connect(${port || 5432}, '${hostname}')
    socket.on('connect', () => process.exit(0)).on('error', () => process.exit(1)).setTimeout(2000, () => process.exit(1))`
  return spawnSync(process.execPath, ['-e', program]).status === 0
}
