import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import { gate, MINUTE, Rig, run, tidy } from './rig'

eachDatabase('processes in trouble', (open) => {
  let database: Database
  let rig: Rig
  beforeEach(async () => {
    database = await open()
    rig = new Rig(database)
  }, 60_000)

  test('a worker that was given up writes nothing more', async () => {
    const started = gate()
    const answered = gate()
    const outcomes: string[] = []
    const late = gate()
    const scheduler = await rig.instance({
      itemTimeoutMs: 1000,
      graceMs: 0,
      active: async ({ name }, context) => {
        if (name === 'b') {
          late.open()
          return answered.opened
        }
        started.open()
        await late.opened
        await context
          .transact(async (tx) => {
            await tx.query(`UPDATE process SET paused = true`)
          })
          .then(
            () => outcomes.push('written'),
            ({ code }) => outcomes.push(code),
          )
        outcomes.push(await context.progress())
        answered.open()
      },
    })
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    const running = run(scheduler)
    await started.opened
    rig.clock.advance(1000)
    expect((await running).stats['errors']).toBe(1)
    expect(outcomes).toEqual(['FLOG_PROCESS_TIMEOUT', 'none'])
    expect((await scheduler.processes.view('tidy')).paused).toBe(false)
  })

  test('a process that could not be stored can be defined again', async () => {
    const { database: broken, fails } = failing(database)
    const scheduler = await rig.instance({}, {}, broken)
    fails.now = true
    await expect(scheduler.define(tidy({ name: 'other' }))).rejects.toThrow('not now')
    await expect(scheduler.run(new AbortController().signal)).rejects.toThrow('not now')
    fails.now = false
    await scheduler.define(tidy({ name: 'other' }))
    await expect(scheduler.define(tidy({ name: 'other' }))).rejects.toMatchObject({
      code: 'FLOG_OPTION_INVALID',
    })
    expect((await scheduler.turn('other')).result?.state).toBe('completed')
  })

  test('a scheduler runs once at a time', async () => {
    const scheduler = await rig.instance({ initialWaitMs: MINUTE })
    const stop = new AbortController()
    const running = scheduler.run(stop.signal)
    await expect(scheduler.run(stop.signal)).rejects.toMatchObject({ code: 'FLOG_PROCESS_RUNNING' })
    stop.abort()
    await running
  })
})

/** A database that refuses transactions and listening for as long as it is told to. */
function failing(database: Database): { readonly database: Database; readonly fails: { now: boolean } } {
  const fails = { now: false }
  const unless = async <T>(action: () => Promise<T>): Promise<T> => {
    if (fails.now) throw new Error('not now')
    return action()
  }
  return {
    fails,
    database: {
      dialect: database.dialect,
      where: database.where,
      query: (text, params) => database.query(text, params),
      transaction: (work, options) => unless(() => database.transaction(work, options)),
      listen: (channel, onNotice) => unless(() => database.listen(channel, onNotice)),
      close: () => database.close(),
    },
  }
}
