import { cancelWork, clearBackoff, listBackoffs, retryNow } from '../../../src/collector/lease/admin'
import { report, request, silent, unfulfilled } from '../../../src/collector/lease/generations'
import { Processes } from '../../../src/collector/lease/processes'
import { forget } from '../../../src/collector/lease/retention'
import { workStats } from '../../../src/collector/lease/stats'
import { NEVER } from '../../../src/collector/lease/work'
import type { Database } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import {
  backoffs,
  EVEN,
  history,
  letBackoffsPass,
  letDie,
  PROCESSES,
  PUBLISHERS,
  reapAll,
  Sessions,
  subjects,
  take,
} from './support'

const nothing = async () => {}
const TWO_TO_FIVE = { initialMs: 2000, exponent: 2, maximumMs: 5000, jitter: 0 }

eachDatabase('trouble with work', (open) => {
  const sessions = new Sessions()
  let database: Database
  beforeEach(async () => {
    database = await open()
  })

  test('11. what failed is left alone for a while that grows, and forgotten once it works', async () => {
    const ids = await subjects(database, 1)
    const session = await sessions.start(database)
    const lasts: bigint[] = []
    for (let i = 0; i < 4; i++) {
      const until = await (await take(session)).fail(TWO_TO_FIVE, 'broken')
      const [row] = await backoffs(database)
      lasts.push(row?.last ?? 0n)
      expect(row?.ms).toBeGreaterThan(Number(row?.last) - 1500)
      expect(until).toBeInstanceOf(Date)
      expect(await session.work('classify', PUBLISHERS)).toBeUndefined()
      expect(await session.work('classify', async () => ids)).toBeUndefined()
      await letBackoffsPass(database)
    }
    expect(lasts).toEqual([2000n, 4000n, 5000n, 5000n])
    await (await take(session)).finish(nothing)
    await (await take(session)).fail({ initialMs: 1000, exponent: 2, jitter: 0 }, 'again')
    await letBackoffsPass(database)
    await (await take(session)).fail({ initialMs: 1000, exponent: 2, jitter: 0 }, 'again')
    expect(await backoffs(database)).toMatchObject([{ last: 2000n, attempts: 2 }])
  })

  test('11. who wants may take it all the same', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    await (await take(session)).fail(TWO_TO_FIVE, 'broken')
    expect(await session.work('classify', PUBLISHERS, { ignoreBackoff: true })).toMatchObject({ attempt: 2 })
  })

  test('14. without a backoff it is a second each time, with a warning', async () => {
    await subjects(database, 1)
    const trouble: unknown[] = []
    const session = await sessions.start(database, { onTrouble: (error) => trouble.push(error) })
    await (await take(session)).fail({ initialMs: 60_000, jitter: 0 }, 'one')
    await letBackoffsPass(database)
    await (await take(session)).fail(undefined, 'two')
    expect(await backoffs(database)).toMatchObject([{ last: 1000n, attempts: 2, cause: 'two' }])
    expect(trouble).toEqual([expect.objectContaining({ code: 'FLOG_WORK_NO_BACKOFF' })])
  })

  test('whatever is said of a failure can be stored; what cannot be stored of a heartbeat is refused', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    await expect(work.heartbeat({ at: 'half \ud83d' })).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
    await expect(work.heartbeat({ at: '\0' })).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
    await work.fail({ jitter: 0 }, 'bad byte \0, half \ud83d')
    expect(await backoffs(database)).toMatchObject([{ cause: 'bad byte \ufffd, half \ufffd' }])
    expect((await history(database)).at(-1)).toBe('failed bad byte \ufffd, half \ufffd')
    await letBackoffsPass(database)
    const again = await take(session)
    expect(await cancelWork(database, again, 'why\0')).toBe(true)
    await session.close('why\0')
  })

  test('15. jitter moves only the moment of the next attempt', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database, { random: { ...EVEN, fraction: () => 0.999 } })
    await (await take(session)).fail({ initialMs: 100_000, jitter: 0.5 }, 'broken')
    const [row] = await backoffs(database)
    expect(row?.last).toBe(100_000n)
    expect(row?.ms).toBeGreaterThan(140_000)
    expect(row?.ms).toBeLessThan(150_000)
  })

  test('27. the reaper takes from the dead, says so, and counts it as a failure', async () => {
    await subjects(database, 2)
    const [dead, alive] = [await sessions.start(database), await sessions.start(database)]
    await take(dead)
    await take(alive)
    await letDie(database, dead)
    expect(await reapAll(database)).toEqual({ sessions: 1, work: 1, more: false })
    expect(await reapAll(database)).toEqual({ sessions: 0, work: 0, more: false })
    expect((await history(database)).at(-1)).toBe('expired its session was not heard of any more (test)')
    expect(await backoffs(database)).toMatchObject([{ last: 1000n, attempts: 1, cause: 'its holder died' }])
    expect(await alive.work('classify', PUBLISHERS)).toBeUndefined()
    const { rows } = await database.query(`SELECT 1 FROM session WHERE end_reason = 'expired'`)
    expect(rows).toHaveLength(1)
  })

  test('27. it waits for an interval beyond the deadline', async () => {
    const session = await sessions.start(database)
    await database.query(`UPDATE session SET deadline = now() - interval '59 s' WHERE session_id = $1`, [
      session.id,
    ])
    expect(await reapAll(database)).toMatchObject({ sessions: 0 })
    await database.query(`UPDATE session SET deadline = now() - interval '61 s' WHERE session_id = $1`, [
      session.id,
    ])
    expect(await reapAll(database)).toMatchObject({ sessions: 1 })
  })

  test('28. what crashes whoever works on it is tried after 1, 2, 4, 8, 16 s', async () => {
    await subjects(database, 1)
    const seen: unknown[] = []
    for (let crash = 0; crash < 5; crash++) {
      const victim = await sessions.start(database)
      const { attempt } = await take(victim)
      await letDie(database, victim)
      await reapAll(database)
      const [row] = await backoffs(database)
      seen.push([attempt, row?.last])
      const other = await sessions.start(database)
      expect(await other.work('classify', PUBLISHERS)).toBeUndefined()
      await letBackoffsPass(database)
    }
    expect(seen).toEqual([
      [1, 1000n],
      [2, 2000n],
      [3, 4000n],
      [4, 8000n],
      [5, 16_000n],
    ])
  })

  test('28. with few attempts allowed it ends on the dead list, until somebody says that it may be tried', async () => {
    const [subject] = await subjects(database, 1)
    const processes = new Processes([{ name: 'classify', backoff: { maxAttempts: 2, jitter: 0 } }])
    const options = { processes }
    const crashing = await sessions.start(database, options)
    await take(crashing)
    await letDie(database, crashing)
    await reapAll(database, processes)
    await letBackoffsPass(database)
    const failing = await sessions.start(database, options)
    const until = await (await take(failing)).fail(processes.backoffOf('classify'), 'broken')
    expect(until).toEqual(NEVER)
    await letBackoffsPass(database)
    expect(await failing.work('classify', PUBLISHERS, { ignoreBackoff: true })).toBeUndefined()
    expect(await listBackoffs(database, { dead: true, limit: 10 })).toMatchObject([
      { subject, process: 'classify', key: 'p0000', cause: 'broken', attempts: 2, deadAt: expect.any(Date) },
    ])
    expect((await workStats(database, processes)).get('classify')).toEqual({ held: 0, backedOff: 0, dead: 1 })
    expect(await retryNow(database, { subject: subject as string, process: 'classify' })).toBe(true)
    expect((await take(failing)).attempt).toBe(3)
  })

  test('28. a dead holder whose work is stolen, because no reaper runs, counts as well', async () => {
    await subjects(database, 1)
    for (let attempt = 1; attempt <= 3; attempt++) {
      const victim = await sessions.start(database)
      expect(await take(victim)).toMatchObject({ attempt })
      await letDie(database, victim)
    }
  })

  test('somebody may let it be tried at once, forget its failures, or take it from its holder', async () => {
    const [subject] = await subjects(database, 1)
    const key = { subject: subject as string, process: 'classify' }
    const session = await sessions.start(database)
    await (await take(session)).fail(TWO_TO_FIVE, 'broken')
    expect(await listBackoffs(database, { dead: false, limit: 10 })).toMatchObject([
      { ...key, lastIntervalMs: 2000 },
    ])
    expect(await retryNow(database, key)).toBe(true)
    const second = await take(session)
    expect(second.attempt).toBe(2)
    await second.fail(TWO_TO_FIVE, 'broken')
    expect(await clearBackoff(database, key)).toBe(true)
    expect(await clearBackoff(database, key)).toBe(false)
    const third = await take(session)
    expect(third.attempt).toBe(1)
    expect(await cancelWork(database, key, 'asked for')).toBe(true)
    expect(await cancelWork(database, key, 'asked for')).toBe(false)
    await expect(third.finish(nothing)).rejects.toMatchObject({ code: 'FLOG_WORK_LOST' })
    expect((await history(database)).at(-1)).toBe('canceled asked for')
    expect(await retryNow(database, key)).toBe(false)
  })

  test('history and ended sessions are forgotten when they are old', async () => {
    await subjects(database, 1)
    const [ended, alive] = [await sessions.start(database), await sessions.start(database)]
    await (await take(ended)).finish(nothing)
    await ended.close()
    expect(await forget(database)).toEqual({ history: 0, sessions: 0 })
    expect(await forget(database, { historyMs: 0, sessionsMs: 0 })).toEqual({ history: 2, sessions: 1 })
    await (await take(alive)).finish(nothing)
  })

  test('how much there is of each process, also where it is nothing', async () => {
    await subjects(database, 3)
    const session = await sessions.start(database)
    await take(session)
    await (await take(session)).fail(TWO_TO_FIVE, 'broken')
    const passed = await take(session, 'poll')
    await passed.fail(TWO_TO_FIVE, 'broken')
    await database.query(`UPDATE work_backoff SET until = now() - interval '1 s' WHERE process = 'poll'`)
    const stats = Object.fromEntries(await workStats(database, PROCESSES))
    expect(stats).toEqual({
      classify: { held: 1, backedOff: 1, dead: 0 },
      erase: { held: 0, backedOff: 0, dead: 0 },
      poll: { held: 0, backedOff: 0, dead: 0 },
    })
  })

  describe('33. what is wanted against what is', () => {
    const MIN = 60_000
    // started and heard of so many minutes ago; the generation requested and reported; unfulfilled, in need of help
    type Minutes = number | undefined
    test.each<[string, Minutes, Minutes, Minutes, Minutes, boolean, boolean]>([
      ['nothing', undefined, undefined, undefined, undefined, false, false],
      ['started now', 0, undefined, undefined, undefined, false, false],
      ['started now, heard of now', 0, 0, undefined, undefined, false, false],
      ['started long ago, heard of now', 40, 0, undefined, undefined, false, false],
      ['started long ago, never heard of', 40, undefined, undefined, undefined, false, true],
      ['started long ago, heard of a while ago', 40, 20, undefined, undefined, false, true],
      ['started now, heard of a while ago, as from before', 0, 20, undefined, undefined, false, true],
      ['requested, never started', undefined, undefined, 10, undefined, true, false],
      ['requested, reported never, silent', 40, 20, 10, undefined, true, true],
      ['requested, an older one reported, silent', 40, 20, 10, 9, true, true],
      ['requested and fulfilled, silent', 40, 20, 10, 10, false, false],
    ])('%s', async (_, started, heard, requested, reported, wanted, silently) => {
      const [subject] = await subjects(database, 1)
      const id = subject as string
      for (let i = 0; i < (requested ?? 0); i++) await request(database, id, 'install')
      if (started !== undefined) await report(database, id, 'install', { started: true })
      if (heard !== undefined) await report(database, id, 'install', { heartbeat: true })
      if (reported !== undefined) await report(database, id, 'install', { generation: BigInt(reported) })
      const ago = (minutes = 0) => minutes * MIN
      await database.query(
        `UPDATE subject_report SET started_at = started_at - $1::double precision * interval '1 ms',
                                   heartbeat_at = heartbeat_at - $2::double precision * interval '1 ms'`,
        [ago(started), ago(heard)],
      )
      const found = await database.transaction(async (tx) => [
        await unfulfilled('install')(tx),
        await silent('install')(tx),
      ])
      expect(found).toEqual([wanted ? [id] : [], silently ? [id] : []])
    })

    test('asking again makes a new generation; reporting twice changes nothing', async () => {
      const [subject] = await subjects(database, 1)
      const id = subject as string
      const session = await sessions.start(database)
      const generation = await request(database, id, 'install')
      const work = await take(session, 'classify', unfulfilled('install'))
      await work.finish(async (tx) => {
        await report(tx, id, 'install', { generation })
        await report(tx, id, 'install', { generation })
      })
      expect(await session.work('classify', unfulfilled('install'))).toBeUndefined()
      expect(await request(database, id, 'install')).toBe(generation + 1n)
      expect(await take(session, 'classify', unfulfilled('install'))).toMatchObject({ subject: id })
    })
  })
})
