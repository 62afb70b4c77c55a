import { cancelWork, retryNow } from '../../../src/collector/lease/admin'
import type { Session } from '../../../src/collector/lease/session'
import type { Work } from '../../../src/collector/lease/work'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { FakeClock } from '../../remote/support/fake-clock'
import { eachDatabase, onPostgres } from '../support/databases'
import {
  Counted,
  history,
  latch,
  letDie,
  letTimePass,
  PUBLISHERS,
  reapAll,
  Sessions,
  sleep,
  subjects,
  take,
  Watched,
} from './support'

const works = async (session: Session) => session.transact(async () => 'works')
const EXPIRED = expect.objectContaining({ code: 'FLOG_SESSION_EXPIRED' })

/** A PostgreSQL that is taken for one: what is done differently for it can be done here as well. */
class Cockroach extends Watched {
  override get dialect() {
    return 'cockroach' as const
  }
}

eachDatabase('sessions', (open) => {
  const sessions = new Sessions()
  let database: Database
  beforeEach(async () => {
    database = await open()
  })

  /** A session of a minute on a clock that is turned by hand; its first heartbeat is due after 20 s. */
  async function onFakeClock() {
    const clock = new FakeClock()
    const watched = new Watched(database)
    return { clock, watched, session: await sessions.start(watched, { clock }) }
  }

  test('1. a session works while its heart beats, and has expired some time after it stopped', async () => {
    const { clock, watched, session } = await onFakeClock()
    expect(await works(session)).toBe('works')
    for (let beat = 1; beat <= 4; beat++) {
      await letTimePass(database, 20_000)
      clock.advance(20_000)
      await watched.answered(beat + 1)
    }
    expect(await works(session)).toBe('works')
    // A program that hangs: its timers do not fire.
    clock.pass(60_000)
    await expect(works(session)).rejects.toEqual(EXPIRED)
    expect(session.expired).toBe(true)
    expect(session.signal.aborted).toBe(true)
  })

  test('1. and for the database as well, by its own time', async () => {
    const session = await sessions.start(database, { clock: new FakeClock() })
    await letTimePass(database, 59_000)
    expect(await works(session)).toBe('works')
    await letTimePass(database, 1000)
    await expect(works(session)).rejects.toEqual(EXPIRED)
  })

  test('2. one heartbeat that fails does not end it, and the next one comes soon', async () => {
    const { clock, watched, session } = await onFakeClock()
    watched.before = () => {
      watched.before = () => {}
      throw new Error('the database was restarted')
    }
    clock.advance(20_000)
    await watched.answered(2)
    // Nothing was confirmed, so nothing was extended: 59 of the 60 s, less 20.
    expect(session.remainingMs).toBe(39_000)
    clock.advance(6_000)
    await watched.answered(3)
    expect(session.remainingMs).toBe(59_000)
    expect(await works(session)).toBe('works')
  })

  test('3. a database that is away longer than the interval ends it, before the database would', async () => {
    const { clock, watched, session } = await onFakeClock()
    watched.before = () => {
      throw new Error('nobody there')
    }
    for (let passed = 0; passed < 58_500; passed += 500) {
      clock.advance(500)
      await new Promise(setImmediate)
    }
    expect(session.signal.aborted).toBe(false)
    clock.advance(500)
    expect(session.signal.aborted).toBe(true)
    expect(session.signal.reason).toMatchObject({
      code: 'FLOG_SESSION_EXPIRED',
      cause: { message: 'nobody there' },
    })
    // At a third first, then about every tenth: neither a storm nor silence.
    expect(watched.calls).toBeGreaterThanOrEqual(6)
    expect(watched.calls).toBeLessThanOrEqual(10)
    const { rows } = await database.query('SELECT 1 FROM session WHERE deadline > now()')
    expect(rows).toHaveLength(1)
  })

  test('3. a database that does not answer at all ends it as well', async () => {
    const { clock, watched, session } = await onFakeClock()
    const answer = latch()
    watched.before = () => answer.opened
    clock.advance(60_000)
    expect(session.signal.aborted).toBe(true)
    answer.open()
    await new Promise(setImmediate)
    expect(session.expired).toBe(true)
  })

  test('4. a step of the wall clock does not end it', async () => {
    class Stepping extends FakeClock {
      stepUs = 0
      override now(): number {
        return super.now() + this.stepUs
      }
    }
    const clock = new Stepping()
    const session = await sessions.start(database, { clock })
    for (const days of [1, -2, 400]) {
      clock.stepUs = days * 86_400e6
      clock.advance(1000)
      expect(await works(session)).toBe('works')
    }
  })

  test('5. two sessions of one process do not depend on each other', async () => {
    await subjects(database, 2)
    const [one, other] = [await sessions.start(database), await sessions.start(database)]
    const mine = await take(one)
    const theirs = await take(other)
    expect(mine.subject).not.toBe(theirs.subject)
    await one.close()
    expect(mine.signal.aborted).toBe(true)
    expect(theirs.signal.aborted).toBe(false)
    expect(await works(other)).toBe('works')
    await theirs.finish(async () => {})
  })

  test('6. closing gives back at once what it holds', async () => {
    await subjects(database, 1)
    const [one, other] = [await sessions.start(database), await sessions.start(database)]
    const work = await take(one)
    expect(await other.work('classify', PUBLISHERS)).toBeUndefined()
    await one.close('maintenance')
    expect(work.signal.aborted).toBe(true)
    expect((await take(other)).fence).toBe(work.fence + 1n)
    expect(await history(database)).toEqual(['started', 'canceled maintenance', 'started'])
    const { rows } = await database.query(
      `SELECT 1 FROM session WHERE ended_at IS NOT NULL AND end_reason = 'maintenance'`,
    )
    expect(rows).toHaveLength(1)
    await one.close()
  })

  test('6. closing lets a transaction that is under way end', async () => {
    const session = await sessions.start(database)
    const held = latch()
    const running = session.transact(() => held.opened)
    const closing = session.close()
    held.open()
    await expect(running).resolves.toBeUndefined()
    await closing
  })

  test('6. closing breaks off a transaction that never ends, and gives back what it held', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    const begun = latch()
    const running = work.finish(async () => {
      begun.open()
      await new Promise(() => {})
    })
    await begun.opened
    await Promise.all([session.close('closed', 10), expect(running).rejects.toEqual(EXPIRED)])
    expect(await history(database)).toEqual(['started', 'canceled closed'])
  })

  test('6. also one that its caller can break off, which ends that one only', async () => {
    const session = await sessions.start(database)
    const [mine, ended] = [new AbortController(), latch()]
    const never = (controller: AbortController) =>
      session.transact(async () => ended.open() ?? new Promise(() => {}), { signal: controller.signal })
    const given = never(mine)
    await ended.opened
    mine.abort()
    await expect(given).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
    expect(await works(session)).toBe('works')
    const running = never(new AbortController())
    await Promise.all([session.close('closed', 10), expect(running).rejects.toEqual(EXPIRED)])
  })

  test('7. a session whose row is gone has expired, and its work with it', async () => {
    await subjects(database, 1)
    const session = await sessions.start(database)
    const work = await take(session)
    await database.query('DELETE FROM session')
    await expect(work.finish(async () => {})).rejects.toEqual(EXPIRED)
    expect(work.signal.aborted).toBe(true)
    await work.cancel()
    await session.close()
    expect(await history(database)).toEqual(['started'])
  })

  test('7. after closing, or when it has expired, nothing reaches the database', async () => {
    const watched = new Watched(database)
    const closed = await sessions.start(watched)
    await closed.close()
    const clock = new FakeClock()
    const expired = await sessions.start(watched, { clock })
    clock.pass(59_000)
    const before = watched.calls
    for (const session of [closed, expired]) {
      await expect(works(session)).rejects.toEqual(EXPIRED)
      await expect(session.work('poll', PUBLISHERS)).rejects.toEqual(EXPIRED)
    }
    expect(watched.calls).toBe(before)
  })

  test('7. a session that the database ended finds out, and stays ended', async () => {
    const metrics = new Counted()
    const session = await sessions.start(database, { metrics })
    await subjects(database, 1)
    await letDie(database, session)
    await expect(works(session)).rejects.toEqual(EXPIRED)
    await database.query(`UPDATE session SET deadline = now() + interval '1 hour'`)
    await expect(works(session)).rejects.toEqual(EXPIRED)
    expect(metrics.of('session_expired')).toHaveLength(1)
  })

  test('7. claiming notices as well that the session has ended', async () => {
    await subjects(database, 1)
    for (const process of ['classify', 'poll']) {
      const session = await sessions.start(database)
      await letDie(database, session)
      await expect(session.work(process, PUBLISHERS)).rejects.toEqual(EXPIRED)
      expect(session.expired).toBe(true)
    }
  })

  test('a heartbeat tells the holder that its work was taken', async () => {
    const { clock, watched, session } = await onFakeClock()
    await subjects(database, 2)
    const [taken, kept] = [await take(session), await take(session)]
    await database.query('DELETE FROM work WHERE subject_id = $1', [taken.subject])
    clock.advance(20_000)
    await watched.answered(4)
    expect(taken.signal.aborted).toBe(true)
    expect(kept.signal.aborted).toBe(false)
    await expect(taken.finish(async () => {})).rejects.toMatchObject({ code: 'FLOG_WORK_LOST' })
  })

  describe('whoever loses its work is told at once, and not at the next heartbeat:', () => {
    const AN_HOUR = { intervalMs: 3_600_000 }
    const HEARD = 'hears of losses'

    /** Work of a session that listens by now. */
    async function heldByListener(): Promise<Work> {
      await subjects(database, 1)
      const work = await take(await sessions.start(database, AN_HOUR))
      await listening(HEARD)
      return work
    }

    /** Listening begins beside all else: what is told after this has come to whoever listened before it. */
    async function listening(payload: string): Promise<void> {
      const told = latch()
      const ears = await database.listen('flog_lost', (heard) => heard === payload && told.open())
      await database.query('SELECT pg_notify($1, $2)', ['flog_lost', payload])
      await told.opened
      await ears.close()
    }

    const aborted = (signal: AbortSignal) =>
      signal.aborted || new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

    test('it was cancelled', async () => {
      const work = await heldByListener()
      await cancelWork(database, work, 'asked for')
      await aborted(work.signal)
      expect(work.signal.reason).toMatchObject({ code: 'FLOG_WORK_LOST' })
    })

    test('it was stolen', async () => {
      const work = await heldByListener()
      await database.query(`UPDATE session SET deadline = now() - interval '4 hours'`)
      await take(await sessions.start(database))
      await aborted(work.signal)
      expect(work.signal.reason).toEqual(EXPIRED)
    })

    test('it was taken by the reaper', async () => {
      const work = await heldByListener()
      await database.query(`UPDATE session SET deadline = now() - interval '2 hours'`)
      await reapAll(database)
      await aborted(work.signal)
      expect(work.signal.reason).toEqual(EXPIRED)
    })

    test('but not where the database has no NOTIFY', async () => {
      const [subject] = await subjects(database, 1)
      const key = { subject: subject as string, process: 'classify' }
      const said: string[] = []
      const silent = new Cockroach(database)
      silent.before = (statement) => void said.push(statement)
      const holder = await sessions.start(silent)
      await (await take(holder)).fail({ jitter: 0 }, 'broken')
      expect(await retryNow(silent, key)).toBe(true)
      await take(holder)
      await letDie(database, holder)
      await take(await sessions.start(silent))
      expect(said.length).toBeGreaterThan(3)
      expect(said.filter((statement) => statement.includes('pg_notify'))).toEqual([])
    })
  })

  test.each([0, 999, 1.5, Number.NaN, 3_600_001])('an interval of %s is refused', async (intervalMs) => {
    await expect(sessions.start(database, { intervalMs })).rejects.toMatchObject({
      code: 'FLOG_OPTION_INVALID',
    })
  })
})

