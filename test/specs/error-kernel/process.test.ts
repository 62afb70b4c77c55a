import { spawnSync } from 'node:child_process'
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorRow } from '../../../src/collector/kernel/event'
import { TYPESCRIPT } from '../../typescript'
import { newDirectory, newRig, spoolRows, stopKernels, until } from './rig'

const PROGRAM = join(__dirname, '../../../fixtures/programs/error-node.ts')

afterEach(stopKernels)

interface Ended {
  readonly status: number | null
  readonly errors: readonly ErrorRow[]
  readonly rest: string
}

/** Runs a node until it ends. */
function run(spool: string, what: string): Ended {
  const command = [...TYPESCRIPT, PROGRAM, 'one', spool, what]
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: 20_000 })
  const all = stderr.split('\n')
  const isOurs = (line: string) => line.startsWith('{"time"')
  return {
    status,
    errors: all.filter(isOurs).map((line) => JSON.parse(line) as ErrorRow),
    // Where it was thrown differs by a promise or two; what Node says of it does not.
    rest: all.filter((line) => !isOurs(line)).join('\n'),
  }
}

test.each(['reject', 'throw'])(
  '27. after "%s" the error is recorded and spooled before the exit, whose code is as ever',
  async (what) => {
    const spool = join(newDirectory(), 'spool')
    const bare = run(join(newDirectory(), 'spool'), `${what} unwatched`)
    const { status, errors, rest } = run(spool, what)
    expect(status).toBe(1)
    expect({ status, rest }).toEqual({ status: bare.status, rest: bare.rest })
    const expected = {
      part: 'process',
      level: 'error',
      message: 'one is broken',
      error: { name: 'TypeError' },
    }
    expect(errors).toMatchObject([expected])
    const work = { origin: what === 'throw' ? 'uncaughtException' : 'unhandledRejection' }
    expect(spoolRows(spool)).toMatchObject([{ ...expected, work }])
    const next = newRig({ level: 'none', spool })
    await until(next, () => next.central.rows.length === 1)
    expect(next.central.rows[0]).toMatchObject(expected)
  },
)

test('27. what is spooled at the exit is read after a line that an earlier process left half-written', async () => {
  const spool = join(newDirectory(), 'spool')
  run(spool, 'exit')
  const [name = ''] = readdirSync(spool)
  appendFileSync(join(spool, name), '{"id":"torn","par')
  run(spool, 'throw')
  const next = newRig({ level: 'none', spool })
  await until(next, () => next.central.rows.length === 2)
  expect(next.central.rows).toMatchObject([
    { part: 'main', message: 'leaving' },
    { part: 'process', message: 'one is broken' },
  ])
})

test('27. process.exit in the middle leaves in the spool what was to be forwarded', () => {
  const spool = join(newDirectory(), 'spool')
  expect(run(spool, 'exit').status).toBe(7)
  expect(spoolRows(spool)).toMatchObject([{ part: 'main', message: 'leaving' }])
})

test('27. a program that handles what is thrown decides about its exit itself', () => {
  const { status, errors } = run(join(newDirectory(), 'spool'), 'handle what is thrown')
  expect(status).toBe(9)
  expect(errors).toMatchObject([{ part: 'process', message: 'one is broken' }])
})

test('27. warnings are reported, those of recorders about themselves as of a part that goes to no recorder', () => {
  const { status, errors } = run(join(newDirectory(), 'spool'), 'warn')
  expect(status).toBe(0)
  expect(errors).toMatchObject([
    { part: 'recorder', level: 'warning', message: 'about recorders' },
    { part: 'process', level: 'warning', message: 'about something else' },
  ])
})
