import { once } from 'node:events'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { migrate } from '../../../src/collector/store/migrate'
import { MIGRATIONS } from '../../../src/collector/store/migrations'
import { lines, startProgram } from '../../incident/programs'
import { onPostgres } from '../support/databases'
import { PUBLISHERS, Sessions, subjects, take } from './support'

const NUMBERS = MIGRATIONS.map(({ number }) => ({ number }))

onPostgres('31. the schema of sessions and work', (urlOf) => {
  const sessions = new Sessions()
  let url: string
  beforeAll(async () => {
    url = await urlOf()
  })

  async function down(database: Database): Promise<void> {
    const { rows } = await database.query<{ name: string }>(
      'SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()',
    )
    if (rows.length > 0) await database.query(`DROP TABLE ${rows.map(({ name }) => name).join(', ')} CASCADE`)
  }

  async function applied(database: Database) {
    return (await database.query('SELECT number FROM flog_migration ORDER BY number')).rows
  }

  test('31. goes up, away, up, and up once more', async () => {
    const database = await openDatabase(url)
    await down(database)
    await migrate(database, MIGRATIONS)
    await migrate(database, MIGRATIONS)
    expect(await applied(database)).toEqual(NUMBERS)
    await subjects(database, 1)
    await (await take(await sessions.start(database))).finish(async () => {})
    await down(database)
    await database.close()
  })

  test('31. is brought up by two programs at once, each of its steps once', async () => {
    const database = await openDatabase(url)
    await down(database)
    const programs = [startProgram('lease-migrate', url), startProgram('lease-migrate', url)]
    const said = programs.map((program) => lines<unknown>(program))
    await Promise.all(said.map((lines) => lines.next()))
    for (const program of programs) program.stdin.write('go\n')
    const results = await Promise.all(said.map(async (lines) => (await lines.next()).value))
    expect(results).toEqual([NUMBERS, NUMBERS])
    await Promise.all(programs.map((program) => program.exitCode ?? once(program, 'exit')))
    await database.close()
  })

  test('31. serves an older version beside a newer one', async () => {
    const database = await openDatabase(url)
    await down(database)
    const older = MIGRATIONS.slice(0, 4)
    await migrate(database, older)
    await database.query(`INSERT INTO subject (kind, key) VALUES ('publisher', 'of the older version')`)
    await migrate(database, MIGRATIONS)
    await migrate(database, older)
    await database.query(`INSERT INTO subject (kind, key) VALUES ('publisher', 'also of the older version')`)
    const session = await sessions.start(database)
    for (let i = 0; i < 2; i++) expect(await session.work('classify', PUBLISHERS)).toBeDefined()
    await session.close()
    await database.close()
  })
})
