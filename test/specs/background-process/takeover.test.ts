import type { RunResult } from '../../../src/collector/process/run'
import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import { gate, HOUR, MINUTE, Rig, run } from './rig'

eachDatabase('processes that change hands', (open) => {
  let database: Database
  let rig: Rig
  beforeEach(async () => {
    database = await open()
    rig = new Rig(database)
  }, 60_000)

  /** An instance of a program that dies in the item `deadly`. */
  async function doomed(
    definition = {},
  ): Promise<{ readonly processed: string[]; readonly dead: Promise<void> }> {
    const owner = await rig.owner()
    const { opened: dead, open: die } = gate()
    const processed: string[] = []
    const scheduler = await rig.instance(
      {
        ...definition,
        active: async ({ name }) => {
          processed.push(name)
          if (name !== 'deadly') return
          await owner.die()
          die()
          await new Promise(() => {})
        },
      },
      { owner },
    )
    const turn = scheduler.turn('tidy').then(() => {})
    return { processed, dead: Promise.race([dead, turn]) }
  }

  test('13. a run that goes on is not taken, however seldom it says so', async () => {
    const usual = { itemTimeoutMs: MINUTE, minScheduleMs: 15 * MINUTE }
    const other = await rig.instance(usual)
    const taken: unknown[] = []
    const scheduler = await rig.instance({
      ...usual,
      active: async () => {
        for (let step = 0; step < 2; step++) {
          rig.pass(25_000)
          rig.clock.pass(25_000)
          taken.push((await other.turn('tidy')).result)
        }
      },
    })
    for (let n = 0; n < 8; n++) await scheduler.processes.register('tidy', `item ${n}`)
    expect((await run(scheduler)).state).toBe('completed')
    expect(new Set(taken)).toEqual(new Set([undefined]))
  })

  test('14. an item that kills whoever works on it comes last, and is left alone for longer each time', async () => {
    const { processes } = await rig.instance()
    for (const item of ['deadly', 'harmless']) await processes.register('tidy', item)
    const turns: (readonly string[])[] = []
    for (let n = 0; n < 3; n++) {
      const { processed, dead } = await doomed()
      await dead
      turns.push(processed)
      rig.pass(1)
    }
    expect(turns).toEqual([['deadly'], ['harmless', 'deadly'], []])
    const retryAt = async () => (await processes.items('tidy'))[0]?.retryAt
    expect(await retryAt()).toBe(new Date(rig.now.getTime() - 1 + MINUTE).toISOString())
    rig.pass(HOUR)
    const later = await doomed()
    await later.dead
    expect(later.processed).toEqual(['harmless', 'deadly'])
    await run(await rig.instance())
    expect(await retryAt()).toBe(new Date(rig.now.getTime() + 2 * MINUTE).toISOString())
  })

  test('31. what a run had counted before its owner died stays counted', async () => {
    const { processes } = await rig.instance()
    for (const item of ['a', 'b', 'deadly']) await processes.register('tidy', item)
    await (await doomed({ progressMs: 0 })).dead
    await run(await rig.instance())
    const { aggregateStats } = await processes.view('tidy')
    expect(aggregateStats).toMatchObject({ runs: 2, 'state.lost': 1, 'state.completed': 1, workItems: 3 })
  })

  test('14. runs that kill their owner pause a process that is to be paused by failures', async () => {
    const { processes } = await rig.instance()
    for (const item of ['deadly', 'harmless']) await processes.register('tidy', item)
    const fragile = { pauseOnFailure: 2 }
    for (let n = 0; n < 2; n++) await (await doomed(fragile)).dead
    const other = await rig.instance(fragile)
    expect((await other.turn('tidy')).result).toBeUndefined()
    expect(await processes.view('tidy')).toMatchObject({
      paused: true,
      failures: 2,
      pausedBecause: 'after 2 runs that failed',
      lastRun: { state: 'lost' },
    })
    await processes.resume('tidy')
    expect((await run(other)).state).toBe('completed')
    expect((await processes.view('tidy')).failures).toBe(0)
  })

  test('25. a slot of the past whose owner died is run to its end, though another slot came between', async () => {
    const slots: string[] = []
    const noted = async (_: unknown, { slot }: { readonly slot: Date }) => void slots.push(slot.toISOString())
    const scheduler = await rig.instance({ active: noted })
    const { processes } = scheduler
    for (const item of ['deadly', 'harmless']) await processes.register('tidy', item)
    await run(scheduler)
    slots.length = 0
    const past = new Date('2026-02-01T00:00:00Z')
    await processes.backfill('tidy', past, past)
    await (await doomed()).dead
    expect((await processes.view('tidy')).lastRun).toMatchObject({ reason: 'backfill', state: 'active' })
    rig.pass(HOUR)
    const results: RunResult[] = [await run(scheduler), await run(scheduler)]
    expect(results.map(({ state }) => state)).toEqual(['completed', 'completed'])
    const now = rig.now.toISOString()
    expect(slots).toEqual([now, now, past.toISOString(), past.toISOString()])
    expect(await processes.view('tidy')).toMatchObject({ backfill: 0 })
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
  })

  test('22. a run that is stopped when all is done is completed', async () => {
    const stop = new AbortController()
    const stopAt = async ({ name }: { readonly name: string }) => {
      if (name === 'last') stop.abort()
    }
    const scheduler = await rig.instance({ active: stopAt, cleanup: stopAt })
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    await scheduler.processes.unregister('tidy', 'last')
    expect((await run(scheduler, stop.signal)).state).toBe('completed')
    const { lastRun } = await scheduler.processes.view('tidy')
    expect(lastRun).toMatchObject({ state: 'completed', interrupted: false })
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
  })

  test('22. a run that is stopped with cleaning left to do is not', async () => {
    const stop = new AbortController()
    const scheduler = await rig.instance({ active: async () => stop.abort() })
    await scheduler.processes.register('tidy', 'a')
    await scheduler.processes.unregister('tidy', 'b')
    expect((await run(scheduler, stop.signal)).state).toBe('incomplete')
    expect((await run(scheduler)).state).toBe('completed')
    expect(await rig.lists()).toEqual({ a: 'active', b: 'dropped' })
  })
})
