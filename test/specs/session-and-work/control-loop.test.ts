import { LEASE_LOOP_GRACE_MS } from '../../../src/base/limits'
import { janitor } from '../../../src/collector/lease/janitor'
import { announce, openNotifier } from '../../../src/collector/lease/notifier'
import { Processes } from '../../../src/collector/lease/processes'
import type { Work } from '../../../src/collector/lease/work'
import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import {
  backoffs,
  Counted,
  EVEN,
  eventually,
  FastClock,
  history,
  Loops,
  latch,
  letDie,
  PROCESSES,
  PUBLISHERS,
  Sessions,
  subjects,
  take,
  Watched,
} from './support'

eachDatabase('control loops', (open) => {
  const sessions = new Sessions()
  const loops = new Loops()
  let database: Database
  beforeEach(async () => {
    database = await open()
  })

  const started = (options: Parameters<Loops['start']>[1]) => loops.start(database, options)

  /** Subjects that were done are done: what is wanted is a question of facts. */
  function doneOnce() {
    const done: string[] = []
    const finish = async (work: Work) => {
      await work.finish(
        async (tx) =>
          void (await tx.query('UPDATE subject SET kind = $2 WHERE subject_id = $1', [work.subject, 'done'])),
      )
      done.push(work.subject)
    }
    return { done, finish }
  }

  test('30. no more at the same time than it may', async () => {
    await subjects(database, 12)
    const { done, finish } = doneOnce()
    let now = 0
    let most = 0
    started({
      parallelism: 3,
      run: async (work) => {
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        await finish(work)
        now--
      },
    })
    await eventually(() => done.length === 12)
    expect(new Set(done).size).toBe(12)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(3)
  })

  test('30. it asks for work no more often than it may', async () => {
    await subjects(database, 6)
    const { done, finish } = doneOnce()
    const at: number[] = []
    started({
      rate: '200 ms, burst 4',
      run: async (work) => {
        at.push(performance.now())
        await finish(work)
      },
    })
    await eventually(() => done.length === 6)
    // Four at once; the fifth has to wait for a token, and the sixth for another one.
    expect((at[5] as number) - (at[0] as number)).toBeGreaterThanOrEqual(250)
  })

  test('30. it stops within a second, also when what it does takes no notice, and gives that back', async () => {
    const [ignorant] = await subjects(database, 2)
    const [deaf, polite] = [latch(), latch()]
    let begun = 0
    const loop = started({
      parallelism: 2,
      run: async (work) => {
        begun++
        if (work.subject === ignorant) return deaf.opened
        work.signal.addEventListener('abort', () => polite.open())
        await polite.opened
        await work.finish(async () => {})
      },
    })
    await eventually(() => begun === 2)
    loop.kill()
    // It ends although nobody lets the one that takes no notice go on; how long it waits for that is the rest of the second.
    await loop.wait()
    expect(LEASE_LOOP_GRACE_MS).toBeLessThan(1000)
    expect([...(await history(database))].sort()).toEqual([
      'canceled its control loop stopped',
      'finished',
      'started',
      'started',
    ])
    deaf.open()
  })

  test('30. under a new session after the first was lost', async () => {
    await subjects(database, 1)
    const { done, finish } = doneOnce()
    const trouble: unknown[] = []
    const metrics = new Counted()
    const killed = latch()
    started({
      clock: new FastClock(),
      metrics,
      onTrouble: (error) => trouble.push(error),
      run: async (work) => {
        if (work.attempt > 1) return finish(work)
        await database.query(`UPDATE session SET deadline = now() - interval '1 hour'`)
        await expect(work.heartbeat()).rejects.toMatchObject({ code: 'FLOG_SESSION_EXPIRED' })
        killed.open()
        // A holder that is told to stop, and does nothing more.
        await new Promise(() => {})
      },
    })
    await killed.opened
    await eventually(() => done.length === 1)
    expect(metrics.of('session_started')).toHaveLength(2)
    expect(trouble).toContainEqual(expect.objectContaining({ code: 'FLOG_SESSION_EXPIRED' }))
  })

  test('30. a database that is away for a while ends nothing', async () => {
    await subjects(database, 1)
    const { done, finish } = doneOnce()
    const trouble: unknown[] = []
    const watched = new Watched(database)
    watched.before = () => {
      throw new Error('nobody there')
    }
    started({
      clock: new FastClock(),
      database: watched,
      run: finish,
      onTrouble: (error) => trouble.push(error),
    })
    await eventually(() => trouble.length > 0)
    watched.before = () => {}
    await eventually(() => done.length === 1)
  })

  test('30. a claim that fails once does not disturb what is being done', async () => {
    await subjects(database, 2)
    const { done, finish } = doneOnce()
    const trouble: unknown[] = []
    const metrics = new Counted()
    const watched = new Watched(database)
    let asked = 0
    watched.before = (statement) => {
      if (statement.includes('fenced') && ++asked === 2) throw new Error('the connection was reset')
    }
    const second = latch()
    started({
      clock: new FastClock(),
      database: watched,
      metrics,
      parallelism: 2,
      onTrouble: (error) => trouble.push(error),
      run: async (work) => {
        if (asked > 2) second.open()
        await second.opened
        await finish(work)
      },
    })
    await eventually(() => done.length === 2)
    expect(trouble).toEqual([expect.objectContaining({ message: 'the connection was reset' })])
    expect(metrics.of('session_started')).toHaveLength(1)
  })

  test('what throws has failed; what neither finishes nor throws is given back', async () => {
    const [failing] = await subjects(database, 2)
    const seen = new Set<string>()
    const loop = started({
      run: async (work, failure) => {
        seen.add(work.subject)
        if (work.subject !== failing) return
        failure.backoff = { initialMs: 7000, jitter: 0 }
        throw new Error('bad item')
      },
    })
    await eventually(() => seen.size === 2)
    loop.kill()
    await loop.wait()
    expect(await backoffs(database)).toMatchObject([{ last: 7000n, cause: 'failed to process: bad item' }])
    expect(await history(database)).toContain('canceled')
  })

  test('a backoff that cannot be is reported, and the one of the process counts', async () => {
    await subjects(database, 1)
    const trouble: unknown[] = []
    const loop = started({
      onTrouble: (error) => trouble.push(error),
      run: async (_, failure) => {
        failure.backoff = { jitter: 7 }
        throw new Error('bad item')
      },
    })
    await eventually(async () => (await backoffs(database)).length === 1)
    loop.kill()
    await loop.wait()
    expect(await backoffs(database)).toMatchObject([{ last: 1000n, cause: 'failed to process: bad item' }])
    expect(trouble).toContainEqual(expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }))
  })

  test('an announcement wakes it at once, in whatever program it was made', async () => {
    const { done, finish } = doneOnce()
    const notifier = await openNotifier(database)
    const asked = latch()
    const retrieve = PUBLISHERS
    const watched = new Watched(database)
    watched.before = (statement) => {
      if (statement.includes('min(until)')) asked.open()
    }
    started({ database: watched, run: finish, retrieve, pollMs: 600_000, wake: notifier })
    await asked.opened
    await subjects(database, 1)
    expect(done).toEqual([])
    await announce(database, 'poll')
    await announce(database, 'classify')
    await eventually(() => done.length === 1)
    await notifier.close()
  })

  test('without announcements it looks again when a backoff is over', async () => {
    await subjects(database, 1)
    const { done, finish } = doneOnce()
    // A backoff is a second at least; chance may move the moment to the next tenth.
    const processes = new Processes([{ name: 'classify', backoff: { initialMs: 1000, jitter: 1 } }])
    started({
      processes,
      random: { ...EVEN, fraction: () => 0.05 },
      pollMs: 600_000,
      run: async (work) => {
        if (work.attempt === 1) throw new Error('the first time')
        await finish(work)
      },
    })
    await eventually(() => done.length === 1, 5000)
  })

  test('35. one subject that always fails does not keep the others waiting', async () => {
    const all = await subjects(database, 100)
    const { done, finish } = doneOnce()
    let failed = 0
    started({
      parallelism: 4,
      rate: { everyMs: 0, burst: 1 },
      run: async (work) => {
        if (work.subject !== all[0]) return finish(work)
        failed++
        throw new Error('as always')
      },
    })
    await eventually(() => done.length === 99)
    expect(new Set(done).size).toBe(99)
    expect(failed).toBeLessThanOrEqual(4)
  })

  test('the janitor takes from the dead while it runs', async () => {
    await subjects(database, 1)
    const dead = await sessions.start(database)
    await take(dead)
    await letDie(database, dead)
    const metrics = new Counted()
    const worker = janitor({ database, processes: PROCESSES, everyMs: 100, metrics })
    loops.add(worker)
    await eventually(() => metrics.of('work_expired').length === 1)
    expect(worker.report()).toMatchObject({ sessions: 1, work: 1 })
  })

  test.each([[{ parallelism: 0 }], [{ rate: 'often' }], [{ pollMs: 1 }], [{ process: 'sing' }]])(
    '%j is refused',
    (options) => {
      expect(() => started({ run: async () => {}, ...options })).toThrow(
        expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
      )
    },
  )
})
