import { FlogError } from '../../../src/base/errors'
import type { Database, Transaction } from '../../../src/collector/store/database'
import { openDatabase } from '../../../src/collector/store/database'
import { eachDatabase, onPostgres } from '../../specs/support/databases'

const add = (tx: Transaction, key: string) =>
  tx.query(`INSERT INTO subject (kind, key) VALUES ('k', $1)`, [key])

async function keys(database: Database): Promise<readonly string[]> {
  const { rows } = await database.query<{ key: string }>('SELECT key FROM subject ORDER BY key')
  return rows.map(({ key }) => key)
}

/** As the database would, where several transactions meet. */
const collide = (tx: Transaction) =>
  tx.query(`DO $$ BEGIN RAISE EXCEPTION 'met another one' USING errcode = '40001'; END $$`)

eachDatabase('a transaction', (open) => {
  test('is committed when its function resolves, and gives what that gave', async () => {
    const database = await open()
    await expect(database.transaction(async (tx) => (await add(tx, 'a')).count)).resolves.toBe(1)
    expect(await keys(database)).toEqual(['a'])
  })

  test('is rolled back when its function rejects, and throws the same error', async () => {
    const database = await open()
    const mine = new Error('mine')
    const run = database.transaction(async (tx) => {
      await add(tx, 'a')
      throw mine
    })
    await expect(run).rejects.toBe(mine)
    expect(await keys(database)).toEqual([])
  })

  test('is run again after a serialization failure, and has its effect once', async () => {
    const database = await open()
    let runs = 0
    await database.transaction(async (tx) => {
      await add(tx, 'a')
      if (++runs < 3) await collide(tx)
    })
    expect(runs).toBe(3)
    expect(await keys(database)).toEqual(['a'])
  })

  test('is run again also when its function made another error of the failure', async () => {
    const database = await open()
    let runs = 0
    const run = database.transaction(async (tx) => {
      if (++runs < 2) {
        await collide(tx).catch(() => {
          throw new Error('hidden')
        })
      }
    })
    await expect(run).resolves.toBeUndefined()
    expect(runs).toBe(2)
  })

  test('gives up after as many repetitions as it may have', async () => {
    const database = await open()
    let runs = 0
    const run = database.transaction(
      async (tx) => {
        runs++
        await collide(tx)
      },
      { retries: 2 },
    )
    await expect(run).rejects.toMatchObject({ code: 'FLOG_DATABASE_SERIALIZATION' })
    expect(runs).toBe(3)
  })

  test('does not pretend to be committed where its function swallowed a failure', async () => {
    const database = await open()
    const run = database.transaction(async (tx) => {
      await add(tx, 'a')
      await tx.query('SELECT nothing').catch(() => {})
    })
    await expect(run).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
      details: { statement: 'SELECT nothing' },
    })
    expect(await keys(database)).toEqual([])
  })

  test('ends when its time is over, whatever its function waits for', async () => {
    const database = await open()
    let signal: AbortSignal | undefined
    const run = database.transaction(
      async (tx) => {
        signal = tx.signal
        await add(tx, 'a')
        await new Promise(() => {})
      },
      { timeoutMs: 50 },
    )
    await expect(run).rejects.toMatchObject({ code: 'FLOG_DATABASE_TIMEOUT', details: { ms: 50 } })
    expect(signal?.aborted).toBe(true)
    expect(await keys(database)).toEqual([])
  })

  test('ends when its caller gives it up', async () => {
    const database = await open()
    const caller = new AbortController()
    const run = database.transaction(
      async (tx) => {
        await add(tx, 'a')
        caller.abort(new Error('no longer wanted'))
        await new Promise(() => {})
      },
      { signal: caller.signal },
    )
    await expect(run).rejects.toMatchObject({ code: 'FLOG_ABORTED', cause: new Error('no longer wanted') })
    expect(await keys(database)).toEqual([])
  })

  test('is not begun for a caller who has given up already', async () => {
    const database = await open()
    const run = jest.fn()
    const aborted = database.transaction(run, { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
    expect(run).not.toHaveBeenCalled()
  })

  test('takes no queries when it has ended', async () => {
    const database = await open()
    const kept = await database.transaction(async (tx) => tx)
    await expect(kept.query('SELECT 1')).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  })

  test('is refused a query beside it where that would wait for ever: PGlite has one connection', async () => {
    const database = await open()
    const beside = database.transaction(() => database.query('SELECT 1'))
    const nested = database.transaction(() => database.transaction(async () => 1))
    if (database.dialect === 'pglite') {
      await expect(beside).rejects.toMatchObject({
        code: 'FLOG_DATABASE_NESTED',
        details: { statement: 'SELECT 1' },
      })
      await expect(nested).rejects.toMatchObject({ code: 'FLOG_DATABASE_NESTED' })
    } else {
      await expect(beside).resolves.toMatchObject({ count: 1 })
      await expect(nested).resolves.toBe(1)
    }
  })

  test('that has ended does not keep what it started from asking', async () => {
    const database = await open()
    let later: Promise<unknown> = Promise.resolve()
    let ended = () => {}
    const end = new Promise<void>((resolve) => {
      ended = resolve
    })
    await database.transaction(async () => {
      later = end.then(() => database.query('SELECT 1'))
    })
    ended()
    await expect(later).resolves.toMatchObject({ count: 1 })
  })

  test('leaves a connection as it was', async () => {
    const database = await open()
    await database.transaction((tx) => tx.query('SET LOCAL work_mem = 128'), { isolation: 'serializable' })
    const { rows } = await database.query('SHOW transaction_isolation')
    expect(rows).toEqual([{ transaction_isolation: 'read committed' }])
  })
})

