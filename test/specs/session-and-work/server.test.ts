import { reap } from '../../../src/collector/lease/reaper'
import type { Session } from '../../../src/collector/lease/session'
import type { Work } from '../../../src/collector/lease/work'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { FakeClock } from '../../remote/support/fake-clock'
import { emptyTables } from '../support/databases'
import { PostgresServer, withOwnPostgres } from '../support/postgres-server'
import {
  EVEN,
  eventually,
  FastClock,
  history,
  Loops,
  latch,
  letBackoffsPass,
  manySubjects,
  PROCESSES,
  PUBLISHERS,
  Sessions,
  subjects,
  take,
} from './support'

const READ_ONLY = {
  code: 'FLOG_DATABASE_READ_ONLY',
  details: { where: expect.stringMatching(/^postgres:\/\//), statement: expect.any(String) },
}
const UNREACHABLE = { code: 'FLOG_DATABASE_UNREACHABLE', details: { where: expect.any(String) } }
const END_ONE = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`
const nothing = async () => {}

withOwnPostgres('work on a PostgreSQL that stops, takes no writes, or is silent', () => {
  const sessions = new Sessions()
  const loops = new Loops()
  let server: PostgresServer
  /** One connection: whoever has looked at its settings knows them. */
  let database: Database
  let admin: Database
  beforeAll(async () => {
    server = await PostgresServer.start()
    database = await openDatabase(server.url, { poolSize: 1, statementTimeoutMs: 600_000 })
    admin = await openDatabase(server.url, { poolSize: 1 })
  })
  beforeEach(() => emptyTables(admin))
  afterAll(async () => {
    await Promise.all([database.close(), admin.close()])
    await server.remove()
  })

  async function takesWrites(does: boolean): Promise<void> {
    const value = does ? 'off' : 'on'
    await admin.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
    await admin.query('SELECT pg_reload_conf()')
    for (const one of [admin, database]) {
      await eventually(async () => {
        const { rows } = await one.query<{ value: string }>(
          `SELECT current_setting('default_transaction_read_only') AS value`,
        )
        return rows[0]?.value === value
      })
    }
  }

  async function restart(): Promise<void> {
    await server.kill()
    await server.start()
  }

  /** The next heartbeats come soon after one that failed, whenever that was found out. */
  async function confirmed(session: Session, clock: FakeClock): Promise<void> {
    await eventually(() => {
      clock.advance(500)
      return session.remainingMs > 50_000
    })
  }

  const started = (options: Parameters<Loops['start']>[1]) => loops.start(database, options)

  /** Finishes work with an effect that there can be only one of for each subject. */
  const finish = (work: Work) =>
    work.finish(async (tx) => {
      await tx.query(`INSERT INTO subject (kind, key) VALUES ('effect', $1)`, [work.subject])
      await tx.query(`UPDATE subject SET kind = 'done' WHERE subject_id = $1`, [work.subject])
    })

  async function done(): Promise<number> {
    return (await admin.query(`SELECT 1 FROM subject WHERE kind = 'effect'`)).rows.length
  }

  test('a heartbeat does not wait until others give a connection back', async () => {
    const session = await sessions.start(database, { intervalMs: 1000 })
    const deadline = async () => {
      const { rows } = await admin.query<{ at: Date }>(
        'SELECT deadline AS at FROM session WHERE session_id = $1',
        [session.id],
      )
      return rows[0]?.at.getTime() ?? 0
    }
    const taken = latch()
    const done = latch()
    const busy = database.transaction(async () => {
      taken.open()
      await done.opened
    })
    await taken.opened
    try {
      const before = await deadline()
      await eventually(async () => (await deadline()) > before)
    } finally {
      done.open()
      await busy
    }
    expect(session.expired).toBe(false)
  })

  test('2. read-only: each says so, where, and over what; what is held stays held, and goes on afterwards', async () => {
    await subjects(admin, 2)
    const clock = new FakeClock()
    const session = await sessions.start(database, { clock })
    const work = await take(session)
    const begun = await history(admin)
    await takesWrites(false)
    await expect(sessions.start(database)).rejects.toMatchObject(READ_ONLY)
    await expect(session.work('classify', PUBLISHERS)).rejects.toMatchObject(READ_ONLY)
    await expect(session.work('poll', PUBLISHERS)).rejects.toMatchObject(READ_ONLY)
    await expect(work.heartbeat({ at: 1 })).rejects.toMatchObject(READ_ONLY)
    await expect(work.finish(nothing)).rejects.toMatchObject(READ_ONLY)
    await expect(work.fail({ jitter: 0 }, 'broken')).rejects.toMatchObject(READ_ONLY)
    await expect(reap(database, { processes: PROCESSES, random: EVEN })).rejects.toMatchObject(READ_ONLY)
    clock.advance(20_000)
    expect(work.signal.aborted).toBe(false)
    await takesWrites(true)
    expect(await history(admin)).toEqual(begun)
    await confirmed(session, clock)
    await work.finish(nothing)
    await take(session)
  })

  test('3. read-only for longer than a session lives: a control loop goes on by itself, under a new one', async () => {
    await manySubjects(admin, 20)
    const trouble: unknown[] = []
    const [underWay, writable] = [latch(), latch()]
    started({
      clock: new FastClock(20),
      intervalMs: 6000,
      onTrouble: (error) => trouble.push(error),
      run: async (work) => {
        if (trouble.length === 0) underWay.open()
        await writable.opened
        await finish(work)
      },
    })
    await underWay.opened
    await takesWrites(false)
    await eventually(() =>
      trouble.some((error) => (error as { code: string }).code === 'FLOG_SESSION_EXPIRED'),
    )
    await eventually(() => trouble.some((error) => (error as { code: string }).code === READ_ONLY.code))
    await takesWrites(true)
    writable.open()
    await admin.query(`UPDATE session SET deadline = now() - interval '1 hour' WHERE deadline < now()`)
    await eventually(async () => (await done()) === 20)
    expect((await history(admin)).filter((line) => line === 'finished')).toHaveLength(20)
  })

  test('2. a server that is restarted loses no session and no work', async () => {
    await subjects(admin, 2)
    const clock = new FakeClock()
    const session = await sessions.start(database, { clock })
    const [one, other] = [await take(session), await take(session)]
    await server.kill()
    await expect(one.finish(nothing)).rejects.toMatchObject(UNREACHABLE)
    await expect(session.work('classify', PUBLISHERS)).rejects.toMatchObject(UNREACHABLE)
    await expect(sessions.start(database)).rejects.toMatchObject(UNREACHABLE)
    clock.advance(20_000)
    await server.start()
    await confirmed(session, clock)
    await one.finish(nothing)
    await other.fail({ jitter: 0 }, 'broken')
    expect(await history(admin)).toEqual(['started', 'started', 'finished', 'failed broken'])
  })

  test('2. a server that is restarted in the middle of all of it: nothing is done twice, and nothing is left', async () => {
    await manySubjects(admin, 150)
    const finished: string[] = []
    const run = async (work: Work) => {
      await finish(work)
      finished.push(work.subject)
    }
    for (let i = 0; i < 2; i++) started({ run, parallelism: 3, clock: new FastClock(), intervalMs: 60_000 })
    for (const enough of [30, 80]) {
      await eventually(() => finished.length >= enough)
      await restart()
    }
    // What is held and given up goes back with a cancel or, when nobody could be asked, to the reaper.
    await eventually(async () => (await done()) === 150)
    expect((await history(admin)).filter((line) => line === 'finished')).toHaveLength(150)
  })

  test('2. connections that are ended at any moment: nothing is done twice, and nothing is left', async () => {
    await manySubjects(admin, 100)
    for (let i = 0; i < 2; i++)
      started({ run: finish, parallelism: 3, clock: new FastClock(), intervalMs: 60_000 })
    let ended = 0
    await eventually(async () => {
      if (ended++ < 30) await admin.query(END_ONE)
      await letBackoffsPass(admin)
      return (await done()) === 100
    })
    await eventually(async () => (await admin.query('SELECT 1 FROM work')).rows.length === 0)
    expect((await history(admin)).filter((line) => line === 'finished')).toHaveLength(100)
    const { rows } = await admin.query<{ ends: bigint }>(
      `SELECT max(n) AS ends FROM (
         SELECT count(*) AS n FROM work_history WHERE event <> 'started' GROUP BY subject_id, process, fence) AS one`,
    )
    expect(rows).toEqual([{ ends: 1n }])
  })

  test('30. while the server is silent a control loop ends all the same', async () => {
    await subjects(admin, 1)
    const first = latch()
    const never = latch()
    const working = started({
      run: async () => {
        first.open()
        await never.opened
      },
    })
    await first.opened
    server.freeze()
    // Nothing is answered before it thaws: whoever waited for an answer would wait for ever.
    const starting = started({ run: nothing })
    await new Promise(setImmediate)
    for (const loop of [working, starting]) loop.kill()
    await Promise.all([working.wait(), starting.wait()])
    server.thaw()
    never.open()
  })
})
