import { FlogError } from '../../../src/base/errors'
import { writeProgress } from '../../../src/collector/process/runs'
import type { Scheduler, Turn } from '../../../src/collector/process/scheduler'
import type { Database } from '../../../src/collector/store/database'
import { FakeClock } from '../../remote/support/fake-clock'
import { eachDatabase } from '../support/databases'
import { gate, HOUR, MINUTE, Rig, run, turnTimers } from './rig'

eachDatabase('runs of processes', (open) => {
  let database: Database
  let rig: Rig
  beforeEach(async () => {
    database = await open()
    rig = new Rig(database)
  }, 60_000)

  test("3. who finds that a run is another instance's writes nothing more", async () => {
    const owner = await rig.owner()
    const other = await rig.instance()
    let taken = 0
    let signalled = false
    const scheduler = await rig.instance(
      {
        progressMs: 0,
        active: async (_, context) => {
          await owner.die()
          taken = (await run(other)).run
          expect(await context.progress()).toBe('conflict')
          signalled = context.signal.aborted
          const late = context.transact((tx) => tx.query(`UPDATE process SET paused = true`))
          await expect(late).rejects.toMatchObject({ code: 'FLOG_PROCESS_CONFLICT' })
        },
      },
      { owner },
    )
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    const running = scheduler.turn('tidy')
    expect((await running).result?.state).toBe('conflict')
    expect(signalled).toBe(true)
    const { lastRun, paused } = await scheduler.processes.view('tidy')
    expect(lastRun).toMatchObject({ run: taken, state: 'completed' })
    expect(paused).toBe(false)
    expect(await rig.states()).toEqual({ a: 'active completed', b: 'active completed' })
  })

  test('12. of two instances one runs each slot, for a thousand slots', async () => {
    const minutely = { schedule: { everyMs: MINUTE } }
    const both = [await rig.instance(minutely), await rig.instance(minutely)]
    // What is embedded has one connection: there instances never meet, and a statement costs four times as much.
    const count = database.dialect === 'postgres' ? 1000 : 100
    const slots: number[] = []
    for (let slot = 0; slot < count; slot++) {
      const turns = slot % 4 === 0 ? await atOnce(both) : await inTurns(both, slot % 2)
      slots.push(turns.filter(({ result }) => result?.state === 'completed').length)
      rig.pass(MINUTE)
    }
    expect(slots).toEqual(Array.from({ length: count }, () => 1))
    expect((await both[0]!.processes.view('tidy')).aggregateStats['runs']).toBe(count)
  }, 120_000)

  test('13. a run of a session that lives is not taken, though its next slots pass', async () => {
    const patient = { stallTimeoutMs: 4 * HOUR }
    const other = await rig.instance(patient)
    const turns: unknown[] = []
    const scheduler = await rig.instance({
      ...patient,
      active: async () => {
        for (let slot = 0; slot < 3; slot++) {
          rig.pass(HOUR)
          turns.push((await other.turn('tidy')).result, (await scheduler.turn('tidy')).result)
        }
      },
    })
    await scheduler.processes.register('tidy', 'a')
    await run(scheduler)
    expect(turns).toEqual(Array.from({ length: 6 }, () => undefined))
    // The slots that passed meanwhile are one run.
    await run(other)
    expect(await other.processes.view('tidy')).toMatchObject({ missedSlots: 2, fence: 2 })
  })

  test('13. a run that stands still is taken, though its session lives', async () => {
    const other = await rig.instance({ itemTimeoutMs: MINUTE, graceMs: 0, stallTimeoutMs: 2 * MINUTE })
    const scheduler = await rig.instance({
      active: async () => {
        rig.pass(2 * MINUTE)
        expect((await other.turn('tidy')).result).toBeUndefined()
        rig.pass(1)
        await run(other)
      },
    })
    await scheduler.processes.register('tidy', 'a')
    expect((await run(scheduler)).state).toBe('conflict')
    expect((await other.processes.runs('tidy')).map(({ state }) => state)).toEqual(['completed', 'lost'])
  })

  test('14. what an owner left that died is marked lost, and its items that were not done are done', async () => {
    const owner = await rig.owner()
    const stuck = gate()
    const scheduler = await rig.instance(
      {
        active: async ({ name }) => {
          if (name !== 'b') return
          stuck.open()
          await new Promise(() => {})
        },
      },
      { owner },
    )
    for (const item of ['a', 'b', 'c']) await scheduler.processes.register('tidy', item)
    void scheduler.turn('tidy')
    await stuck.opened
    const processed: string[] = []
    const other = await rig.instance({ active: async ({ name }) => void processed.push(name) })
    expect((await other.turn('tidy')).result).toBeUndefined()
    await owner.die()
    expect((await run(other)).state).toBe('completed')
    expect(processed.sort()).toEqual(['b', 'c'])
    const [second, first] = await other.processes.runs('tidy')
    expect([first?.state, second?.reason, second?.slot]).toEqual(['lost', 'lost', first?.slot])
    const old = { process: 'tidy', runId: BigInt(first!.run), fence: 1n }
    const late = owner.transact((tx) =>
      writeProgress(tx, old, { stats: {}, errors: [], totalErrors: 0 }, rig.time),
    )
    await expect(late).rejects.toMatchObject({ code: 'FLOG_PROCESS_CONFLICT' })
    expect(rig.events.filter(({ kind }) => kind === 'lost')).toEqual([
      { kind: 'lost', process: 'tidy', run: first!.run },
    ])
    expect((await other.turn('tidy')).result).toBeUndefined()
  })

  test('14. what a dead owner was cleaning up is cleaned up at once by the next', async () => {
    const owner = await rig.owner()
    const stuck = gate()
    const scheduler = await rig.instance(
      {
        cleanup: async () => {
          stuck.open()
          await new Promise(() => {})
        },
      },
      { owner },
    )
    await scheduler.processes.unregister('tidy', 'a')
    void scheduler.turn('tidy')
    await stuck.opened
    await owner.die()
    await run(await rig.instance())
    expect(await rig.lists()).toEqual({ a: 'dropped' })
  })

  test('15. other settings after a run get exactly one run more', async () => {
    const seen: unknown[] = []
    const scheduler = await rig.instance({
      active: async (_, { settings }) => void seen.push(settings['days']),
    })
    await scheduler.processes.register('tidy', 'a')
    await run(scheduler)
    await scheduler.processes.update('tidy', { settings: { days: 3 } })
    await run(scheduler)
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    await scheduler.processes.update('tidy', { settings: { days: 3 } })
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    expect(seen).toEqual([undefined, 3])
  })

  test('22. an item that is cut off by the end of the collector is incomplete, and another instance goes on with it', async () => {
    const started = gate()
    const stop = new AbortController()
    const scheduler = await rig.instance({
      graceMs: 1000,
      active: async ({ name }, { signal }) => {
        if (name !== 'b') return
        started.open()
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    for (const item of ['a', 'b', 'c']) await scheduler.processes.register('tidy', item)
    const running = run(scheduler, stop.signal)
    await started.opened
    stop.abort()
    rig.pass(1000)
    rig.clock.advance(1000)
    expect(await running).toMatchObject({ state: 'incomplete', stats: { errors: 0 } })
    expect(await rig.states()).toEqual({ a: 'active completed', b: 'active incomplete', c: 'active new' })
    const processed: string[] = []
    const other = await rig.instance({ active: async ({ name }) => void processed.push(name) })
    expect((await run(other)).state).toBe('completed')
    expect(processed).toEqual(['c', 'b'])
    expect((await other.turn('tidy')).result).toBeUndefined()
    expect(await other.processes.view('tidy')).toMatchObject({
      failures: 0,
      lastRun: { reason: 'interrupted' },
    })
  })

  test('22. an item that ends in the grace that it is given is done', async () => {
    const stop = new AbortController()
    const scheduler = await rig.instance({ active: async () => stop.abort() })
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    expect((await run(scheduler, stop.signal)).state).toBe('incomplete')
    expect(await rig.states()).toEqual({ a: 'active completed', b: 'active new' })
  })

  test('23. the end of a run is written again until it is', async () => {
    const owner = await rig.owner()
    const scheduler = await rig.instance({}, { owner })
    owner.failing = { times: 2, statement: /finish_time = .*interrupted/s }
    const running = run(scheduler)
    while (rig.events.filter(({ kind }) => kind === 'trouble').length < 2) await turnTimers(rig.clock)
    await turnTimers(rig.clock)
    expect((await running).state).toBe('completed')
    expect((await scheduler.processes.view('tidy')).aggregateStats['runs']).toBe(1)
  })

  test('23. an end that cannot be written at all is written before anything else is run', async () => {
    const owner = await rig.owner()
    const scheduler = await rig.instance({}, { owner })
    owner.failing = { times: 6, statement: /finish_time = .*interrupted/s }
    const running = scheduler.turn('tidy').catch((error: unknown) => error)
    while (owner.failing.times > 0) await turnTimers(rig.clock)
    expect(await running).toMatchObject({ message: 'the database does not answer' })
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    expect((await scheduler.processes.view('tidy')).lastRun).toMatchObject({ state: 'completed' })
  })

  test('24. progress is written at intervals, however often it is told', async () => {
    const owner = await rig.owner()
    const answers: string[] = []
    const scheduler = await rig.instance(
      {
        progressMs: 1000,
        active: async (_, context) => {
          owner.statements = []
          for (let n = 0; n < 30; n++) {
            answers.push(await context.progress())
            rig.clock.advance(100)
          }
        },
      },
      { owner },
    )
    await scheduler.processes.register('tidy', 'a')
    await run(scheduler)
    expect(answers.filter((answer) => answer === 'updated')).toHaveLength(2)
    const written = owner.statements?.filter((text) => /SET progress_time/.test(text))
    expect(written).toHaveLength(3)
  })

  test('24. progress that fails is no error of the items, and is tried again soon', async () => {
    const owner = await rig.owner()
    owner.failing = { times: 1, statement: /SET progress_time/ }
    const answers: string[] = []
    const scheduler = await rig.instance(
      {
        progressMs: 60_000,
        active: async (_, context) => {
          for (const ms of [60_000, 250]) {
            rig.clock.advance(ms)
            answers.push(await context.progress())
          }
        },
      },
      { owner },
    )
    await scheduler.processes.register('tidy', 'a')
    expect(await run(scheduler)).toMatchObject({ state: 'completed', stats: { errors: 0 } })
    expect(answers).toEqual(['none', 'updated'])
  })

  test('26. after a time without instances, what was missed is one run, and is said', async () => {
    const scheduler = await rig.instance()
    await run(scheduler)
    rig.pass(5 * HOUR + 10 * MINUTE)
    await run(scheduler)
    const { lastRun, missedSlots, nextRunAt } = await scheduler.processes.view('tidy')
    expect(lastRun).toMatchObject({
      slot: '2026-03-01T05:00:00.000Z',
      missed: 4,
      latenessMs: 4 * HOUR + 10 * MINUTE,
    })
    expect({ missedSlots, nextRunAt }).toEqual({ missedSlots: 4, nextRunAt: '2026-03-01T06:00:00.000Z' })
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
    expect(rig.events).toContainEqual({ kind: 'missed', process: 'tidy', slots: 4 })
  })

  test('26. slots that are later than the catch-up window are not made up for', async () => {
    const scheduler = await rig.instance({ catchUpMs: MINUTE })
    await run(scheduler)
    rig.pass(2 * HOUR + 2 * MINUTE)
    expect(await scheduler.turn('tidy')).toEqual({ result: undefined, waitMs: 58 * MINUTE })
    expect((await scheduler.processes.view('tidy')).missedSlots).toBe(2)
    rig.pass(58 * MINUTE)
    await run(scheduler)
  })

  test('28. an instance whose clock is an hour ahead runs nothing twice', async () => {
    const ahead = new FakeClock()
    ahead.pass(HOUR)
    const both = [await rig.instance(), await rig.instance({}, { clock: ahead })]
    let runs = 0
    for (let minutes = 0; minutes < 180; minutes += 20) {
      for (const scheduler of both) if ((await scheduler.turn('tidy')).result !== undefined) runs++
      rig.pass(20 * MINUTE)
    }
    expect(runs).toBe(3)
  })

  test('a session that ends ends the run, and what it wrote stays', async () => {
    const owner = await rig.owner()
    const scheduler = await rig.instance(
      {
        active: async ({ name }) => {
          if (name === 'b') owner.expire()
        },
      },
      { owner },
    )
    for (const item of ['a', 'b', 'c']) await scheduler.processes.register('tidy', item)
    expect((await run(scheduler)).state).toBe('conflict')
    expect(await rig.states()).toEqual({ a: 'active completed', b: 'active active', c: 'active new' })
    await expect(scheduler.run(new AbortController().signal)).rejects.toThrow('the session expired')
  })

  test('a database that fails for good in the middle leaves the rest to another run', async () => {
    const owner = await rig.owner()
    const scheduler = await rig.instance({}, { owner })
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    owner.failing = { times: 6, statement: /processed_version/ }
    const running = run(scheduler)
    while (owner.failing.times > 0) await turnTimers(rig.clock)
    expect((await running).state).toBe('incomplete')
    expect((await run(scheduler)).state).toBe('completed')
    expect(await rig.states()).toEqual({ a: 'active completed', b: 'active completed' })
  })

  test('a process that nobody defined here is not run here', async () => {
    const scheduler = await rig.instance()
    await expect(scheduler.turn('other')).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
    expect(FlogError.is(new Error('plain'))).toBe(false)
  })
})

function atOnce(schedulers: readonly Scheduler[]): Promise<readonly Turn[]> {
  return Promise.all(schedulers.map((scheduler) => scheduler.turn('tidy')))
}

async function inTurns(schedulers: readonly Scheduler[], first: number): Promise<readonly Turn[]> {
  const turns: Turn[] = []
  for (const n of schedulers.keys()) {
    turns.push(await schedulers[(first + n) % schedulers.length]!.turn('tidy'))
  }
  return turns
}
