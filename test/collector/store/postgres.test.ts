import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { FlogError } from '../../../src/base/errors'
import { DATABASE_CONNECT_MS, DATABASE_LISTEN_PING_MS, DATABASE_RECONNECT_MS } from '../../../src/base/limits'
import { systemRandom } from '../../../src/base/random'
import { type Database, openDatabase } from '../../../src/collector/store/database'
import { dialectOf } from '../../../src/collector/store/dialect'
import { withoutSecrets } from '../../../src/collector/store/postgres'
import { createTlsIdentity } from '../../../src/remote/certificate'
import { FakeClock } from '../../remote/support/fake-clock'
import { PostgresServer, withOwnPostgres } from '../../specs/support/postgres-server'

const ROW = `INSERT INTO subject (kind, key) VALUES ('k', $1)`

withOwnPostgres('a database in trouble', () => {
  let server: PostgresServer
  let database: Database
  /** For what is only prepared: how long that takes is no matter of these tests. */
  let patient: Database
  beforeAll(async () => {
    server = await PostgresServer.start()
    patient = await openDatabase(server.url, { statementTimeoutMs: 60_000 })
  })
  beforeEach(async () => {
    database = await openDatabase(server.url, { statementTimeoutMs: 500 })
  })
  afterEach(() => database.close())
  afterAll(async () => {
    await patient.close()
    await server.remove()
  })

  test('that is gone is said to be, with its place, and is used again when it is back', async () => {
    await database.query(ROW, ['before'])
    await server.kill()
    const gone = { code: 'FLOG_DATABASE_UNREACHABLE', details: { where: database.where } }
    await expect(database.query('SELECT 1')).rejects.toMatchObject(gone)
    await expect(database.transaction((tx) => tx.query('SELECT 1'))).rejects.toMatchObject(gone)
    await expect(openDatabase(server.url)).rejects.toMatchObject(gone)
    await server.start()
    await expect(database.query('SELECT key FROM subject')).resolves.toMatchObject({
      rows: [{ key: 'before' }],
    })
  })

  test('that goes away in a transaction has taken nothing of it', async () => {
    const run = database.transaction(async (tx) => {
      await tx.query(ROW, ['half'])
      await server.kill()
      await tx.query(ROW, ['whole'])
    })
    await expect(run).rejects.toMatchObject({ code: 'FLOG_DATABASE_UNREACHABLE' })
    await server.start()
    await expect(
      database.query(`SELECT 1 FROM subject WHERE key IN ('half', 'whole')`),
    ).resolves.toMatchObject({
      count: 0,
    })
  })

  test('that goes away over the COMMIT is said to have perhaps taken it', async () => {
    const run = database.transaction(async (tx) => {
      await tx.query(ROW, ['perhaps'])
      // Answered by nobody: the COMMIT finds a connection that is there, and a server that is not.
      server.freeze()
    })
    await expect(run).rejects.toMatchObject({
      code: 'FLOG_DATABASE_TIMEOUT',
      details: { outcome: 'unknown' },
    })
    server.thaw()
  })

  test('that is frozen is given up in time, and used again when it goes on', async () => {
    await database.query('SELECT 1')
    server.freeze()
    await expect(database.query('SELECT 1')).rejects.toMatchObject({
      code: 'FLOG_DATABASE_TIMEOUT',
      details: { where: database.where, statement: 'SELECT 1' },
    })
    server.thaw()
    await expect(database.query('SELECT 2 AS two')).resolves.toMatchObject({ rows: [{ two: 2 }] })
  })

  test('whose transaction waits for a frozen server can be given up by its caller at once', async () => {
    const caller = new AbortController()
    await database.query('SELECT 1')
    server.freeze()
    const run = database.transaction((tx) => tx.query('SELECT 1'), { signal: caller.signal })
    caller.abort()
    await expect(run).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
    server.thaw()
  })

  test('whose client was cut off gives up its statement, and the locks with it', async () => {
    await database.query(ROW, ['locked'])
    const lock = `SELECT 1 FROM subject WHERE key = 'locked' FOR UPDATE`
    const slow = await openDatabase(server.url)
    const caller = new AbortController()
    const held = slow.transaction(
      async (tx) => {
        await tx.query(lock)
        const sleeping = tx.query('SELECT pg_sleep(60)')
        caller.abort()
        await sleeping
      },
      { signal: caller.signal },
    )
    await expect(held).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
    await expect(slow.query(lock)).resolves.toMatchObject({ count: 1 })
    await slow.close()
  })

  test('that is restarted is listened to again', async () => {
    const heard: unknown[] = []
    const target = new EventTarget()
    await database.listen('news', (payload) => {
      heard.push(payload)
      target.dispatchEvent(new Event('heard'))
    })
    await server.kill()
    const again = once(target, 'heard')
    await server.start()
    await again
    const said = once(target, 'heard')
    await database.query(`NOTIFY news, 'hello'`)
    await said
    expect(heard).toEqual([undefined, 'hello'])
  })

  test('that is cut off, and does not say so, is found out by those who listen', async () => {
    const clock = new FakeClock()
    const listening = await openDatabase(server.url, { clock })
    const target = new EventTarget()
    await listening.listen('news', () => target.dispatchEvent(new Event('heard')))
    server.freeze()
    clock.advance(DATABASE_LISTEN_PING_MS)
    clock.advance(DATABASE_CONNECT_MS)
    server.thaw()
    const heard = once(target, 'heard')
    clock.advance(DATABASE_RECONNECT_MS)
    await heard
    await listening.close()
  })

  test('that takes no writes is read, and says so where it is written', async () => {
    await server.kill()
    await server.start('default_transaction_read_only=on')
    const readOnly = await openDatabase(server.url)
    await expect(readOnly.query('SELECT count(*) FROM subject')).resolves.toMatchObject({ count: 1 })
    await expect(readOnly.query(ROW, ['new'])).rejects.toMatchObject({
      code: 'FLOG_DATABASE_READ_ONLY',
      details: { where: database.where, statement: expect.stringContaining('INSERT') },
    })
    await readOnly.close()
    await server.kill()
    await server.start()
  })

  test('that ends the connection in the COMMIT is said to have perhaps taken it', async () => {
    await patient.query('CREATE TABLE deadly (n integer)')
    await patient.query(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)
    await patient.query(`CREATE CONSTRAINT TRIGGER die AFTER INSERT ON deadly
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()`)
    const run = database.transaction((tx) => tx.query('INSERT INTO deadly VALUES (1)'))
    await expect(run).rejects.toMatchObject({
      code: 'FLOG_DATABASE_UNREACHABLE',
      details: { sqlState: '57P01', statement: 'COMMIT', outcome: 'unknown' },
    })
    await expect(database.query('SELECT 1 FROM deadly')).resolves.toMatchObject({ count: 0 })
  })

  test('whose connections are all in use says so, and not that it cannot be reached', async () => {
    const single = await openDatabase(server.url, { poolSize: 1, connectTimeoutMs: 3000 })
    let end = () => {}
    const run = single.transaction(() => new Promise<void>((resolve) => (end = resolve)))
    await expect(single.query('SELECT 2')).rejects.toMatchObject({
      code: 'FLOG_DATABASE_TIMEOUT',
      message: `the database ${single.where} has no connection to spare: each of its 1 was in use for 3000 ms`,
    })
    end()
    await run
    const nested = single.transaction(() => single.query('SELECT 2'))
    await expect(nested).rejects.toMatchObject({ code: 'FLOG_DATABASE_NESTED' })
    await single.close()
  })

  test('that is frozen is closed all the same, also while it is listened to', async () => {
    const clock = new FakeClock()
    const frozen = await openDatabase(server.url, { clock })
    await frozen.listen('news', () => {})
    server.freeze()
    const closed = frozen.close()
    clock.advance(DATABASE_CONNECT_MS)
    await closed
    server.thaw()
    expect(clock.pending).toBe(0)
  })

  test('that asks for a password, or for trust in its certificate, says what is wrong, and no secret', async () => {
    const { key, certificate } = createTlsIdentity(systemRandom)
    await patient.query(`ALTER ROLE postgres PASSWORD 'rightsecret'`)
    await server.kill()
    await server.start(
      `hba_file=${server.file('hba', 'host all all 127.0.0.1/32 scram-sha-256')}`,
      'ssl=on',
      `ssl_cert_file=${server.file('cert', certificate)}`,
      `ssl_key_file=${server.file('key', key)}`,
    )
    const withPassword = (password: string, query = '') =>
      `${server.url.replace('postgres@', `postgres${password}@`)}${query}`
    const refusal = async (url: string) => {
      const error: unknown = await openDatabase(url).catch((thrown: unknown) => thrown)
      expect(FlogError.is(error, 'FLOG_DATABASE_FAILED')).toBe(true)
      expect(inspect(error, { depth: 9 })).not.toMatch(/(right|wrong)secret/)
      return (error as Error).message
    }
    expect(await refusal(withPassword(':wrongsecret'))).toMatch(
      /password authentication failed for user "postgres"/,
    )
    expect(await refusal(withPassword(''))).toMatch(/refused: it asks for a password, and none was given/)
    expect(await refusal(withPassword(':rightsecret', '?sslmode=verify-full'))).toMatch(
      /self-signed certificate: name the file of its issuer by sslrootcert=, or do without that by sslmode=no-verify/,
    )
    const trusting = await openDatabase(withPassword(':rightsecret', '?sslmode=no-verify'))
    await expect(
      trusting.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
    ).resolves.toMatchObject({
      rows: [{ ssl: true }],
    })
    await trusting.close()
    await server.kill()
    await server.start()
    expect(await refusal(`${server.url}?sslmode=verify-full`)).toMatch(
      /The server does not support SSL connections/,
    )
  })

  test('with other habits is worked with as with any other', async () => {
    const habits = ['datestyle=German', 'bytea_output=escape', 'default_transaction_isolation=serializable']
    const options = habits.map((habit) => `-c ${habit}`).join(' ')
    const other = await openDatabase(`${server.url}?options=${encodeURIComponent(options)}`)
    const { rows } = await other.query(
      `SELECT current_setting('transaction_isolation') AS level, '\\x00ff'::bytea AS bytes,
              timestamptz '2026-11-22 10:00+00' AS at`,
    )
    expect(rows).toEqual([
      { level: 'read committed', bytes: Uint8Array.of(0, 255), at: new Date('2026-11-22T10:00:00Z') },
    ])
    await other.close()
  })

  test('that cannot hold all text is refused', async () => {
    await patient.query(`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
    await expect(openDatabase(server.url.replace(/postgres$/, 'latin'))).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
      message: expect.stringMatching(
        /has the encoding LATIN1, which cannot hold all text: make one with UTF8$/,
      ),
      details: { encoding: 'LATIN1' },
    })
  })

  test('in which nothing may be made says so', async () => {
    await patient.query('CREATE ROLE guest LOGIN; CREATE SCHEMA shut; GRANT USAGE ON SCHEMA shut TO guest')
    const guest = `${server.url.replace('postgres@', 'guest@')}?options=${encodeURIComponent('-c search_path=shut')}`
    await expect(openDatabase(guest)).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
      message: expect.stringContaining('permission denied for schema shut'),
    })
  })

  test('without a database of that name, or a user, says which', async () => {
    const elsewhere = server.url.replace(/postgres$/, 'elsewhere')
    await expect(openDatabase(elsewhere)).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
      message: expect.stringContaining('database "elsewhere" does not exist'),
    })
    const nobody = server.url.replace('postgres@', 'nobody:secret@')
    const failure: unknown = await openDatabase(nobody).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'FLOG_DATABASE_FAILED' })
    expect(String(failure)).toContain('role "nobody" does not exist')
    expect(String(failure)).not.toContain('secret')
  })
})

test('opening can be given up where something takes connections and never answers', async () => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as { readonly port: number }
  const caller = new AbortController()
  silent.on('connection', () => caller.abort())
  const opening = openDatabase(`postgres://u@127.0.0.1:${port}/x`, { signal: caller.signal })
  await expect(opening).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  silent.close()
})

test.each([
  ['postgres://me:p#sssecret@db/flog', 'write # as %23'],
  ['postgres://me:secret@db:99999/flog', 'it is no URL'],
  ['postgres://me:secret@db/flog?sslrootcert=/no/such/file', '/no/such/file'],
])('%s is refused before anything is asked, and its password not shown', async (url, why) => {
  const failure: unknown = await openDatabase(url).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'FLOG_OPTION_INVALID', message: expect.stringContaining(why) })
  expect(inspect(failure, { depth: 9 })).not.toContain('secret')
})

test('a URL is shown without what is secret in it', () => {
  expect(withoutSecrets('postgres://me:pass@host:5433/db?password=x&sslmode=require')).toBe(
    'postgres://me@host:5433/db',
  )
  expect(withoutSecrets('postgresql://host/db')).toBe('postgresql://host/db')
  const hidden = [
    'me:se@cr:e[t@host/db?password=x',
    'me:12/secret@host/db',
    'me:12#secret@host/db',
    'me:12?secret@host/db',
  ]
  for (const url of hidden) {
    expect(withoutSecrets(`postgres://${url}`)).toMatch(/^postgres:\/\/(me@)?host/)
    expect(withoutSecrets(`postgres://${url}`)).not.toMatch(/se@cr|secret|password/)
  }
  expect(withoutSecrets('postgres:///db?host=/run/pg&password=x')).toBe('postgres:///db?host=/run/pg')
})

test('CockroachDB is told by its version, and a PostgreSQL that is too old is refused', () => {
  expect(dialectOf('CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu)', 'x')).toBe('cockroach')
  expect(dialectOf('PostgreSQL 15.18 (Debian 15.18-0)', 'x')).toBe('postgres')
  expect(dialectOf('EnterpriseDB Advanced Server 16.1.0', 'x')).toBe('postgres')
  expect(() => dialectOf('PostgreSQL 14.9 on x86_64', 'pg://db')).toThrow(
    expect.objectContaining({
      code: 'FLOG_DATABASE_VERSION',
      message: 'the database pg://db is PostgreSQL 14: a collector needs 15 or newer',
    }),
  )
})
