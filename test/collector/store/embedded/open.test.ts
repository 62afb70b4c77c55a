import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { watch } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, SystemClock } from '../../../../src/base/clock'
import { openDatabase } from '../../../../src/collector/store/database'
import { EMBEDDED_MAJOR } from '../../../../src/collector/store/embedded/open'
import { firstLine, kill, lines, startProgram } from '../../../incident/programs'

const directory = mkdtempSync(join(tmpdir(), 'flog-embedded-'))
afterAll(() => rmSync(directory, { recursive: true }))

const PATIENT = { statementTimeoutMs: 30_000 }

describe('a data directory', () => {
  const place = join(directory, 'deep/db')

  test('whose maker is killed is made by the next one, and holds all that was acknowledged when that is killed too', async () => {
    const parent = join(directory, 'deep')
    mkdirSync(parent)
    const maker = startProgram('open-database', place)
    for await (const { filename } of watch(parent)) if (filename === 'db.making') break
    await kill(maker)
    expect(existsSync(place)).toBe(false)
    const program = startProgram('open-database', place, 'add')
    let last = -1
    for await (const line of lines<{ readonly added?: number }>(program)) {
      last = line.added ?? last
      if (last === 200) program.kill('SIGKILL')
    }
    const database = await openDatabase(place, PATIENT)
    const { rows } = await database.query<{ n: bigint }>(
      `SELECT count(*) AS n FROM subject WHERE kind = 'added' AND key::int <= $1`,
      [last],
    )
    expect(rows[0]?.n).toBe(BigInt(last + 1))
    expect(existsSync(`${place}.lock`)).toBe(true)
    const listening = await database.listen('news', () => {})
    await database.close()
    await listening.close()
    expect(readdirSync(join(directory, 'deep'))).toEqual(['db'])
    // Making a database takes both cores for seconds.
  }, 120_000)

  test('is refused to a second one, in another process, in this one, and by another name', async () => {
    const program = startProgram('open-database', place)
    const { pid } = await firstLine<{ readonly pid: number }>(program)
    const link = join(directory, 'link')
    symlinkSync(place, link)
    for (const name of [place, link]) {
      await expect(openDatabase(name)).rejects.toMatchObject({
        code: 'FLOG_DATABASE_LOCKED',
        message: expect.stringContaining(`process ${pid} has the data directory`),
        details: { directory: place, pid, liveness: 'alive' },
      })
    }
    await kill(program)
    const database = await openDatabase(place, PATIENT)
    await expect(openDatabase(place)).rejects.toMatchObject({ code: 'FLOG_DATABASE_LOCKED' })
    await database.close()
  })

  test('outlives a statement that never ends: its thread is ended, and another one goes on', async () => {
    const { clock, hurry } = hasty()
    const database = await openDatabase(place, { statementTimeoutMs: 15_000, clock })
    hurry()
    const endless = database.query('SELECT count(*) FROM generate_series(1, 1000000000000)')
    await expect(endless).rejects.toMatchObject({ code: 'FLOG_DATABASE_TIMEOUT' })
    await answers(async () => (await database.query('SELECT 1 AS one')).rows)
    await database.close()
  })
})

test('a directory of another major version is refused, with both versions', async () => {
  const old = join(directory, 'old')
  mkdirSync(old)
  writeFileSync(join(old, 'PG_VERSION'), '16\n')
  await expect(openDatabase(old)).rejects.toMatchObject({
    code: 'FLOG_DATABASE_VERSION',
    message: expect.stringMatching(new RegExp(`made by PostgreSQL 16.*is PostgreSQL ${EMBEDDED_MAJOR}`)),
  })
  expect(existsSync(`${old}.lock`)).toBe(false)
})

test('a directory with other files in it is left alone', async () => {
  const other = join(directory, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'letter.txt'), 'dear reader')
  await expect(openDatabase(other)).rejects.toMatchObject({ code: 'FLOG_DATABASE_FAILED' })
  expect(readdirSync(other)).toEqual(['letter.txt'])
})

test('a file system of its own is refused: its lock would lie beside it, where others do not see it', async () => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
  const places = [
    '/',
    ...mounts.map((line) => line.split(' ')[4] as string).filter((place) => existsSync(place)),
  ]
  for (const place of places.slice(0, 5)) {
    await expect(openDatabase(place)).rejects.toMatchObject({
      code: 'FLOG_DATABASE_FAILED',
      message: expect.stringContaining('a file system of its own'),
      details: { directory: place },
    })
    expect(existsSync(`${place}.lock`)).toBe(false)
  }
})

test('what cannot be a directory is said to be none', async () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  await expect(openDatabase(join(file, 'db'))).rejects.toMatchObject({ code: 'FLOG_DATABASE_FAILED' })
})

/** In a hurry, what is waited for 15 s and more is waited for a tenth of that: only what never ends takes as long. */
function hasty(): { readonly clock: Clock; hurry(): void } {
  const system = new SystemClock()
  let share = 1
  const clock: Clock = {
    now: () => system.now(),
    monotonic: () => system.monotonic(),
    after: (ms, action, options) => system.after(ms >= 15_000 ? ms * share : ms, action, options),
    every: (ms, action, options) => system.every(ms, action, options),
  }
  const hurry = (): void => {
    share = 0.1
  }
  return { clock, hurry }
}

async function answers(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask()
      return
    } catch {
      // Not yet.
    }
  }
}
