import type { Session } from '../../../src/collector/lease/session'
import type { Work } from '../../../src/collector/lease/work'
import { type Database, openDatabase, type Transaction } from '../../../src/collector/store/database'
import { FakeClock } from '../../remote/support/fake-clock'
import { emptyTables, onPostgres } from '../support/databases'
import { Wire } from '../support/wire'
import { backoffs, Counted, eventually, history, PUBLISHERS, Sessions, subjects, take } from './support'

const nothing = async () => {}
const UNREACHABLE = { code: 'FLOG_DATABASE_UNREACHABLE' }
/** As it is sent: BEGIN speaks of READ COMMITTED. */
const COMMIT = 'COMMIT\0'
const TWICE = { initialMs: 1000, exponent: 2, jitter: 0 }

onPostgres('work whose statements are interrupted', (urlOf) => {
  const sessions = new Sessions()
  let database: Database
  let wire: Wire
  let wired: Database
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
    wire = await Wire.to(await urlOf())
    wired = await openDatabase(wire.url)
  })
  beforeEach(async () => {
    wire.isDown = false
    await emptyTables(database)
  })
  afterAll(async () => {
    await Promise.all([database.close(), wired.close()])
    await wire.close()
  })

  /** A trigger that does something for the first row of `table` after this, and never again. */
  async function disturbed(table: string, statement: string): Promise<void> {
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
    await disturbed('work_fence', `RAISE EXCEPTION 'met another one' USING ERRCODE = '${state}'`)
    expect(await session.work('classify', PUBLISHERS)).toMatchObject({ fence: 1n, attempt: 1 })
    expect(await history(database)).toEqual(['started'])
  })

  test('a statement that takes too long is given up: nothing is taken by it, and nothing is given back', async () => {
    await subjects(database, 2)
    const hasty = await openDatabase(await urlOf(), { statementTimeoutMs: 200 })
    const session = await sessions.start(hasty)
    const work = await take(session)
    for (const end of [() => session.work('classify', PUBLISHERS), () => work.finish(nothing)]) {
      await disturbed('work_history', 'PERFORM pg_sleep(10)')
      await expect(end()).rejects.toMatchObject({ code: 'FLOG_DATABASE_TIMEOUT' })
      expect(await history(database)).toEqual(['started'])
    }
    await work.finish(nothing)
    await take(session)
    await session.close()
    await hasty.close()
  })

  async function held(): Promise<number> {
    return (await database.query('SELECT 1 FROM work')).rows.length
  }

  test('work that was taken, and whose holder never heard of it, is given back', async () => {
    await subjects(database, 2)
    const clock = new FakeClock()
    const session = await sessions.start(wired, { clock })
    const kept = await take(session)
    const answer = wire.hold('fenced')
    const claiming = session.work('classify', PUBLISHERS)
    await answer.given
    answer.cut()
    await expect(claiming).rejects.toMatchObject(UNREACHABLE)
    expect(await held()).toBe(2)
    clock.advance(20_000)
    await eventually(async () => (await held()) === 1)
    expect((await history(database)).at(-1)).toBe('canceled nobody held it any more')
    await kept.finish(nothing)
  })

  test('work that could not be given back is given back with a heartbeat', async () => {
    await subjects(database, 1)
    const [clock, metrics] = [new FakeClock(), new Counted()]
    const session = await sessions.start(wired, { clock, metrics })
    const work = await take(session)
    wire.isDown = true
    wire.cutAll()
    await work.cancel()
    wire.isDown = false
    expect(await held()).toBe(1)
    clock.advance(20_000)
    await eventually(() => metrics.of('work_finished').length === 1)
    expect(metrics.of('work_finished')).toEqual(['work_finished test classify canceled'])
    expect(await held()).toBe(0)
  })

  test('work that was taken just now, and of which its holder is about to hear, is left to it', async () => {
    await subjects(database, 1)
    const clock = new FakeClock()
    const session = await sessions.start(wired, { clock })
    const answer = wire.hold('fenced')
    const claiming = session.work('classify', PUBLISHERS)
    await answer.given
    for (let beat = 0; beat < 2; beat++) {
      const before = session.remainingMs
      clock.advance(20_000)
      await eventually(() => session.remainingMs > before - 20_000)
    }
    answer.deliver()
    const work = (await claiming) as Work
    await work.finish(nothing)
    expect(await history(database)).toEqual(['started', 'finished'])
  })

  describe('and it is not known whether the end of it was committed', () => {
    let session: Session
    let work: Work
    let clock: FakeClock
    const metrics = new Counted()
    beforeEach(async () => {
      await subjects(database, 1)
      clock = new FakeClock()
      metrics.seen.length = 0
      session = await sessions.start(wired, { clock, metrics })
      work = await take(session)
    })

    let runs = 0
    const effect = async (tx: Transaction) => {
      await tx.query(`INSERT INTO subject (kind, key) VALUES ('effect', 'of run ' || $1::text)`, [++runs])
      return `run ${runs}`
    }

    async function effects(): Promise<number> {
      return (await database.query(`SELECT 1 FROM subject WHERE kind = 'effect'`)).rows.length
    }

    /** Its answer is lost; and so, with `away`, is the database. */
    async function loseCommit(away = false): Promise<void> {
      const answer = wire.hold(COMMIT)
      await answer.given
      wire.isDown = away
      if (away) wire.cutAll()
      else answer.cut()
    }

    test('it was: finishing finds out, and does nothing twice', async () => {
      runs = 0
      const finishing = work.finish(effect)
      await loseCommit()
      expect(await finishing).toBe('run 1')
      expect(await effects()).toBe(1)
      expect(await history(database)).toEqual(['started', 'finished'])
      expect(metrics.of('work_finished')).toEqual(['work_finished test classify finished'])
    })

    test('it was not: finishing does it', async () => {
      runs = 0
      wire.cutBefore(COMMIT)
      expect(await work.finish(effect)).toBe('run 2')
      expect(await effects()).toBe(1)
      expect(await history(database)).toEqual(['started', 'finished'])
    })

    test('it was, and the database is away: finishing again, when it is back, finds out', async () => {
      runs = 0
      const finishing = work.finish(effect)
      await loseCommit(true)
      await expect(finishing).rejects.toMatchObject(UNREACHABLE)
      wire.isDown = false
      clock.advance(20_000)
      await eventually(() => session.remainingMs > 50_000)
      expect(work.signal.aborted).toBe(false)
      expect(await work.finish(effect)).toBe('run 1')
      expect(await effects()).toBe(1)
      await expect(work.finish(effect)).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
    })

    test('it was, and the database is away: failing, when it is back, says that it is finished', async () => {
      const finishing = work.finish(effect)
      await loseCommit(true)
      await expect(finishing).rejects.toMatchObject(UNREACHABLE)
      wire.isDown = false
      await expect(work.fail(TWICE, 'no answer')).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
      expect(await backoffs(database)).toEqual([])
      expect(metrics.of('work_finished')).toEqual(['work_finished test classify finished'])
    })

    test('it was: failing finds out, and counts once', async () => {
      const failing = work.fail(TWICE, 'bad item')
      await loseCommit()
      expect(await failing).toBeInstanceOf(Date)
      expect(await backoffs(database)).toMatchObject([{ last: 1000n, attempts: 1 }])
      expect(await history(database)).toEqual(['started', 'failed bad item'])
    })

    test('it was, and somebody else has it by now: that is no loss', async () => {
      const other = await sessions.start(database)
      const finishing = work.finish(effect)
      await loseCommit(true)
      await expect(finishing).rejects.toMatchObject(UNREACHABLE)
      const theirs = await take(other)
      wire.isDown = false
      await work.finish(effect)
      await theirs.finish(nothing)
      expect(await history(database)).toEqual(['started', 'finished', 'started', 'finished'])
    })

    test('it was not, and somebody else has it by now: it is lost', async () => {
      wire.cutBefore(COMMIT)
      wire.isDown = true
      await expect(work.finish(effect)).rejects.toMatchObject(UNREACHABLE)
      await database.query('DELETE FROM work')
      wire.isDown = false
      await expect(work.finish(effect)).rejects.toMatchObject({ code: 'FLOG_WORK_LOST' })
      expect(await effects()).toBe(0)
    })
  })
})
