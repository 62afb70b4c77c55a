import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDirectory } from '../../src/base/directory-lock'
import { currentIdentity, identityOfPid } from '../../src/base/identity'
import type { ProcessIdentity } from '../../src/base/process-identity'
import { systemRandom } from '../../src/base/random'
import { firstLine, kill, type Program, startProgram } from '../incident/programs'

const directory = mkdtempSync(join(tmpdir(), 'flog-lock-'))
const place = join(directory, 'db')
const path = `${place}.lock`
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(() => {
  rmSync(path, { force: true })
  expect(readdirSync(directory)).toEqual([])
})

const OPTIONS = {
  random: systemRandom,
  what: 'the data directory',
  advice: 'use another one',
  lockedCode: 'FLOG_DATABASE_LOCKED',
  failedCode: 'FLOG_DATABASE_FAILED',
} as const
const lock = () => lockDirectory(place, OPTIONS)
const read = () =>
  JSON.parse(readFileSync(path, 'utf8')) as { readonly process: ProcessIdentity; readonly id: string }
const LOCKED = { code: 'FLOG_DATABASE_LOCKED' }

/** Makes the lock look as if its process could not be looked up from here. */
function rewrite(change: Partial<ProcessIdentity>): void {
  const holder = read()
  writeFileSync(path, JSON.stringify({ ...holder, process: { ...holder.process, ...change } }))
}

async function holding(where = place): Promise<Program> {
  const program = startProgram('hold-lock', where)
  await firstLine(program)
  return program
}

test('is a file beside the directory that says whose it is, until it is released', async () => {
  const held = await lock()
  expect(read().process).toEqual(currentIdentity())
  held.release()
  held.release()
  expect(existsSync(path)).toBe(false)
})

test('is refused to whoever else in the process wants it', async () => {
  const held = await lock()
  await expect(lock()).rejects.toMatchObject({ ...LOCKED, details: { pid: process.pid, liveness: 'alive' } })
  held.release()
})

test('is taken over from a process that was killed, not from one that lives', async () => {
  const program = await holding()
  await expect(lock()).rejects.toMatchObject({ ...LOCKED, details: { pid: program.pid } })
  await kill(program)
  const held = await lock()
  held.release()
})

test('is given to one of many that take it over at once', async () => {
  await kill(await holding())
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, lock))
  const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  expect(held).toHaveLength(1)
  held[0]?.release()
})

test('that another process is taking over is not taken over by a second one', async () => {
  const dead = await holding()
  const taking = await holding(join(directory, 'other'))
  await kill(dead)
  const claim = `${path}-${read().id}-dead`
  renameSync(join(directory, 'other.lock'), claim)
  await expect(lock()).rejects.toMatchObject({ ...LOCKED, details: { lock: claim, pid: taking.pid } })
  await kill(taking)
  const held = await lock()
  held.release()
})

test('is taken over after any number of processes were killed while they took it over', async () => {
  let claim = path
  for (let i = 0; i < 3; i++) {
    await kill(await holding(join(directory, `taking-${i}`)))
    renameSync(join(directory, `taking-${i}.lock`), claim)
    const { id } = JSON.parse(readFileSync(claim, 'utf8')) as { readonly id: string }
    claim = `${claim}-${id}-dead`
  }
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, lock))
  const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  expect(held).toHaveLength(1)
  held[0]?.release()
})

test('leaves nothing of processes that were killed while they made it', async () => {
  const dead = await holding()
  const { id } = read()
  linkSync(path, `${path}-${id}`)
  await kill(dead)
  const held = await lock()
  held.release()
})

describe.each([
  ['of another container', { pidNamespace: 'pid:[1]' }],
  ['of the boot before', { bootId: 'another' }],
])('of a process %s, which cannot be looked up', (_, change) => {
  test('is not taken from it while it lives, even stopped', async () => {
    const program = await holding()
    rewrite(change)
    program.kill('SIGSTOP')
    await expect(lock()).rejects.toMatchObject({ ...LOCKED, details: { liveness: 'alive' } })
    await kill(program)
    const held = await lock()
    held.release()
  })

  test('is left alone where it had no doorbell', async () => {
    const text = JSON.stringify({ process: { ...currentIdentity(), ...change }, id: 'x' })
    writeFileSync(path, text)
    await expect(lock()).rejects.toMatchObject({
      message: expect.stringContaining(`if it is not, remove ${path}`),
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })
})

test('leaves no doorbell of a process that was killed before it had the lock, but one that is new', async () => {
  const program = await holding()
  const { doorbell } = JSON.parse(readFileSync(path, 'utf8')) as { readonly doorbell: string }
  const [old, fresh] = [`${place}.${'0'.repeat(16)}`, `${place}.${'1'.repeat(16)}`]
  for (const other of [old, fresh]) linkSync(doorbell, other)
  await kill(program)
  const held = await lock()
  expect([old, fresh].map((other) => existsSync(other))).toEqual([true, true])
  held.release()
  utimesSync(old, 0, 0)
  const again = await lock()
  again.release()
  expect([old, fresh].map((other) => existsSync(other))).toEqual([false, false])
})

test.each([
  ['that is empty', ''],
  ['that says something else', '[1]'],
  ['that names nobody', '{"process":{"pid":1}}'],
])('a file %s is left alone, and the message says what to do', async (_, text) => {
  writeFileSync(path, text)
  await expect(lock()).rejects.toMatchObject({
    message: expect.stringContaining(`if it is not, remove ${path}`),
  })
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test('that another took over is not removed by who had it before', async () => {
  const held = await lock()
  const other = JSON.stringify({ process: identityOfPid(1), id: 'other' })
  writeFileSync(path, other)
  held.release()
  expect(readFileSync(path, 'utf8')).toBe(other)
})

test('a place where no file can be made is named', async () => {
  await expect(lockDirectory(join(directory, 'missing/db'), OPTIONS)).rejects.toMatchObject({
    code: 'FLOG_DATABASE_FAILED',
    message: expect.stringContaining('ENOENT'),
  })
})
