import { once } from 'node:events'
import { DATABASE_RECONNECT_MAX_MS } from '../../../src/base/limits'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { FakeClock } from '../../remote/support/fake-clock'
import { onPostgres } from '../../specs/support/databases'
import { PostgresServer, withOwnPostgres } from '../../specs/support/postgres-server'

/** What was heard, and a way to wait for the next. */
class Heard {
  readonly all: unknown[] = []
  readonly #target = new EventTarget()

  readonly hear = (payload: string | undefined): void => {
    this.all.push(payload)
    this.#target.dispatchEvent(new Event('heard'))
  }

  async count(count: number): Promise<readonly unknown[]> {
    while (this.all.length < count) await once(this.#target, 'heard')
    return this.all
  }
}

const LISTENERS = `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE query LIKE 'LISTEN "%' || $1 || '"'`

onPostgres('a listener', (urlOf) => {
  let database: Database
  let channel: string
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
  })
  beforeEach(() => {
    channel = `flog_${Math.random()}`
  })
  afterAll(() => database.close())

  const say = (text: string) => database.query('SELECT pg_notify($1, $2)', [channel, text])

  test('hears what others say, in order', async () => {
    const heard = new Heard()
    const listening = await database.listen(channel, heard.hear)
    for (const text of ['a', 'b', '']) await say(text)
    expect(await heard.count(3)).toEqual(['a', 'b', ''])
    await listening.close()
  })

  test('whose connection is lost gets another, and says that something may have been missed', async () => {
    const heard = new Heard()
    const listening = await database.listen(channel, heard.hear)
    const ended = await database.query(LISTENERS, [channel])
    expect(ended.count).toBe(1)
    expect(await heard.count(1)).toEqual([undefined])
    await say('after')
    expect(await heard.count(2)).toEqual([undefined, 'after'])
    await listening.close()
  })

  test('that one closes goes on for the others of its channel', async () => {
    const heard = [new Heard(), new Heard()] as const
    const listening = await Promise.all(heard.map(({ hear }) => database.listen(channel, hear)))
    await listening[0]?.close()
    await say('one')
    expect(await heard[1].count(1)).toEqual(['one'])
    expect(heard[0].all).toEqual([])
    await listening[1]?.close()
  })

  test('that comes while the connection is being made hears from when it was told so', async () => {
    const [first, second] = [new Heard(), new Heard()]
    const fresh = await openDatabase(await urlOf())
    const other = `${channel}_2`
    const soon = fresh.listen(channel, first.hear)
    // Turn by turn, so that it comes in each state of the other's connection.
    const late: Promise<unknown>[] = []
    for (let turn = 0; turn < 30; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      late.push(fresh.listen(`${other}_${turn}`, second.hear))
    }
    await Promise.all([soon, ...late])
    for (let turn = 0; turn < 30; turn++)
      await database.query('SELECT pg_notify($1, $2)', [`${other}_${turn}`, 'x'])
    expect(await second.count(30)).toHaveLength(30)
    await fresh.close()
  })

  test('of a database that was closed is refused', async () => {
    const closed = await openDatabase(await urlOf())
    await closed.listen(channel, () => {})
    await closed.close()
    await expect(closed.listen(channel, () => {})).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  })
})

withOwnPostgres('listeners of a server that comes and goes', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  afterAll(() => server.remove())

  test('are told that something may have been missed, also where somebody else made the new connection', async () => {
    const clock = new FakeClock()
    const database = await openDatabase(server.url, { clock })
    const [first, second] = [new Heard(), new Heard()]
    await database.listen('first', first.hear)
    await server.kill()
    await server.start()
    await database.listen('second', second.hear)
    expect(await first.count(1)).toEqual([undefined])
    await database.close()
  })

  test('are connected again, although somebody who came meanwhile could not be', async () => {
    const clock = new FakeClock()
    const database = await openDatabase(server.url, { clock })
    const heard = new Heard()
    await database.listen('first', heard.hear)
    await server.kill()
    await expect(database.listen('second', () => {})).rejects.toMatchObject({
      code: 'FLOG_DATABASE_UNREACHABLE',
    })
    await server.start()
    clock.advance(DATABASE_RECONNECT_MAX_MS)
    expect(await heard.count(1)).toEqual([undefined])
    await database.close()
    expect(clock.pending).toBe(0)
  })
})
