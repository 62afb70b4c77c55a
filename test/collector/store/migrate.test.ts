import { type Database, openDatabase } from '../../../src/collector/store/database'
import { type Migration, migrate } from '../../../src/collector/store/migrate'
import { MIGRATIONS } from '../../../src/collector/store/migrations'
import { firstLine, kill, startProgram } from '../../incident/programs'
import { eachDatabase, onPostgres } from '../../specs/support/databases'

const NEXT = Math.max(...MIGRATIONS.map(({ number }) => number)) + 1

const newer = (fields: Partial<Migration> = {}): Migration => ({
  number: NEXT,
  name: 'newer',
  addsOnly: true,
  sql: 'CREATE TABLE newer (n integer)',
  ...fields,
})

async function numbers(database: Database): Promise<readonly number[]> {
  const { rows } = await database.query<{ number: number }>(
    'SELECT number FROM flog_migration ORDER BY number',
  )
  return rows.map(({ number }) => number)
}

test('migrations are numbered upwards, once each, and named', () => {
  const all = MIGRATIONS.map(({ number }) => number)
  expect(all).toEqual([...new Set(all)].sort((a, b) => a - b))
  expect(new Set(MIGRATIONS.map(({ name }) => name)).size).toBe(MIGRATIONS.length)
})

eachDatabase('the schema', (open) => {
  let database: Database
  beforeEach(async () => {
    database = await open()
  })
  afterEach(async () => {
    await database.query('DELETE FROM flog_migration WHERE number >= $1', [NEXT])
    await database.query('DROP TABLE IF EXISTS newer')
  })

  test('is up to date when a database is opened, and stays as it is when it is migrated again', async () => {
    const all = MIGRATIONS.map(({ number }) => number)
    expect(await numbers(database)).toEqual(all)
    await migrate(database, MIGRATIONS)
    expect(await numbers(database)).toEqual(all)
  })

  test('gets what is missing, and nothing else', async () => {
    await migrate(database, [...MIGRATIONS, newer()])
    expect((await numbers(database)).at(-1)).toBe(NEXT)
    await expect(database.query('SELECT n FROM newer')).resolves.toMatchObject({ count: 0 })
  })

  test('of a newer version is worked with where that only added something', async () => {
    await migrate(database, [...MIGRATIONS, newer()])
    await expect(migrate(database, MIGRATIONS)).resolves.toBeUndefined()
  })

  test('of a newer version that changed something is refused, with what to do', async () => {
    await migrate(database, [...MIGRATIONS, newer({ addsOnly: false })])
    await expect(migrate(database, MIGRATIONS)).rejects.toMatchObject({
      code: 'FLOG_DATABASE_VERSION',
      message: expect.stringMatching(/newer version of flog .* update this one/),
      details: { migration: NEXT, name: 'newer' },
    })
  })

  test('with other contents under a known number is refused', async () => {
    await migrate(database, [...MIGRATIONS, newer()])
    const other = newer({ sql: 'CREATE TABLE other (n integer)' })
    await expect(migrate(database, [...MIGRATIONS, other])).rejects.toMatchObject({
      code: 'FLOG_DATABASE_VERSION',
      details: { migration: NEXT },
    })
    // Laid out anew it is the same.
    const same = newer({ sql: '\nCREATE TABLE newer\n  (n integer)\n' })
    await expect(migrate(database, [...MIGRATIONS, same])).resolves.toBeUndefined()
  })

  test('is as it was after a migration that fails half-way', async () => {
    const wrong = newer({ sql: 'CREATE TABLE newer (n integer); SELECT nothing' })
    await expect(migrate(database, [...MIGRATIONS, wrong])).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
    })
    expect(await numbers(database)).toEqual(MIGRATIONS.map(({ number }) => number))
    await expect(database.query('SELECT n FROM newer')).rejects.toMatchObject({
      details: { sqlState: '42P01' },
    })
  })
})

/** The same database, taken for one whose advisory locks do nothing. */
function lockless(database: Database): Database {
  return new Proxy(database, {
    get: (target, name) => {
      if (name === 'dialect') return 'cockroach'
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

onPostgres('a migration', (urlOf) => {
  const slow = newer({ name: 'slow', sql: 'SELECT pg_sleep(1.2); CREATE TABLE slow (n integer)' })

  test.each([
    ['under an advisory lock', (database: Database) => database],
    ['under a row', lockless],
  ])('%s may take longer than statements may, also while another process waits for it', async (_, as) => {
    const url = await urlOf()
    const patient = await openDatabase(url)
    const open = () => openDatabase(url, { statementTimeoutMs: 1000 })
    const databases = await Promise.all([open(), open()])
    await Promise.all(databases.map((database) => migrate(as(database), [...MIGRATIONS, slow])))
    expect((await numbers(patient)).filter((number) => number >= NEXT)).toEqual([NEXT])
    await patient.query('DROP TABLE slow')
    await patient.query('DELETE FROM flog_migration WHERE number = $1', [NEXT])
    await Promise.all([patient, ...databases].map((database) => database.close()))
  })

  test('that fails in one process is finished by the next one, where a row is the lock', async () => {
    const database = lockless(await openDatabase(await urlOf()))
    const made =
      'CREATE TABLE half (n integer); ALTER TABLE half ADD COLUMN m integer; CREATE INDEX half_m ON half (m)'
    const wrong = { ...slow, sql: `${made}; DROP INDEX half_m; SELECT nothing` }
    await expect(migrate(database, [...MIGRATIONS, wrong])).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
    })
    await migrate(database, [
      ...MIGRATIONS,
      { ...wrong, sql: `${made}; DROP INDEX half_m; CREATE TABLE whole (n integer)` },
    ])
    expect((await numbers(database)).at(-1)).toBe(NEXT)
    await database.query('SELECT m FROM half, whole')
    await database.close()
  })
})

onPostgres('an empty schema, where a row is the lock,', (urlOf) => {
  test('becomes the same as elsewhere', async () => {
    const schema = (url: Database) =>
      url.query(`SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name <> 'flog_migration_lock' ORDER BY 1, 2`)
    const database = await openDatabase(await urlOf())
    const expected = await schema(database)
    const { rows } = await database.query<{ name: string }>('SELECT current_schema() AS name')
    await database.query(`DROP SCHEMA ${rows[0]?.name} CASCADE`)
    await database.query(`CREATE SCHEMA ${rows[0]?.name}`)
    await migrate(lockless(database), MIGRATIONS)
    expect(await schema(database)).toEqual(expected)
    await database.close()
  })
})

onPostgres('an empty schema', (urlOf) => {
  test('that several processes and connections open at once is made once', async () => {
    const url = await urlOf()
    const programs = [startProgram('open-database', url), startProgram('open-database', url)]
    const opened = await Promise.all([openDatabase(url), openDatabase(url)])
    const said = await Promise.all(programs.map((program) => firstLine<object>(program)))
    expect(said).toEqual([expect.objectContaining({ opened: url }), expect.objectContaining({ opened: url })])
    expect(await numbers(opened[0])).toEqual(MIGRATIONS.map(({ number }) => number))
    await Promise.all([...opened.map((database) => database.close()), ...programs.map(kill)])
  })
})
