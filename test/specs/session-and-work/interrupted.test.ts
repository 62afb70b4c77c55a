import { type Database, openDatabase } from '../../../src/collector/store/database'
import { emptyTables, onPostgres } from '../support/databases'
import { history, PUBLISHERS, Sessions, subjects } from './support'

onPostgres('work whose statements are interrupted', (urlOf) => {
  const sessions = new Sessions()
  let database: Database
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
  })
  beforeEach(() => emptyTables(database))
  afterAll(() => database.close())

  /** A trigger that runs once, for the first row of `table` after this. */
  async function once(table: string, statement: string): Promise<void> {
    await database.query(`DROP SEQUENCE IF EXISTS turns CASCADE`)
    await database.query(`CREATE SEQUENCE turns`)
    await database.query(
      `CREATE OR REPLACE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF nextval('turns') = 1 THEN ${statement}; END IF; RETURN NEW; END $$`,
    )
    await database.query(
      `CREATE OR REPLACE TRIGGER disturb BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION disturb()`,
    )
  }

  test.each(['40001', '40P01'])('a claim that the database gave up (%s) is tried again', async (state) => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    await once('work_fence', `RAISE EXCEPTION 'met another one' USING ERRCODE = '${state}'`)
    expect(await session.work('classify', PUBLISHERS)).toMatchObject({ fence: 1n, attempt: 1 })
    expect(await history(database)).toEqual(['started'])
  })
})