onPostgres('on PostgreSQL, where transactions meet', (urlOf) => {
  let database: Database
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
  })
  afterAll(() => database.close())

  test('increments of 8 clients at once in serializable transactions are all counted', async () => {
    await database.query(`CREATE TABLE tally (n integer NOT NULL)`)
    await database.query('INSERT INTO tally VALUES (0)')
    const increment = async (tx: Transaction) => {
      const { rows } = await tx.query<{ n: number }>('SELECT n FROM tally')
      await tx.query('UPDATE tally SET n = $1', [(rows[0]?.n ?? 0) + 1])
    }
    const client = async () => {
      for (let i = 0; i < 10; i++)
        await database.transaction(increment, { isolation: 'serializable', retries: 100 })
    }
    await Promise.all(Array.from({ length: 8 }, client))
    await expect(database.query('SELECT n FROM tally')).resolves.toMatchObject({ rows: [{ n: 80 }] })
  })

  test('of two that wait for each other, one is run again', async () => {
    await database.query(`INSERT INTO subject (kind, key) VALUES ('d', '1'), ('d', '2')`)
    const lock = (tx: Transaction, key: string) =>
      tx.query(`SELECT 1 FROM subject WHERE kind = 'd' AND key = $1 FOR UPDATE`, [key])
    let runs = 0
    let met = () => {}
    const both = new Promise<void>((resolve) => {
      met = resolve
    })
    const crossing = (first: string, second: string) =>
      database.transaction(async (tx) => {
        await lock(tx, first)
        if (++runs >= 2) met()
        await both
        await lock(tx, second)
      })
    await Promise.all([crossing('1', '2'), crossing('2', '1')])
    expect(runs).toBe(3)
  })

  test('a statement that takes too long is ended by the database', async () => {
    const hasty = await openDatabase(await urlOf(), { statementTimeoutMs: 100 })
    const slow = hasty.query('SELECT pg_sleep(60)')
    await expect(slow).rejects.toMatchObject({
      code: 'FLOG_DATABASE_TIMEOUT',
      details: { sqlState: '57014' },
    })
    await hasty.close()
  })

  test('a query beside a transaction is taken, by another connection', async () => {
    const beside = await database.transaction(async () => database.query('SELECT 2 AS two'))
    expect(beside.rows).toEqual([{ two: 2 }])
  })

  test('a closed database says so', async () => {
    const closed = await openDatabase(await urlOf())
    await Promise.all([closed.close(), closed.close()])
    const failure = await closed.query('SELECT 1').catch((error: unknown) => error)
    expect(FlogError.is(failure, 'FLOG_CLOSED')).toBe(true)
  })
})
