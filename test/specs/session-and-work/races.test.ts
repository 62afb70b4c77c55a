import { janitor } from '../../../src/collector/lease/janitor'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { firstLine, kill, lines, type Program, startProgram } from '../../incident/programs'
import { emptyTables, onPostgres } from '../support/databases'
import {
  backoffs,
  eventually,
  history,
  letBackoffsPass,
  letTimePass,
  manySubjects,
  PROCESSES,
  PUBLISHERS,
  Sessions,
  subjects,
  take,
} from './support'

const CLIENTS = 8

interface Held {
  readonly session: string
  readonly subject: string
  readonly fence: string
}

onPostgres('work with many clients, some of which are killed', (urlOf) => {
  const sessions = new Sessions()
  const programs = new Set<Program>()
  const clients: Database[] = []
  let url: string
  let database: Database
  beforeAll(async () => {
    url = await urlOf()
    database = await openDatabase(url)
    for (let i = 0; i < CLIENTS; i++) clients.push(await openDatabase(url, { poolSize: 1 }))
  })
  beforeEach(() => emptyTables(database))
  afterEach(async () => {
    await Promise.all([...programs].map(kill))
    programs.clear()
  })
  afterAll(() => Promise.all([database, ...clients].map((client) => client.close())))

  function program(name: string): Program {
    const started = startProgram(name, url)
    programs.add(started)
    return started
  }

  test('10. eight clients and 2,000 subjects: each is taken exactly once, and none is left', async () => {
    await manySubjects(database, 2000)
    const taken: string[] = []
    const client = async (own: Database) => {
      const session = await sessions.start(own)
      for (;;) {
        const work = await session.work('classify', PUBLISHERS)
        if (work === undefined) return
        taken.push(work.subject)
      }
    }
    await Promise.all(clients.map(client))
    expect(taken).toHaveLength(2000)
    expect(new Set(taken).size).toBe(2000)
  })

  test('29. eight clients with two processes that exclude each other never have a subject together', async () => {
    await manySubjects(database, 6)
    let together = 0
    let done = 0
    const client = async (own: Database, index: number) => {
      const session = await sessions.start(own)
      for (let i = 0; i < 25; i++) {
        const work = await session.work(index % 2 === 0 ? 'poll' : 'erase', PUBLISHERS)
        if (work === undefined) continue
        const { rows } = await own.query('SELECT 1 FROM work WHERE subject_id = $1', [work.subject])
        together += rows.length - 1
        await work.finish(async () => {})
        done++
      }
    }
    await Promise.all(clients.map(client))
    expect(together).toBe(0)
    expect(done).toBeGreaterThan(50)
  })

  test('27. the work of a program that is killed is taken from it, and not tried again at once', async () => {
    await subjects(database, 1)
    const holder = program('lease-hold')
    const { session, fence } = await firstLine<Held>(holder)
    const other = await sessions.start(database)
    expect(await other.work('classify', PUBLISHERS)).toBeUndefined()
    await kill(holder)
    await letTimePass(database, 3000)
    const reaper = janitor({ database, processes: PROCESSES, everyMs: 100 })
    await eventually(async () => (await backoffs(database)).length === 1)
    reaper.kill()
    await reaper.wait()
    expect(await other.work('classify', PUBLISHERS)).toBeUndefined()
    expect(await history(database)).toEqual(['started', expect.stringMatching(/^expired .*\(holder\)$/)])
    const { rows } = await database.query(
      'SELECT session_id AS session, ended_at IS NOT NULL AS ended FROM session',
    )
    expect(rows).toContainEqual({ session, ended: true })
    await letBackoffsPass(database)
    expect(await take(other)).toMatchObject({ fence: BigInt(fence) + 1n, attempt: 2 })
  })

  test('programs that are killed at any moment do nothing twice, and leave nothing undone', async () => {
    await database.query(
      `CREATE TABLE effect (subject_id uuid PRIMARY KEY, fence bigint, at timestamptz DEFAULT clock_timestamp())`,
    )
    await manySubjects(database, 150)
    await database.query(
      `INSERT INTO subject_request (subject_id, topic, generation) SELECT subject_id, 'effect', 1 FROM subject`,
    )
    const worker = () => program('lease-work')
    const victims = [worker(), worker(), worker()]
    const deaths = victims.map(async (victim, index) => {
      let seen = 0
      for await (const _ of lines(victim)) {
        if (++seen === 10 + 12 * index) break
      }
      await kill(victim)
    })
    await Promise.all(deaths)
    await letTimePass(database, 3000)
    worker()
    await eventually(async () => {
      await letBackoffsPass(database)
      return (await database.query('SELECT 1 FROM effect')).rows.length === 150
    }, 25_000)
    const { rows } = await database.query<{ event: string; n: bigint }>(
      `SELECT event, count(*) AS n FROM work_history WHERE event IN ('finished', 'failed') GROUP BY event`,
    )
    expect(rows).toEqual([{ event: 'finished', n: 150n }])
  })
})
