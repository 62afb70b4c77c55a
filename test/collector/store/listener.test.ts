import { once } from 'node:events'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { onPostgres } from '../../specs/support/databases'

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

  test('of a database that was closed is refused', async () => {
    const closed = await openDatabase(await urlOf())
    await closed.listen(channel, () => {})
    await closed.close()
    await expect(closed.listen(channel, () => {})).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  })
})