onPostgres('sessions of which two statements run at once', (urlOf) => {
  const sessions = new Sessions()
  let database: Database
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
  })
  afterAll(() => database.close())

  test('8. the reaper leaves a session alone while one of its transactions is under way', async () => {
    const [subject] = await subjects(database, 1)
    const zombie = await sessions.start(database)
    const work = await take(zombie)
    await work.transact(async (tx) => {
      await letDie(database, zombie)
      expect(await reapAll(database)).toMatchObject({ sessions: 0, work: 0 })
      await tx.query('UPDATE subject SET key = $2 WHERE subject_id = $1', [
        subject as string,
        'written by the zombie',
      ])
    })
    expect(await reapAll(database)).toMatchObject({ sessions: 1, work: 1 })
    await expect(work.transact(async () => {})).rejects.toEqual(EXPIRED)
    expect(await history(database)).toEqual(['started', expect.stringMatching(/^expired .*not heard of/)])
  })

  test('8. where a session cannot be held on to, what was written until it died is undone', async () => {
    const zombie = await sessions.start(new Cockroach(database))
    const written = zombie.transact(async (tx) => {
      await tx.query(`INSERT INTO subject (kind, key) VALUES ('written', 'by the zombie')`)
      await letDie(database, zombie)
      expect(await reapAll(database)).toMatchObject({ sessions: 1 })
    })
    await expect(written).rejects.toEqual(EXPIRED)
    expect((await database.query(`SELECT 1 FROM subject WHERE kind = 'written'`)).rows).toEqual([])
  })

  test('8. a claim waits for a transaction that locks the work, and steals nothing that was finished in it', async () => {
    await database.query('TRUNCATE subject CASCADE')
    await subjects(database, 1)
    const [zombie, thief] = [await sessions.start(database), await sessions.start(database)]
    const work = await take(zombie)
    let stolen: Promise<unknown> = Promise.resolve()
    await work.finish(async () => {
      await letDie(database, zombie)
      stolen = thief.work('classify', PUBLISHERS)
      await sleep(100)
    })
    expect(await stolen).toMatchObject({ fence: work.fence + 1n, attempt: 1 })
    expect((await history(database)).slice(-3)).toEqual(['started', 'finished', 'started'])
  })
})
