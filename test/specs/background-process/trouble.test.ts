import type { Backoff } from '../../../src/collector/lease/backoff'
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

  test('22. an item that does not end when it is told to is left behind, and writes nothing more', async () => {
    const started = gate()
    const over = gate()
    const late: string[] = []
    const stop = new AbortController()
    const scheduler = await rig.instance({
      graceMs: 1000,
      active: async (_, context) => {
        started.open()
        await over.opened
        const written = context.transact((tx) => tx.query(`UPDATE process SET paused = true`))
        late.push(
          await written.then(
            () => 'written',
            ({ code }) => code,
          ),
        )
      },
    })
    await scheduler.processes.register('tidy', 'a')
    const running = run(scheduler, stop.signal)
    await started.opened
    stop.abort()
    rig.clock.advance(1000)
    rig.clock.advance(1000)
    expect(await running).toMatchObject({ state: 'incomplete', stats: { errors: 0 } })
    over.open()
    while (late.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(late).toEqual(['FLOG_PROCESS_INTERRUPTED'])
    expect(await rig.states()).toEqual({ a: 'active incomplete' })
  })

  test('two schedulers of one session take no run from each other', async () => {
    const owner = await rig.owner()
    const other = await rig.instance({}, { owner })
    const taken: unknown[] = []
    const scheduler = await rig.instance(
      { active: async () => void taken.push((await other.turn('tidy')).result) },
      { owner },
    )
    for (const item of ['a', 'b']) await scheduler.processes.register('tidy', item)
    expect((await run(scheduler)).state).toBe('completed')
    expect(taken).toEqual([undefined, undefined])
  })

  test('names that cannot be stored are refused, and not looked for', async () => {
    const { processes } = await rig.instance()
    const invalid = { code: 'FLOG_OPTION_INVALID' }
    for (const name of ['a\0b', '\ud800', '\u{1f600}'.repeat(251)]) {
      await expect(processes.register(name, 'a')).rejects.toMatchObject(invalid)
      await expect(processes.register('tidy', name)).rejects.toMatchObject(invalid)
      await expect(processes.pause(name)).rejects.toMatchObject(invalid)
      await expect(processes.view(name)).rejects.toMatchObject({ code: 'FLOG_PROCESS_UNKNOWN' })
      expect(await processes.items(name, name)).toEqual([])
      expect(await processes.runs(name)).toEqual([])
    }
    await processes.register('tidy', longName())
    await expect(processes.items('tidy', '', -1)).rejects.toMatchObject(invalid)
    await expect(processes.runs('tidy', Number.NaN)).rejects.toMatchObject(invalid)
    await expect(rig.instance({ backoff: { maxAttempts: 3 } as Backoff })).rejects.toMatchObject(invalid)
    await expect(rig.instance({ catchUpMs: 999 })).rejects.toMatchObject(invalid)
    await expect(rig.instance({ catchupMs: 60_000 } as object)).rejects.toThrow('did you mean catchUpMs?')
    await expect(rig.instance({ cleanup: undefined } as object)).rejects.toMatchObject(invalid)
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

/** The longest, and one that does not get shorter in an index. */
function longName(): string {
  return Array.from({ length: 250 }, (_, n) => String.fromCodePoint(0x20000 + ((n * 7919) % 0xa000))).join('')
}

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
      urgent: database.urgent,
      transaction: (work, options) => unless(() => database.transaction(work, options)),
      listen: (channel, onNotice) => unless(() => database.listen(channel, onNotice)),
      close: () => database.close(),
    },
  }
}
