import { Processes } from '../../../src/collector/process/processes'
import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import { gate, HOUR, Rig, run, tidy } from './rig'

eachDatabase('changes of processes', (open) => {
  let database: Database
  let rig: Rig
  beforeEach(async () => {
    database = await open()
    rig = new Rig(database)
  }, 60_000)

  /** An instance that notes what it does. */
  async function noting(processed: string[], fails = new Set<string>()) {
    const worker = async ({ name }: { readonly name: string }): Promise<void> => {
      processed.push(name)
      if (fails.has(name)) throw new Error('no')
    }
    return rig.instance({ active: worker, cleanup: worker })
  }

  test('15. an item that is registered is processed at once, and the others wait for their slot', async () => {
    const processed: string[] = []
    const scheduler = await noting(processed, new Set(['b', 'stuck']))
    const { processes } = scheduler
    for (const item of ['a', 'b', 'c']) await processes.register('tidy', item)
    await processes.unregister('tidy', 'stuck')
    await run(scheduler)
    processed.length = 0
    await processes.register('tidy', 'new')
    await processes.register('tidy', 'c', { days: 2 })
    await processes.unregister('tidy', 'a')
    expect(await run(scheduler)).toMatchObject({
      state: 'completed',
      stats: { workItems: 2, workItemsCleaned: 1 },
    })
    expect(processed.sort()).toEqual(['a', 'c', 'new'])
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    expect((await processes.view('tidy')).lastRun?.reason).toBe('changes')
    processed.length = 0
    rig.pass(HOUR)
    await run(scheduler)
    expect(processed.sort()).toEqual(['b', 'c', 'new', 'stuck'])
  })

  test('15. other settings make it a run over all, whatever else changed', async () => {
    const processed: string[] = []
    const scheduler = await noting(processed)
    const { processes } = scheduler
    await processes.register('tidy', 'a')
    await run(scheduler)
    processed.length = 0
    await processes.register('tidy', 'b')
    await processes.update('tidy', { settings: { days: 3 } })
    await processes.register('tidy', 'c')
    await run(scheduler)
    expect(processed.sort()).toEqual(['a', 'b', 'c'])
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    expect((await processes.view('tidy')).lastRun?.reason).toBe('settings')
  })

  test('15. what goes on with a run over changes does the rest of them, and no more', async () => {
    const processed: string[] = []
    const scheduler = await noting(processed)
    const { processes } = scheduler
    await processes.register('tidy', 'old')
    await run(scheduler)
    for (const item of ['x', 'y', 'z']) await processes.register('tidy', item)
    const owner = await rig.owner()
    const dead = gate()
    const doomed = await rig.instance(
      {
        active: async ({ name }) => {
          if (name !== 'y') return
          await owner.die()
          dead.open()
          await new Promise(() => {})
        },
      },
      { owner },
    )
    void doomed.turn('tidy')
    await dead.opened
    processed.length = 0
    await run(scheduler)
    expect(processed.sort()).toEqual(['y', 'z'])
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
  })

  test('27. an item counts as purged by what its process says, also for those who only look', async () => {
    const scheduler = await rig.instance({ dropRetentionMs: HOUR })
    await scheduler.processes.unregister('tidy', 'a')
    await run(scheduler)
    const onlooker = new Processes(database, { time: rig.time })
    rig.pass(HOUR - 1)
    expect(await onlooker.items('tidy')).toMatchObject([{ state: 'dropped' }])
    rig.pass(1)
    expect(await onlooker.items('tidy')).toMatchObject([{ state: 'purged' }])
  })

  test('32. the runs of each process are trimmed, in whatever order processes take turns', async () => {
    const scheduler = await rig.instance()
    await scheduler.define({ ...tidy(), name: 'other' })
    await database.query(
      `INSERT INTO process_run (process, slot_at, state, settings_version)
       SELECT CASE n % 2 WHEN 0 THEN 'tidy' ELSE 'other' END, now(), 'completed', 1 FROM generate_series(1, 400) n`,
    )
    for (let n = 0; n < 16; n++) {
      for (const process of ['other', 'tidy']) {
        await scheduler.processes.runNow(process)
        await scheduler.turn(process)
      }
    }
    const { rows } = await database.query<{ kept: bigint }>(
      'SELECT count(*) AS kept FROM process_run GROUP BY process',
    )
    for (const { kept } of rows) expect(Number(kept)).toBeLessThan(116)
  })
})
