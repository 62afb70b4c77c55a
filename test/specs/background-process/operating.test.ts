import { EventEmitter, once } from 'node:events'
import fc from 'fast-check'
import { SystemClock } from '../../../src/base/clock'
import { Processes as WorkProcesses } from '../../../src/collector/lease/processes'
import { startSession } from '../../../src/collector/lease/session'
import { jitterMs } from '../../../src/collector/process/schedule'
import type { SchedulerEvent } from '../../../src/collector/process/scheduler'
import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import { gate, HOUR, MINUTE, Rig, run, tidy } from './rig'

eachDatabase('operating processes', (open) => {
  let database: Database
  let rig: Rig
  beforeEach(async () => {
    database = await open()
    rig = new Rig(database)
  }, 60_000)

  test('4. schedule and settings are stored, and a schedule that is too short is raised', async () => {
    const scheduler = await rig.instance({ schedule: { everyMs: 1000 }, minScheduleMs: 15 * MINUTE })
    const { processes } = scheduler
    expect((await processes.view('tidy')).schedule).toEqual({ everyMs: 15 * MINUTE })
    await processes.update('tidy', { schedule: { everyMs: 2 * HOUR }, settings: { days: 3 } })
    expect(await processes.view('tidy')).toMatchObject({
      schedule: { everyMs: 2 * HOUR },
      settings: { days: 3 },
    })
    await processes.update('tidy', { schedule: { everyMs: MINUTE } })
    expect((await processes.view('tidy')).schedule).toEqual({ everyMs: 15 * MINUTE })
    await processes.update('tidy', { schedule: { cron: '0 3 * * *', zone: 'Europe/Berlin' } })
    expect(await processes.view('tidy')).toMatchObject({
      schedule: { cron: '0 3 * * *', zone: 'Europe/Berlin' },
      nextRunAt: '2026-03-01T02:00:00.000Z',
    })
    for (const schedule of [
      { everyMs: 0 },
      { everyMs: Number.NaN },
      { cron: 'soon' },
      { cron: '0 0 30 2 *' },
    ]) {
      const refused = processes.update('tidy', { schedule })
      await expect(refused).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
    }
    await expect(processes.update('other', {})).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
    // What an operator changed outlasts a restart; what the code asks for anew does not wait for the operator.
    const same = await rig.instance({ schedule: { everyMs: 1000 }, minScheduleMs: 15 * MINUTE })
    expect((await same.processes.view('tidy')).schedule).toMatchObject({ cron: '0 3 * * *' })
    const other = await rig.instance({ schedule: { everyMs: 3 * HOUR }, minScheduleMs: 15 * MINUTE })
    expect((await other.processes.view('tidy')).schedule).toEqual({ everyMs: 3 * HOUR })
  })

  test('5. flow control is said before the process is run', async () => {
    const scheduler = await rig.instance()
    await scheduler.flowControl('tidy', { minScheduleMs: 2 * HOUR, initialWaitMs: 0 })
    expect((await scheduler.processes.view('tidy')).schedule).toEqual({ everyMs: 2 * HOUR })
    const stop = new AbortController()
    const running = scheduler.run(stop.signal)
    const late = { code: 'FLOG_PROCESS_RUNNING' }
    await expect(scheduler.flowControl('tidy', { initialWaitMs: 1 })).rejects.toMatchObject(late)
    await expect(scheduler.define(tidy({ name: 'other' }))).rejects.toMatchObject(late)
    stop.abort()
    await running
    await scheduler.flowControl('tidy', { initialWaitMs: 1 })
    const unknown = scheduler.flowControl('other', {})
    await expect(unknown).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
  })

  test('25. a process that is paused is not run until it is resumed, unless somebody asks for a run', async () => {
    const scheduler = await rig.instance()
    const { processes } = scheduler
    await processes.pause('tidy')
    expect(await scheduler.turn('tidy')).toEqual({ result: undefined, waitMs: Infinity })
    await processes.runNow('tidy')
    await run(scheduler)
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    await processes.resume('tidy')
    await run(scheduler)
    await processes.runNow('tidy')
    await run(scheduler)
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    expect((await processes.runs('tidy')).map(({ reason }) => reason)).toEqual([
      'requested',
      'slot',
      'requested',
    ])
    await expect(processes.pause('other')).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
  })

  test('25. slots of the past are run once more, one by one', async () => {
    const slots: string[] = []
    const scheduler = await rig.instance({
      active: async (_, { slot }) => void slots.push(slot.toISOString()),
    })
    const { processes } = scheduler
    await processes.register('tidy', 'a')
    await run(scheduler)
    slots.length = 0
    const from = new Date('2026-02-01T00:00:00Z')
    expect(await processes.backfill('tidy', from, new Date('2026-02-01T02:30:00Z'))).toBe(3)
    expect((await processes.view('tidy')).backfill).toBe(3)
    for (let n = 0; n < 3; n++) await run(scheduler)
    expect(slots).toEqual([
      '2026-02-01T00:00:00.000Z',
      '2026-02-01T01:00:00.000Z',
      '2026-02-01T02:00:00.000Z',
    ])
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    const tooMany = processes.backfill('tidy', new Date(0), rig.now)
    await expect(tooMany).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
  })

  test('25. runs that fail in a row pause the process, and resuming it begins anew', async () => {
    const scheduler = await rig.instance({
      pauseOnFailure: 2,
      active: async () => {
        throw new Error('no')
      },
    })
    const { processes } = scheduler
    await processes.register('tidy', 'a')
    await run(scheduler)
    rig.pass(HOUR)
    await run(scheduler)
    expect(await processes.view('tidy')).toMatchObject({
      paused: true,
      pausedBecause: 'after 2 runs that failed',
    })
    await processes.resume('tidy')
    expect(await processes.view('tidy')).toMatchObject({ paused: false, pausedBecause: null, failures: 0 })
  })

  test('29. runs begin a little after their slot, always as much, and never so in tests', async () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1000, max: 40 * 24 * HOUR }), (name, period) => {
        const jitter = jitterMs(name, period)
        expect(jitter).toBe(jitterMs(name, period))
        expect(jitter).toBeGreaterThanOrEqual(0)
        expect(jitter).toBeLessThanOrEqual(Math.min(period / 10, 30_000))
      }),
    )
    const exact = await rig.instance()
    const later = await rig.instance({}, { jitter: true })
    const jitter = jitterMs('tidy', HOUR)
    expect(jitter).toBeGreaterThan(0)
    expect(await later.turn('tidy')).toEqual({ result: undefined, waitMs: jitter })
    rig.pass(jitter)
    await run(later)
    expect(await later.turn('tidy')).toEqual({ result: undefined, waitMs: HOUR })
    rig.pass(HOUR - jitter)
    await run(exact)
  })

  test('30. another schedule counts from its next slot on', async () => {
    const scheduler = await rig.instance()
    await run(scheduler)
    rig.pass(10 * MINUTE)
    await scheduler.processes.update('tidy', { schedule: { everyMs: 15 * MINUTE } })
    expect(await scheduler.turn('tidy')).toEqual({ result: undefined, waitMs: 5 * MINUTE })
    rig.pass(5 * MINUTE)
    await run(scheduler)
    expect((await scheduler.processes.view('tidy')).lastRun?.slot).toBe('2026-03-01T00:15:00.000Z')
  })

  test('31. sums outlast restarts, under names that stay in order', async () => {
    for (let restart = 0; restart < 3; restart++) {
      const scheduler = await rig.instance({
        active: async (_, context) => {
          for (const name of ['z', 'a', 'm']) context.stats(restart, name)
        },
      })
      await scheduler.processes.register('tidy', 'a')
      await run(scheduler)
      rig.pass(HOUR)
    }
    const { aggregateStats } = await (await rig.instance()).processes.view('tidy')
    expect(Object.entries(aggregateStats).sort()).toEqual(
      Object.entries({
        duration: 0,
        errors: 0,
        runs: 3,
        'state.completed': 3,
        'work.a': 3,
        'work.m': 3,
        'work.z': 3,
        workItems: 3,
      }).sort(),
    )
  })

  test('31. names without end are counted together', async () => {
    let turn = 0
    const scheduler = await rig.instance({
      active: async (_, context) => {
        turn++
        for (let n = 0; n < 400; n++) context.stats(1, `run ${turn} name ${n} ${'x'.repeat(300)}`)
      },
    })
    await scheduler.processes.register('tidy', 'a')
    for (let n = 0; n < 3; n++) {
      const { stats } = await run(scheduler)
      expect(Object.keys(stats).length).toBeLessThan(300)
      expect(stats['work.other']).toBeGreaterThan(100)
      rig.pass(HOUR)
    }
    const { aggregateStats } = await scheduler.processes.view('tidy')
    expect(Object.keys(aggregateStats).length).toBeLessThan(300)
    expect(Object.keys(aggregateStats).every((name) => name.length < 250)).toBe(true)
    const counted = Object.entries(aggregateStats).filter(([name]) => name.startsWith('work.'))
    expect(counted.reduce((all, [, n]) => all + n, 0)).toBe(1200)
    const [item] = await scheduler.processes.items('tidy')
    expect(Object.keys(item?.status['stats'] as object).length).toBeLessThan(300)
  })

  test('32. some hundred runs are kept, and the latest are listed first', async () => {
    const scheduler = await rig.instance()
    await database.query(
      `INSERT INTO process_run (process, slot_at, state, settings_version)
       SELECT 'tidy', now(), 'completed', 1 FROM generate_series(1, 300)`,
    )
    let latest = 0
    for (let n = 0; n < 16; n++) {
      await scheduler.processes.runNow('tidy')
      latest = (await run(scheduler)).run
    }
    const runs = (await scheduler.processes.runs('tidy', 100)).map(({ run }) => run)
    expect(runs).toHaveLength(100)
    expect(runs).toEqual(Array.from(runs, (_, n) => latest - n))
    const { rows } = await database.query<{ kept: bigint }>('SELECT count(*) AS kept FROM process_run')
    expect(Number(rows[0]?.kept)).toBeLessThan(116)
  })

  test('32. what a process does and has done can be shown as JSON', async () => {
    const inside = gate()
    const shown = gate()
    const scheduler = await rig.instance({
      active: async ({ name }, context) => {
        if (name === 'b') throw new Error('no')
        if (name === 'c') while (context.error(new Error('no')) === 'continue');
        if (name !== 'd') return
        inside.open()
        await shown.opened
      },
      cleanup: async ({ name }) => {
        if (name === 'stuck') throw new Error('no')
      },
    })
    const { processes } = scheduler
    for (const item of ['a', 'b', 'c', 'd', 'e']) await processes.register('tidy', item)
    for (const item of ['ghost', 'stuck']) await processes.unregister('tidy', item)
    const running = run(scheduler)
    await inside.opened
    const during = await processes.items('tidy')
    expect(during.map(({ state }) => state)).toEqual([
      'completed',
      'incomplete',
      'aborted',
      'active',
      'queued',
      'cleanup',
      'cleanup',
    ])
    const [view] = await processes.list()
    expect(view?.lastRun).toMatchObject({ state: 'active', finish: null })
    expect(view?.owner).toBe(view?.lastRun?.session)
    shown.open()
    await running
    const after = await processes.items('tidy', 'e')
    expect(after.map(({ name, state }) => `${name} ${state}`)).toEqual(['ghost dropped', 'stuck cleanup'])
    const done = await processes.view('tidy')
    expect(done).toMatchObject({ owner: null, items: { active: 5, cleanup: 1, dropped: 1 } })
    expect(JSON.parse(JSON.stringify(done))).toEqual(done)
    await expect(processes.view('other')).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
  })

  test('33. an item is on exactly one list, whatever happens to it in whatever order', async () => {
    let during: (() => Promise<void>) | undefined
    const worker = async (): Promise<void> => {
      await during?.()
      during = undefined
    }
    const step = fc.record({
      act: fc.constantFrom('register', 'unregister', 'run', 'during-register', 'during-unregister'),
      item: fc.constantFrom('a', 'b', 'c'),
      days: fc.constantFrom(1, 2),
    })
    const scheduler = await rig.instance({ active: worker, cleanup: worker })
    const { processes } = scheduler
    const change = (act: string, item: string, days: number) =>
      act === 'register'
        ? processes.register('tidy', item, { days }).then(() => {})
        : processes.unregister('tidy', item)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await database.query('DELETE FROM process_item')
        const wanted: Record<string, 'active' | 'gone'> = {}
        for (const { act, item, days } of steps) {
          const last = act.replace('during-', '')
          if (act === 'run') {
            await processes.runNow('tidy')
            await run(scheduler)
            continue
          }
          wanted[item] = last === 'register' ? 'active' : 'gone'
          if (act === last) await change(act, item, days)
          else {
            let changed = false
            during = async () => {
              changed = true
              await change(last, item, days)
            }
            await processes.runNow('tidy')
            await run(scheduler)
            if (!changed) await change(last, item, days)
            during = undefined
          }
        }
        const lists = await rig.lists()
        const got = Object.entries(lists).map(([item, list]) => [item, list === 'active' ? 'active' : 'gone'])
        expect(Object.fromEntries(got)).toEqual(wanted)
        // Nothing is forgotten: what is to be cleaned up is.
        while ((await scheduler.turn('tidy')).result !== undefined);
        expect(new Set(Object.values(await rig.lists())).has('cleanup')).toBe(false)
      }),
      { numRuns: 15 },
    )
  })

  test('34. progress of 20,000 items costs what progress of one costs', async () => {
    const costs: unknown[] = []
    const owner = await rig.owner()
    const scheduler = await rig.instance(
      {
        progressMs: 0,
        active: async (_, context) => {
          owner.statements = []
          await context.progress()
          costs.push([...owner.statements])
          throw new Error('enough')
        },
        itemTimeoutMs: HOUR,
      },
      { owner },
    )
    for (const count of [1, 20_000]) {
      await database.query(
        `INSERT INTO process_item (process, name, list)
         SELECT 'tidy', 'i' || n, 'active' FROM generate_series(1, $1::integer) n ON CONFLICT DO NOTHING`,
        [count],
      )
      costs.length = 0
      await run(scheduler)
      // The 26th error ends the run.
      expect(new Set(costs.map((cost) => JSON.stringify(cost))).size).toBe(1)
      expect(costs[0]).toHaveLength(2)
      rig.pass(HOUR)
    }
    expect((await scheduler.processes.view('tidy')).items.active).toBe(20_000)
  })

  test('processes run by themselves: at their slot, and as soon as somebody asks', async () => {
    const events = new EventEmitter()
    const onEvent = (event: SchedulerEvent): void => void events.emit(event.kind, event)
    const session = await startSession(database, { component: 'test', processes: new WorkProcesses([]) })
    const clock = new SystemClock()
    const scheduler = await rig.instance(
      { initialWaitMs: 0 },
      { owner: session, clock, onEvent, pollMs: 20_000 },
    )
    await scheduler.processes.register('tidy', 'a')
    const stop = new AbortController()
    const first = once(events, 'ended')
    const running = scheduler.run(stop.signal)
    expect((await first)[0]).toMatchObject({ result: { state: 'completed', stats: { workItems: 1 } } })
    const second = once(events, 'begun')
    const ended = once(events, 'ended')
    await scheduler.processes.runNow('tidy')
    expect((await second)[0]).toMatchObject({ reason: 'requested' })
    await ended
    stop.abort()
    await running
    await session.close()
  })

  test('a session that ends ends the loop, with its reason', async () => {
    const session = await startSession(database, { component: 'test', processes: new WorkProcesses([]) })
    const scheduler = await rig.instance({}, { owner: session, clock: new SystemClock() })
    const running = scheduler.run(new AbortController().signal)
    const ended = expect(running).rejects.toMatchObject({ code: 'FLOG_SESSION_EXPIRED' })
    await session.close()
    await ended
  })
})
