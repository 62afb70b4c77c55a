import { FlogError } from '../../../src/base/errors'
import { workHistory } from '../../../src/collector/lease/admin'
import { lost } from '../../../src/collector/lease/settle'
import { putSubject, removeSubject } from '../../../src/collector/lease/subjects'
import type { Database, Transaction } from '../../../src/collector/store/database'
import { eachDatabase } from '../support/databases'
import {
  backoffs,
  Counted,
  Deaf,
  EVEN,
  history,
  letBackoffsPass,
  letDie,
  PUBLISHERS,
  Sessions,
  subjects,
  take,
  Watched,
} from './support'

const LOST = { code: 'FLOG_WORK_LOST' }
const nothing = async () => {}

function orConflict(error: unknown): undefined {
  if (!FlogError.is(error, 'FLOG_WORK_CONFLICT')) throw error
}

eachDatabase('work', (open) => {
  const sessions = new Sessions()
  let database: Database
  beforeEach(async () => {
    database = await open()
  })

  async function count(table: string): Promise<number> {
    const { rows } = await database.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${table}`)
    return Number(rows[0]?.n)
  }

  /** A write of a holder that everybody can see. */
  const write = (text: string) => async (tx: Transaction) => {
    await putSubject(tx, 'written', text)
  }

  async function written(): Promise<readonly string[]> {
    const { rows } = await database.query<{ key: string }>(
      `SELECT key FROM subject WHERE kind = 'written' ORDER BY key`,
    )
    return rows.map(({ key }) => key)
  }

  test('9. other processes may have the subject, the same one may not, until it is given back', async () => {
    const ids = await subjects(database, 1)
    const [one, other] = [await sessions.start(database), await sessions.start(database)]
    const named = async () => ids
    const work = await take(one, 'classify', named)
    const poll = await take(other, 'poll', named)
    for (const session of [one, other]) {
      await expect(session.work('classify', named)).rejects.toMatchObject({ code: 'FLOG_WORK_CONFLICT' })
      expect(await session.work('classify', PUBLISHERS)).toBeUndefined()
    }
    await work.cancel()
    await poll.cancel()
    for (const session of [one, other]) await (await take(session, 'classify', named)).cancel()
    await expect(one.work('sing', PUBLISHERS)).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
  })

  test('10. six subjects and three workers: each is done exactly once', async () => {
    const ids = await subjects(database, 6)
    const done: string[] = []
    const todo = async (tx: Transaction) => {
      const { rows } = await tx.query<{ id: string }>(
        `SELECT subject_id AS id FROM subject WHERE kind = 'publisher'`,
      )
      return rows.map(({ id }) => id)
    }
    const worker = async () => {
      const session = await sessions.start(database)
      while (done.length < 6) {
        const work = await session.work('classify', todo).catch(orConflict)
        await work?.finish(async (tx) => {
          await tx.query(`UPDATE subject SET kind = 'done' WHERE subject_id = $1`, [work.subject])
          done.push(work.subject)
        })
      }
    }
    await Promise.all([worker(), worker(), worker()])
    expect([...done].sort()).toEqual([...ids].sort())
  })

  test('10. what somebody else did between retrieval and claim is not done again', async () => {
    const ids = await subjects(database, 1)
    const [one, other] = [await sessions.start(database), await sessions.start(database)]
    let asked = 0
    const stale = async (_: Transaction, taken?: string) => {
      asked++
      return taken === undefined ? ids : []
    }
    expect(await one.work('classify', stale)).toBeUndefined()
    expect(asked).toBeGreaterThan(2)
    expect(await history(database)).toEqual([])
    await take(other)
  })

  test('13. cancelling leaves the backoff as it was', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    await (await take(session)).fail({ initialMs: 5000, jitter: 0 }, 'broken')
    await letBackoffsPass(database)
    const before = await database.query('SELECT * FROM work_backoff')
    const again = await take(session)
    expect(again.attempt).toBe(2)
    await again.cancel()
    expect((await database.query('SELECT * FROM work_backoff')).rows).toEqual(before.rows)
  })

  test('16. the history says what happened, in order, under which session, for how long, and why', async () => {
    const [subject] = await subjects(database, 1)
    const session = await sessions.start(database)
    await (await take(session)).finish(nothing)
    await (await take(session)).fail({ jitter: 0 }, 'no route')
    await letBackoffsPass(database)
    await (await take(session)).cancel()
    expect(await history(database)).toEqual([
      'started',
      'finished',
      'started',
      'failed no route',
      'started',
      'canceled',
    ])
    const entries = await workHistory(database, subject as string, 10)
    expect(new Set(entries.map(({ sessionId }) => sessionId))).toEqual(new Set([session.id]))
    expect(entries.map(({ attempt }) => attempt)).toEqual([2, 2, 1, 1, 1, 1])
    expect(entries[0]).toMatchObject({
      process: 'classify',
      event: 'canceled',
      durationMs: expect.any(Number),
    })
  })

  test('17. the history outlives its subject', async () => {
    const [subject] = await subjects(database, 1)
    const session = await sessions.start(database)
    await (await take(session)).finish(nothing)
    expect(await removeSubject(database, subject as string)).toBe(true)
    expect(await removeSubject(database, subject as string)).toBe(false)
    expect(await workHistory(database, subject as string, 10)).toHaveLength(2)
  })

  test('18. a subject that is worked on cannot be removed; backoff goes with its subject', async () => {
    const [subject] = await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    await expect(removeSubject(database, subject as string)).rejects.toMatchObject({
      code: 'FLOG_WORK_CONFLICT',
    })
    await expect(database.query('DELETE FROM subject')).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
    })
    await work.fail({}, 'broken')
    await removeSubject(database, subject as string)
    expect(await count('work_backoff')).toBe(0)
  })

  test('19. when finishing fails the work is still held, and finishing again works', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    const broken = work.finish(async (tx) => {
      await write('half')(tx)
      throw new Error('no more room')
    })
    await expect(broken).rejects.toThrow('no more room')
    expect(await session.work('classify', PUBLISHERS)).toBeUndefined()
    expect(work.signal.aborted).toBe(false)
    await work.finish(write('whole'))
    expect(await written()).toEqual(['whole'])
  })

  test('19. and cancelling works as well', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    await expect(work.finish(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    await work.cancel()
    expect((await take(session)).attempt).toBe(1)
  })

  describe('when somebody else has it by now', () => {
    async function stolen() {
      await subjects(database, 1)
      const [holder, thief] = [await sessions.start(new Deaf(database)), await sessions.start(database)]
      const work = await take(holder)
      await letDie(database, holder)
      const theirs = await take(thief)
      // The holder was only believed dead: by its own clock, and again by the database's, it lives.
      await database.query(`UPDATE session SET deadline = now() + interval '1 hour', ended_at = NULL`)
      return { work, theirs }
    }

    test('20. finishing says so, and undoes what was written with it', async () => {
      const { work, theirs } = await stolen()
      await expect(work.finish(write('late'))).rejects.toMatchObject(LOST)
      expect(await written()).toEqual([])
      expect(work.signal.aborted).toBe(true)
      await theirs.finish(nothing)
    })

    test('20. what is written under the work, and its heartbeat, are refused', async () => {
      const { work } = await stolen()
      await expect(work.transact(write('late'))).rejects.toMatchObject(LOST)
      expect(await written()).toEqual([])
      await expect(work.heartbeat()).rejects.toMatchObject(LOST)
    })

    test('21. failing says so, and writes no backoff', async () => {
      const { work } = await stolen()
      await expect(work.fail({ initialMs: 1000 }, 'late')).rejects.toMatchObject(LOST)
      expect(await backoffs(database)).toEqual([])
    })

    test('cancelling touches nothing', async () => {
      const { work, theirs } = await stolen()
      await work.cancel()
      await theirs.heartbeat()
    })
  })

  test('that other work was lost, and its holder found out in this one’s transaction, is no loss of this one', async () => {
    await subjects(database, 2)
    const session = await sessions.start(database)
    const [work, other] = [await take(session), await take(session)]
    await database.query('DELETE FROM work WHERE subject_id = $1', [other.subject])
    const reached: unknown = await work
      .finish(() => Promise.reject(lost(other)))
      .catch((error: unknown) => error)
    expect(reached).toMatchObject(LOST)
    expect(work.signal.aborted).toBe(false)
    await work.finish(nothing)
  })

  test('22. it is finished once, and never twice at the same time', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    const first = work.finish(nothing)
    await expect(work.finish(nothing)).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
    await first
    await expect(work.finish(nothing)).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
    await expect(work.fail({}, 'late')).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
    await expect(work.transact(nothing)).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
    await work.cancel()
    expect(await history(database)).toEqual(['started', 'finished'])
  })

  test('23. cancelling gives it back also when the session has expired', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    await letDie(database, session)
    await expect(session.transact(nothing)).rejects.toMatchObject({ code: 'FLOG_SESSION_EXPIRED' })
    expect(work.signal.aborted).toBe(true)
    await work.cancel()
    expect(await history(database)).toEqual(['started', 'canceled'])
  })

  test('23. cancelling while it is being finished waits for that, and gives it back when it fails', async () => {
    await subjects(database, 2)
    const session = await sessions.start(database)
    const [one, other] = [await take(session), await take(session)]
    const failing = one.finish(() => Promise.reject(new Error('no')))
    const finishing = other.finish(nothing)
    await Promise.all([one.cancel(), other.cancel(), finishing, expect(failing).rejects.toThrow('no')])
    expect([...(await history(database))].sort()).toEqual(['canceled', 'finished', 'started', 'started'])
  })

  test('23. cancelling that fails is reported, does not throw, and can be tried again', async () => {
    await subjects(database, 1)
    const trouble: unknown[] = []
    const watched = new Watched(database)
    const session = await sessions.start(watched, { onTrouble: (error) => trouble.push(error) })
    const work = await take(session)
    watched.beforeTransaction = () => {
      throw new Error('nobody there')
    }
    await work.cancel()
    expect(trouble).toEqual([expect.objectContaining({ message: 'nobody there' })])
    watched.beforeTransaction = () => {}
    await work[Symbol.asyncDispose]()
    expect(await history(database)).toEqual(['started', 'canceled'])
  })

  test.each([
    ['finds nothing', async () => []],
    ['says that there is nothing', () => Promise.reject(new FlogError('FLOG_WORK_NOTHING', 'all is done'))],
  ])('24. a retrieval that %s is no failure', async (_, retrieve) => {
    const metrics = new Counted()
    const session = await sessions.start(database, { metrics })
    expect(await session.work('classify', retrieve)).toBeUndefined()
    expect(metrics.of('transaction_failed')).toEqual([])
    await expect(session.work('classify', () => Promise.reject(new Error('bad query')))).rejects.toThrow(
      'bad query',
    )
    expect(metrics.of('transaction_failed')).toEqual(['transaction_failed test'])
  })

  test('25. retrieval and failing begin anew after a serialization failure', async () => {
    const ids = await subjects(database, 1)
    const metrics = new Counted()
    const session = await sessions.start(database, { metrics })
    let runs = 0
    const again = async (tx: Transaction) => {
      if (runs++ > 0) return
      await write('first attempt')(tx)
      await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`)
    }
    const work = await take(session, 'classify', async (tx) => {
      await again(tx)
      return ids
    })
    // In vain, once more, and again when it was taken.
    expect(runs).toBe(3)
    expect(await written()).toEqual([])
    expect(metrics.of('transaction_retried')).toEqual(['transaction_retried test'])
    // A backoff that went away between two runs is not reckoned with.
    await work.fail({ initialMs: 2000, exponent: 2, jitter: 0 }, 'one')
    await letBackoffsPass(database)
    const second = await take(session)
    await database.query('DELETE FROM work_backoff')
    await second.fail({ initialMs: 2000, exponent: 2, jitter: 0 }, 'two')
    expect(await backoffs(database)).toMatchObject([{ last: 2000n, cause: 'two' }])
  })

  test('26. the work of a dead owner is stolen, under the next fence, and the history says so', async () => {
    const [subject] = await subjects(database, 1)
    const [dead, thief] = [await sessions.start(database), await sessions.start(database)]
    const before = await take(dead)
    await before.heartbeat({ offset: 4711 })
    await letDie(database, dead)
    const after = await take(thief)
    expect(after).toMatchObject({ subject, fence: before.fence + 1n, attempt: 2, details: { offset: 4711 } })
    expect(await history(database)).toEqual(['started', 'stolen its session was dead', 'started'])
  })

  test('26. most claims take what is free first; by chance one takes what the dead hold in its turn', async () => {
    await subjects(database, 3)
    await putSubject(database, 'publisher', 'p0000', 5)
    const dead = await sessions.start(database)
    const before = await take(dead)
    await letDie(database, dead)
    expect((await take(await sessions.start(database))).subject).not.toBe(before.subject)
    const lucky = await sessions.start(database, { random: { ...EVEN, fraction: () => 0 } })
    expect(await take(lucky)).toMatchObject({ subject: before.subject, fence: before.fence + 1n })
  })

  test('26. one that is only late is left to the reaper', async () => {
    await subjects(database, 1)
    const [late, thief] = [await sessions.start(database), await sessions.start(database)]
    await take(late)
    await database.query(`UPDATE session SET deadline = now() - interval '90 s' WHERE session_id = $1`, [
      late.id,
    ])
    expect(await thief.work('classify', PUBLISHERS)).toBeUndefined()
  })

  test('29. processes that exclude each other never have a subject together', async () => {
    const ids = await subjects(database, 2)
    const session = await sessions.start(database)
    const poll = await take(session, 'poll')
    const erase = await take(session, 'erase')
    expect(erase.subject).not.toBe(poll.subject)
    expect(await session.work('poll', PUBLISHERS)).toBeUndefined()
    await expect(session.work('erase', async () => [poll.subject])).rejects.toMatchObject({
      code: 'FLOG_WORK_CONFLICT',
    })
    await take(session, 'classify', async () => [poll.subject])
    await poll.finish(nothing)
    expect((await take(session, 'erase')).subject).toBe(poll.subject)
    expect(ids).toContain(poll.subject)
  })

  test('the higher priority goes first; among equals whoever was worked on last waits longest', async () => {
    const [a, b, c] = await subjects(database, 3)
    await putSubject(database, 'publisher', 'p0002', 5)
    const session = await sessions.start(database)
    const order: string[] = []
    for (let i = 0; i < 4; i++) {
      const work = await take(session)
      order.push(work.subject)
      if (work.subject === c) await putSubject(database, 'publisher', 'p0002', -5)
      await work.finish(nothing)
    }
    expect(order).toEqual([c, a, b, a])
  })

  test('32. what is counted, with its labels', async () => {
    await subjects(database, 1)
    const metrics = new Counted()
    const session = await sessions.start(database, { metrics, component: 'claims' })
    await (await take(session)).finish(nothing)
    await (await take(session)).cancel()
    await (await take(session)).fail({}, 'broken')
    expect(metrics.seen).toEqual([
      'session_started claims',
      'work_started claims classify',
      'transaction_executed claims',
      'work_finished claims classify finished',
      'work_started claims classify',
      'work_finished claims classify canceled',
      'work_started claims classify',
      'transaction_executed claims',
      'work_finished claims classify failed',
    ])
  })

  test('34. both databases leave the same behind', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    await (await take(session, 'poll')).fail({ initialMs: 1500, exponent: 1.1, jitter: 0 }, 'one')
    await letBackoffsPass(database)
    await (await take(session, 'poll')).fail({ initialMs: 1500, exponent: 1.1, jitter: 0 }, 'two')
    expect(await backoffs(database)).toEqual([
      { ms: expect.any(Number), last: 1650n, attempts: 2, cause: 'two' },
    ])
    expect(await history(database)).toEqual(['started', 'failed one', 'started', 'failed two'])
    const { rows } = await database.query('SELECT fence FROM work_fence')
    expect(rows).toEqual([{ fence: 2n }])
  })
})
