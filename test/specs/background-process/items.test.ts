import { FlogError } from '../../../src/base/errors'
import { GoneError } from '../../../src/collector/process/gone-error'
import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import { gate, HOUR, MINUTE, Rig, run } from './rig'

const DAY = 24 * HOUR

eachDatabase('items of processes', (open) => {
  let database: Database
  let rig: Rig
  beforeEach(async () => {
    database = await open()
    rig = new Rig(database)
  }, 60_000)

  test('1. a run processes what is active, cleans what was unregistered, and counts', async () => {
    const seen: string[] = []
    const scheduler = await rig.instance({
      active: async ({ name, params }, context) => {
        seen.push(`active ${name} ${params['days']}`)
        context.stats(3, 'removed')
        rig.pass(1000)
      },
      cleanup: async ({ name }) => void seen.push(`cleanup ${name}`),
    })
    const { processes } = scheduler
    for (const item of ['a', 'b', 'c']) await processes.register('tidy', item, { days: 7 })
    await processes.unregister('tidy', 'c')
    const first = await run(scheduler)
    expect(first.state).toBe('completed')
    expect(seen).toEqual(['active a 7', 'active b 7', 'cleanup c'])
    expect(await rig.states()).toEqual({ a: 'active completed', b: 'active completed', c: 'dropped new' })
    const stats = {
      duration: 2000,
      errors: 0,
      runs: 1,
      'state.completed': 1,
      'work.removed': 6,
      workItems: 2,
      workItemsCleaned: 1,
    }
    expect(first.stats).toEqual(stats)
    rig.pass(HOUR)
    await run(scheduler)
    const { aggregateStats } = await processes.view('tidy')
    expect(aggregateStats).toEqual({
      ...stats,
      duration: 4000,
      runs: 2,
      'state.completed': 2,
      'work.removed': 12,
      workItems: 4,
    })
  })

  test('2. what another instance registers and unregisters during a run is merged, and done by one run more', async () => {
    const other = await rig.instance()
    const processed: string[] = []
    const told: string[] = []
    const scheduler = await rig.instance({
      progressMs: 0,
      settings: { days: 1 },
      active: async ({ name }, context) => {
        processed.push(name)
        if (processed.length > 1) return
        await other.processes.register('tidy', 'new_work')
        await other.processes.register('tidy', 'promote')
        await other.processes.unregister('tidy', 'test_process')
        await other.processes.update('tidy', { settings: { days: 2 } })
        told.push(await context.progress(), await context.progress(), `${context.settings['days']}`)
        rig.pass(1)
      },
    })
    for (const item of ['a_first', 'test_process', 'promote', 'sunset']) {
      await scheduler.processes.register('tidy', item)
    }
    for (const item of ['promote', 'sunset']) await scheduler.processes.unregister('tidy', item)
    expect((await run(scheduler)).state).toBe('completed')
    expect(told).toEqual(['merged', 'updated', '2'])
    expect(await rig.lists()).toEqual({
      a_first: 'active',
      new_work: 'active',
      promote: 'active',
      sunset: 'dropped',
      test_process: 'cleanup',
    })
    expect(processed).toEqual(['a_first'])
    await run(scheduler)
    expect(processed).toEqual(['a_first', 'new_work', 'promote', 'a_first'])
    expect((await rig.lists())['test_process']).toBe('dropped')
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
  })

  test('6. an item has a name, and parameters that can be stored', async () => {
    const { processes } = await rig.instance()
    for (const name of ['', 'a\0b', 'x'.repeat(501)]) {
      await expect(processes.register('tidy', name)).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
    }
    await expect(processes.unregister('tidy', '')).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
    for (const text of ['a\0b', '\ud800', { nested: ['\0'] }, { 'key\0': 1 }]) {
      const refused = { code: 'FLOG_OPTION_INVALID' }
      await expect(processes.register('tidy', 'a', { text })).rejects.toMatchObject(refused)
      await expect(processes.update('tidy', { settings: { text } })).rejects.toMatchObject(refused)
    }
    await expect(processes.register('tidy', '\ud800')).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
    await expect(processes.register('other', 'a')).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
    expect(await rig.states()).toEqual({})
  })

  test('7. registering the same again writes nothing, and gives what is stored', async () => {
    const { processes } = await rig.instance()
    const first = await processes.register('tidy', 'a', { days: 7, keep: ['x'] })
    const before = await processes.view('tidy')
    rig.pass(MINUTE)
    expect(await processes.register('tidy', 'a', { keep: ['x'], days: 7 })).toEqual(first)
    expect(await processes.view('tidy')).toEqual(before)
  })

  test('8. other parameters make it new, at the next version, from any list', async () => {
    const scheduler = await rig.instance()
    const { processes } = scheduler
    await processes.register('tidy', 'a', { days: 7 })
    await run(scheduler)
    expect(await processes.register('tidy', 'a', { days: 8 })).toMatchObject({ state: 'new', version: 2n })
    await processes.unregister('tidy', 'a')
    expect(await processes.register('tidy', 'a', { days: 8 })).toMatchObject({ list: 'active', version: 4n })
    await processes.unregister('tidy', 'a')
    await run(scheduler)
    expect(await rig.lists()).toEqual({ a: 'dropped' })
    expect(await processes.register('tidy', 'a', { days: 8 })).toMatchObject({ list: 'active', state: 'new' })
  })

  test('9. what nobody knows can be unregistered: it is cleaned up, and dropped', async () => {
    const cleaned: string[] = []
    const scheduler = await rig.instance({ cleanup: async ({ name }) => void cleaned.push(name) })
    await scheduler.processes.unregister('tidy', 'ghost')
    expect(await rig.lists()).toEqual({ ghost: 'cleanup' })
    await run(scheduler)
    expect(cleaned).toEqual(['ghost'])
    expect(await rig.lists()).toEqual({ ghost: 'dropped' })
  })

  test('10. unregistering twice is unregistering once', async () => {
    const scheduler = await rig.instance()
    await scheduler.processes.unregister('tidy', 'a')
    const before = await scheduler.processes.view('tidy')
    await scheduler.processes.unregister('tidy', 'a')
    expect(await scheduler.processes.view('tidy')).toEqual(before)
    await run(scheduler)
    await scheduler.processes.unregister('tidy', 'a')
    expect(await rig.lists()).toEqual({ a: 'dropped' })
  })

  test('11. what was registered in a transaction that is rolled back is not there', async () => {
    const { processes } = await rig.instance()
    const failed = database.transaction(async (tx) => {
      await processes.register('tidy', 'a', {}, tx)
      await processes.unregister('tidy', 'b', tx)
      throw new Error('the caller gave up')
    })
    await expect(failed).rejects.toThrow('the caller gave up')
    expect(await rig.states()).toEqual({})
    await database.transaction((tx) => processes.register('tidy', 'a', {}, tx))
    expect(await rig.lists()).toEqual({ a: 'active' })
  })

  test('16. ten errors of an item are kept, the next ends it; 25 of a run, and the next ends that', async () => {
    const answers: Record<string, string[]> = {}
    const scheduler = await rig.instance({
      active: async ({ name }, context) => {
        const errors = name === 'a' ? 10 : name === 'b' ? 12 : 3
        const answered = Array.from({ length: errors }, (_, n) => context.error(new Error(`${name} ${n}`)))
        answers[name] = answered
      },
    })
    for (const item of ['a', 'b', 'c', 'd', 'e']) await scheduler.processes.register('tidy', item)
    const { state, stats } = await run(scheduler)
    expect(answers['a']).toEqual(Array.from({ length: 10 }, () => 'continue'))
    expect(answers['b']).toEqual([...Array.from({ length: 10 }, () => 'continue'), 'abort', 'abort'])
    // 22 so far: the third of `c` is the 25th, the first of `d` one too many.
    expect(answers['c']).toEqual(['continue', 'continue', 'continue'])
    expect(answers['d']).toEqual(['abort', 'abort', 'abort'])
    expect(answers['e']).toBeUndefined()
    expect({ state, errors: stats['errors'] }).toEqual({ state: 'aborted', errors: 28 })
    expect(await rig.states()).toEqual({
      a: 'active incomplete',
      b: 'active aborted',
      c: 'active incomplete',
      d: 'active aborted',
      e: 'active new',
    })
    const { lastRun } = await scheduler.processes.view('tidy')
    expect(lastRun).toMatchObject({ state: 'aborted', totalErrors: 28, lastError: rig.now.toISOString() })
    expect(lastRun?.errors).toHaveLength(25)
    expect(lastRun?.errors[0]).toEqual({ item: 'a', message: 'a 0' })
    const b = (await scheduler.processes.items('tidy')).find(({ name }) => name === 'b')
    expect(b?.status).toMatchObject({ totalErrors: 12 })
    expect(b?.status['errors']).toHaveLength(10)
    // Its own errors were too many: it is left alone. Of `d` they were not.
    expect(b?.retryAt).toBe(new Date(rig.now.getTime() + MINUTE).toISOString())
  })

  test('17. an item that always fails does not keep the others waiting', async () => {
    const processed: string[] = []
    const scheduler = await rig.instance({
      active: async ({ name }, context) => {
        processed.push(name)
        rig.pass(1)
        if (name === 'a') for (let n = 0; n < 11; n++) context.error(new Error('always'))
        if (name.startsWith('bad')) for (let n = 0; n < 13; n++) context.error(new Error('often'))
      },
    })
    for (const item of ['a', 'b', 'bad1', 'bad2', 'c']) await scheduler.processes.register('tidy', item)
    expect((await run(scheduler)).state).toBe('aborted')
    expect(processed).toEqual(['a', 'b', 'bad1', 'bad2'])
    rig.pass(HOUR - 4)
    processed.length = 0
    await run(scheduler)
    // What was never processed comes first, then who waited longest.
    expect(processed[0]).toBe('c')
    const [failed] = await scheduler.processes.items('tidy')
    expect(Date.parse(failed?.retryAt ?? '') - Date.parse(failed?.processed ?? '')).toBe(2 * MINUTE)
    await scheduler.processes.runNow('tidy')
    processed.length = 0
    await run(scheduler)
    expect(processed).toEqual(['c', 'b'])
  })

  test('18. a cleanup that fails is done again; one that finds nothing is done', async () => {
    let fails = true
    const scheduler = await rig.instance({
      cleanup: async ({ name }) => {
        if (name === 'gone') throw new GoneError()
        if (fails) throw new Error('403, it says, but not as we do')
      },
    })
    for (const item of ['gone', 'stuck']) await scheduler.processes.unregister('tidy', item)
    const first = await run(scheduler)
    expect(await rig.lists()).toEqual({ gone: 'dropped', stuck: 'cleanup' })
    expect(first).toMatchObject({
      state: 'incomplete',
      stats: { errors: 1, workItemsCleaned: 1, workItemsDirty: 1 },
    })
    fails = false
    rig.pass(HOUR)
    expect((await run(scheduler)).state).toBe('completed')
    expect(await rig.lists()).toEqual({ gone: 'dropped', stuck: 'dropped' })
  })

  test('19. what is registered again while it is cleaned up stays active', async () => {
    const scheduler = await rig.instance({
      cleanup: async ({ name }) => void (await scheduler.processes.register('tidy', name)),
    })
    await scheduler.processes.unregister('tidy', 'a')
    expect((await run(scheduler)).stats['workItemsCleaned']).toBeUndefined()
    expect(await rig.states()).toEqual({ a: 'active new' })
    await run(scheduler)
    expect(await rig.states()).toEqual({ a: 'active completed' })
  })

  test('20. what is unregistered while it is processed is cleaned up, whatever came of it', async () => {
    const scheduler = await rig.instance({
      active: async ({ name }) => scheduler.processes.unregister('tidy', name),
    })
    await scheduler.processes.register('tidy', 'a')
    await run(scheduler)
    expect(await rig.lists()).toEqual({ a: 'cleanup' })
    await run(scheduler)
    expect(await rig.lists()).toEqual({ a: 'dropped' })
  })

  test('21. what gets other parameters while it is processed is due again with those', async () => {
    const days: unknown[] = []
    const scheduler = await rig.instance({
      active: async ({ name, params }) => {
        days.push(params['days'])
        await scheduler.processes.register('tidy', name, { days: 8 })
      },
    })
    await scheduler.processes.register('tidy', 'a', { days: 7 })
    await run(scheduler)
    expect(await rig.states()).toEqual({ a: 'active new' })
    await run(scheduler)
    expect(days).toEqual([7, 8])
    expect(await rig.states()).toEqual({ a: 'active completed' })
    expect((await scheduler.turn('tidy')).result).toBeUndefined()
  })

  test('27. dropped items are kept for a week', async () => {
    const scheduler = await rig.instance()
    await scheduler.processes.unregister('tidy', 'a')
    await run(scheduler)
    rig.pass(7 * DAY - 1)
    await run(scheduler)
    expect(await rig.lists()).toEqual({ a: 'dropped' })
    rig.pass(1)
    expect(await scheduler.processes.items('tidy')).toMatchObject([{ name: 'a', state: 'purged' }])
    rig.pass(HOUR)
    expect((await run(scheduler)).stats['workItemsPurged']).toBe(1)
    expect(await rig.lists()).toEqual({})
  })

  test('a worker that says nothing about too many errors of its own is not believed', async () => {
    const scheduler = await rig.instance({
      active: async (_, context) => {
        while (context.error(new Error('again')) === 'continue');
      },
    })
    await scheduler.processes.register('tidy', 'a')
    expect((await run(scheduler)).stats['workItemsAborted']).toBe(1)
    expect(await rig.states()).toEqual({ a: 'active aborted' })
  })

  test('an error that was noted and then thrown is one error', async () => {
    const scheduler = await rig.instance({
      active: async (_, context) => {
        const error = new FlogError('FLOG_WRITE_FAILED', 'the disk is full')
        context.error(error)
        throw error
      },
    })
    await scheduler.processes.register('tidy', 'a')
    expect((await run(scheduler)).stats['errors']).toBe(1)
    const { lastRun } = await scheduler.processes.view('tidy')
    expect(lastRun?.errors).toEqual([{ item: 'a', message: 'the disk is full', code: 'FLOG_WRITE_FAILED' }])
  })

  test('what a worker says of itself can be stored, whatever it is', async () => {
    const scheduler = await rig.instance({
      active: async (_, context) => {
        context.stats(Number.NaN, 'nan')
        context.stats(1, 'a\0\ud800')
        context.error(new Error(`${'x'.repeat(999)}\u{1f600}`))
        context.error(new Error('a\0b \ud800'))
        throw null
      },
    })
    await scheduler.processes.register('tidy', 'a')
    expect(await run(scheduler)).toMatchObject({ state: 'incomplete', stats: { errors: 3 } })
    const { lastRun } = await scheduler.processes.view('tidy')
    expect(lastRun?.errors.map(({ message }) => message.slice(-3))).toEqual(['xx\ufffd', 'b \ufffd', 'ull'])
    expect(rig.events.filter(({ kind }) => kind === 'trouble')).toEqual([])
  })

  test('an item that takes too long is told so, and after its grace the run goes on without it', async () => {
    const started = gate()
    const processed: string[] = []
    const scheduler = await rig.instance({
      itemTimeoutMs: 1000,
      graceMs: 100,
      active: async ({ name }, context) => {
        processed.push(name)
        if (name === 'b') return
        context.signal.addEventListener('abort', () =>
          processed.push((context.signal.reason as FlogError).code),
        )
        started.open()
        await new Promise(() => {})
      },
    })
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    const running = run(scheduler)
    await started.opened
    rig.clock.advance(1000)
    rig.clock.advance(100)
    expect(await running).toMatchObject({ state: 'incomplete', stats: { errors: 1 } })
    expect(processed).toEqual(['a', 'FLOG_PROCESS_TIMEOUT', 'b'])
    expect(await rig.states()).toEqual({ a: 'active incomplete', b: 'active completed' })
    expect(rig.clock.pending).toBe(0)
  })

  test('items are processed side by side, as many as was asked for', async () => {
    let under = 0
    let most = 0
    const scheduler = await rig.instance({
      concurrency: 3,
      active: async () => {
        most = Math.max(most, ++under)
        await database.query('SELECT 1')
        if (most < 3) await new Promise((resolve) => setImmediate(resolve))
        under--
      },
    })
    await database.query(
      `INSERT INTO process_item (process, name, list) SELECT 'tidy', 'i' || n, 'active' FROM generate_series(1, 30) n`,
    )
    expect((await run(scheduler)).stats['workItems']).toBe(30)
    expect(most).toBeLessThanOrEqual(3)
    expect(most).toBeGreaterThan(1)
    expect(new Set(Object.values(await rig.states()))).toEqual(new Set(['active completed']))
  })
})
