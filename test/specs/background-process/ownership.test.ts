import { Processes } from '../../../src/collector/lease/processes'
import { type Session, startSession } from '../../../src/collector/lease/session'
import type { Owner } from '../../../src/collector/process/owner'
import { checkFence, writeProgress } from '../../../src/collector/process/runs'
import { Scheduler } from '../../../src/collector/process/scheduler'
import { databaseTime } from '../../../src/collector/process/time'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { kill, lines, startProgram } from '../../incident/programs'
import { onPostgres } from '../support/databases'
import { gate, tidy } from './rig'

interface Begun {
  readonly name: string
  readonly session: string
  readonly run: string
  readonly fence: string
}

onPostgres('processes of several programs, on PostgreSQL', (urlOf) => {
  const opened: Database[] = []
  const sessions: Session[] = []
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close()))
    await Promise.all(opened.splice(0).map((database) => database.close()))
  })

  /** With connections and a session of its own, as another program has. */
  async function instance(active: (name: string) => Promise<void> = async () => {}): Promise<Scheduler> {
    const database = await openDatabase(await urlOf())
    opened.push(database)
    const session = await startSession(database, { component: 'test', processes: new Processes([]) })
    sessions.push(session)
    const scheduler = new Scheduler(database, session, { jitter: false })
    await scheduler.define(tidy({ active: ({ name }) => active(name) }))
    return scheduler
  }

  test('12. of eight instances that look at once one runs, each time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => instance()))
    for (let round = 0; round < 10; round++) {
      await all[0]!.processes.runNow('tidy')
      const turns = await Promise.all(all.map((scheduler) => scheduler.turn('tidy')))
      expect(turns.filter(({ result }) => result !== undefined)).toHaveLength(1)
    }
    expect((await all[0]!.processes.view('tidy')).fence).toBe(10)
  })

  test('14. the run of a program that was killed is lost once its session is dead, and another goes on with it', async () => {
    const done: string[] = []
    const other = await instance(async (name) => void done.push(name))
    for (const item of ['first', 'stuck', 'waiting']) await other.processes.register('tidy', item)
    await other.processes.runNow('tidy')
    const program = startProgram('process-owner', await urlOf())
    const begun: Begun[] = []
    for await (const line of lines<Begun>(program)) if (begun.push(line) === 2) break
    const killed = begun[1] as Begun
    expect(begun.map(({ name }) => name)).toEqual(['first', 'stuck'])
    expect((await other.turn('tidy')).result).toBeUndefined()
    await kill(program)
    while ((await other.turn('tidy')).result === undefined);
    expect(done.sort()).toEqual(['stuck', 'waiting'])
    const [next, lost] = await other.processes.runs('tidy')
    expect(lost).toMatchObject({ run: Number(killed.run), state: 'lost', session: killed.session })
    expect(next).toMatchObject({ state: 'completed', reason: 'lost', slot: lost?.slot })
    const old = { process: 'tidy', runId: BigInt(killed.run), fence: BigInt(killed.fence) }
    const late = opened[0]!.transaction((tx) =>
      writeProgress(tx, old, { stats: {}, errors: [], totalErrors: 0 }, databaseTime),
    )
    await expect(late).rejects.toMatchObject({ code: 'FLOG_PROCESS_CONFLICT' })
    const lateItem = opened[0]!.transaction((tx) => checkFence(tx, old))
    await expect(lateItem).rejects.toMatchObject({ code: 'FLOG_PROCESS_CONFLICT' })
    expect((await other.processes.view('tidy')).aggregateStats).toMatchObject({ 'state.lost': 1 })
  })

  test('a takeover waits for what the old owner is writing; what it writes afterwards is refused', async () => {
    const entered = gate()
    const leave = gate()
    const outcomes: string[] = []
    const holder = await instance()
    const [database] = opened as [Database]
    const owner = sessions[0] as Session
    const hold = new Scheduler(database, bare(database, owner.id), { jitter: false })
    await hold.define(
      tidy({
        active: async (_, context) => {
          await context.transact(async () => {
            entered.open()
            await leave.opened
          })
          outcomes.push('written')
          await takeover
          const late = context.transact(async () => outcomes.push('written too late'))
          await expect(late).rejects.toMatchObject({ code: 'FLOG_PROCESS_CONFLICT' })
        },
      }),
    )
    await holder.processes.register('tidy', 'a')
    await holder.processes.runNow('tidy')
    const running = hold.turn('tidy')
    await entered.opened
    const other = await instance()
    await database.query(`UPDATE session SET deadline = now() WHERE session_id = $1`, [owner.id])
    const takeover = other.turn('tidy').then((turn) => outcomes.push(`taken over: ${turn.result?.state}`))
    while (!(await isBlocked(database)));
    leave.open()
    await takeover
    expect((await running).result?.state).toBe('conflict')
    expect(outcomes).toEqual(['written', 'taken over: completed'])
  })
})

/** A program that does not know that its session is dead. */
function bare(database: Database, id: string): Owner {
  return { id, signal: new AbortController().signal, transact: (run) => database.transaction(run) }
}

/** Whether a statement of this schema's waits for a lock. */
async function isBlocked(database: Database): Promise<boolean> {
  const { rows } = await database.query<{ blocked: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
      WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE process_run SET state = ''lost''%') AS blocked`,
  )
  return rows[0]?.blocked === true
}
