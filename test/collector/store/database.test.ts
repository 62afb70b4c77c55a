import { FlogError } from '../../../src/base/errors'
import { openDatabase } from '../../../src/collector/store/database'
import { eachDatabase } from '../../specs/support/databases'

eachDatabase('a database', (open) => {
  test('gives bigint, time, JSON and bytes as what they are', async () => {
    const database = await open()
    const { rows } = await database.query(
      `SELECT 9007199254740993::bigint AS big, timestamptz '2026-11-22 10:00+00' AS at, '{"a":[1,null]}'::jsonb AS json,
              '\\x00ff'::bytea AS bytes, 1.5::float8 AS real, NULL::text AS nothing, array['a','b'] AS list`,
    )
    expect(rows).toEqual([
      {
        big: 9007199254740993n,
        at: new Date('2026-11-22T10:00:00Z'),
        json: { a: [1, null] },
        bytes: Uint8Array.of(0, 255),
        real: 1.5,
        nothing: null,
        list: ['a', 'b'],
      },
    ])
  })

  test('takes all kinds of values', async () => {
    const database = await open()
    const at = new Date('2026-11-22T10:00:00.123Z')
    const { rows } = await database.query(
      `SELECT $1::text AS text, $2::int AS int, $3::bigint AS big, $4::boolean AS yes, $5::timestamptz AS at,
              $6::bytea AS bytes, $7::text[] AS list, $8::jsonb AS json, $9::text AS nothing`,
      [
        "it's \\ ü😀",
        7,
        9007199254740993n,
        true,
        at,
        Uint8Array.of(1, 2),
        ['a"b', '{,}'],
        { a: { b: [1] } },
        null,
      ],
    )
    expect(rows).toEqual([
      {
        text: "it's \\ ü😀",
        int: 7,
        big: 9007199254740993n,
        yes: true,
        at,
        bytes: Uint8Array.of(1, 2),
        list: ['a"b', '{,}'],
        json: { a: { b: [1] } },
        nothing: null,
      },
    ])
  })

  test('counts the rows that a statement changed', async () => {
    const database = await open()
    const insert = await database.query(
      `INSERT INTO subject (kind, key) VALUES ('a', '1'), ('a', '2'), ('b', '1')`,
    )
    const remove = await database.query('DELETE FROM subject WHERE kind = $1', ['a'])
    expect([insert.count, remove.count]).toEqual([3, 2])
  })

  test('a row that is there already is a conflict, which names its constraint', async () => {
    const database = await open()
    const twice = database.query(`INSERT INTO subject (kind, key) VALUES ('a', '1'), ('a', '1')`)
    await expect(twice).rejects.toMatchObject({
      code: 'FLOG_DATABASE_CONFLICT',
      details: {
        constraint: 'subject_kind_key_key',
        statement: expect.stringContaining('INSERT INTO subject'),
      },
      cause: expect.objectContaining({ code: '23505' }),
    })
  })

  test('what is wrong with a statement is said with the statement and the place', async () => {
    const database = await open()
    const wrong = database.query('SELECT nothing FROM nowhere')
    await expect(wrong).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
      message: expect.stringMatching(/refused: relation "nowhere" does not exist/),
      details: { statement: 'SELECT nothing FROM nowhere', sqlState: '42P01', where: database.where },
    })
    await expect(database.query('SELECT 1 AS one')).resolves.toMatchObject({ rows: [{ one: 1 }] })
  })

  test('a notice comes when its transaction is committed, not when it is rolled back', async () => {
    const database = await open()
    const heard: unknown[] = []
    const listening = await database.listen('Some "channel"', (payload) => heard.push(payload))
    const say = (text: string, fails: boolean) =>
      database.transaction(async (tx) => {
        await tx.query('SELECT pg_notify($1, $2)', ['Some "channel"', text])
        if (fails) throw new Error('no')
      })
    await expect(say('rolled back', true)).rejects.toThrow('no')
    await say('committed', false)
    await until(() => heard.length > 0)
    await listening.close()
    await say('nobody listens', false)
    expect(heard).toEqual(['committed'])
  })

  test('queries at once are all answered', async () => {
    const database = await open()
    const numbers = Array.from({ length: 50 }, (_, index) => index)
    const answers = await Promise.all(
      numbers.map((n) => database.query<{ n: number }>('SELECT $1::int AS n', [n])),
    )
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(numbers)
  })
})

test.each([
  '',
  'mysql://me:secret@localhost/test',
  'http://localhost',
  'postgresql+driver://me:secret@localhost/test',
])('%j is no database', async (where) => {
  const failure = await openDatabase(where).catch((error: unknown) => error)
  expect(FlogError.is(failure, 'FLOG_OPTION_INVALID')).toBe(true)
  expect(String(failure)).not.toContain('secret')
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
