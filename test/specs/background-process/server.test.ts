import { Client } from 'pg'
import { Processes } from '../../../src/collector/lease/processes'
import { type Session, startSession } from '../../../src/collector/lease/session'
import { Scheduler, type SchedulerEvent } from '../../../src/collector/process/scheduler'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { PostgresServer, withOwnPostgres } from '../support/postgres-server'
import { tidy } from './rig'

withOwnPostgres('processes whose server fails', () => {
  let server: PostgresServer
  let database: Database
  let session: Session
  const events: SchedulerEvent[] = []
  const processed: string[] = []
  let during: () => Promise<void>
  let onTrouble: (error: unknown) => void
  let scheduler: Scheduler

  beforeAll(async () => {
    server = await PostgresServer.start()
    database = await openDatabase(server.url)
    session = await startSession(database, {
      component: 'test',
      intervalMs: 60_000,
      processes: new Processes([]),
    })
    const onEvent = (event: SchedulerEvent): void => {
      events.push(event)
      if (event.kind === 'trouble') onTrouble(event.error)
    }
    scheduler = new Scheduler(database, session, { jitter: false, onEvent })
    const active = async ({ name }: { readonly name: string }): Promise<void> => {
      processed.push(name)
      if (name === 'b') await during()
    }
    await scheduler.define(tidy({ active, progressMs: 0 }))
    for (const item of ['a', 'b', 'c']) await scheduler.processes.register('tidy', item)
  }, 60_000)
  beforeEach(() => {
    events.length = 0
    processed.length = 0
    onTrouble = () => {}
  })
  afterAll(async () => {
    await session.close()
    await database.close()
    await server.remove()
  })

  async function expectWholeRun(): Promise<void> {
    await scheduler.processes.runNow('tidy')
    expect((await scheduler.turn('tidy')).result?.state).toBe('completed')
    expect([...processed].sort()).toEqual(['a', 'b', 'c'])
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
  }

  test('23. a run goes on when its server was killed and started again', async () => {
    during = async () => {
      await server.kill()
      await server.start()
    }
    await expectWholeRun()
  })

  test('23. a run goes on when its server was read-only for a while', async () => {
    during = () => readOnly(server, 'on')
    onTrouble = () => void readOnly(server, 'off')
    await expectWholeRun()
    expect(events.some(({ kind }) => kind === 'trouble')).toBe(true)
  })
})

async function readOnly(server: PostgresServer, how: 'on' | 'off'): Promise<void> {
  const client = new Client({ connectionString: server.url })
  await client.connect()
  await client.query('SET default_transaction_read_only = off')
  await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${how}`)
  await client.query('SELECT pg_reload_conf()')
  // Each server process reads it for itself, soon: who finds it still as it was is none that was there before.
  await client.end()
}
