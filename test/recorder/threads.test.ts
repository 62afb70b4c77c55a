import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from '../../fixtures/programs/threads'
import { SystemClock } from '../../src/base/clock'
import { adoptOrphans } from '../../src/incident/adopt'
import { readBlackBoxState } from '../../src/incident/black-box/read'
import { IncidentDirectory } from '../../src/incident/directory'
import { type Parsed, parsed } from '../incident/parsing'
import { bundle } from './bundle'
import { messages } from './rig'

const BUILT = join(__dirname, '../../dist/src/index.js')
const root = mkdtempSync(join(tmpdir(), 'flog-threads-'))
let program: string
beforeAll(() => {
  program = bundle('threads', root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

let directory: string
let child: ChildProcess
beforeEach(() => {
  directory = mkdtempSync(join(root, 'incidents-'))
})
afterEach(() => {
  child.kill('SIGKILL')
})

const OPTIONS = {
  limits: { coolDownMs: 0 },
  sidecar: { healthMs: 0 },
  reporter: { postTrigger: { events: 1000, ms: 60_000 } },
}

async function begin(options: object = OPTIONS): Promise<void> {
  child = fork(program, [BUILT, directory, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  await tell('a', 'start')
  await tell('b', 'start')
}

async function tell(to: string, say: Order['say'], rest: Partial<Order> = {}): Promise<unknown> {
  const answer = once(child, 'message')
  child.send({ to, say, ...rest } satisfies Order)
  return (await answer)[0]
}

const log = (to: string, message: string): Promise<unknown> => tell(to, 'log', { message })
const fail = (to: string, message: string): Promise<unknown> =>
  tell(to, 'log', { message, severity: 'error' })

/** The last event that the black box speaks of; -1 while there is none. */
async function published(): Promise<number> {
  const [name] = files('.blackbox.flog')
  if (name === undefined) return -1
  return (await readBlackBoxState(join(directory, name))).superblock?.published ?? -1
}

function files(suffix: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith(suffix))
}

function read(name: string | undefined): Parsed {
  return parsed(readFileSync(join(directory, name ?? 'none')))
}

/** Waits for what other threads do on their own; jest's own limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10)
}

/** The trigger and further ones. Whether these are marked in the file depends on which came first, event or word of it. */
function triggers({ events, header, trailer }: Parsed): string[] {
  const seqs = [header?.trigger.event, ...(trailer?.furtherTriggers ?? [])].map((trigger) => trigger?.seq)
  return events.filter(({ seq }) => seqs.includes(seq)).map(({ message }) => message)
}

const threads = ({ events }: Parsed): (number | undefined)[] => events.map(({ thread }) => thread)

test('an incident of a worker holds what the main thread and the other worker logged before and after it', async () => {
  await begin()
  await log('a', 'a before')
  await log('main', 'main before')
  await log('b', 'b before')
  await fail('a', 'trigger')
  await log('main', 'main after')
  await log('b', 'b after')
  await log('a', 'a after')
  const [name] = files('.incident.flog')
  await until(() => read(name).events.length === 7)
  await tell('a', 'close')
  const file = read(files('.gz')[0])
  const before = ['a before', 'main before', 'b before', 'trigger']
  expect(messages(file).slice(0, 4)).toEqual(before)
  const inOrder = [...file.events].sort((one, other) => one.seq - other.seq)
  expect(messages({ ...file, events: inOrder })).toEqual([...before, 'main after', 'b after', 'a after'])
  const [a, main, b] = threads(file)
  expect([a, main, b]).toEqual([expect.any(Number), undefined, expect.any(Number)])
  expect(new Set(threads(file))).toEqual(new Set([a, main, b]))
  expect(file.header?.trigger.event.thread).toBe(a)
  const written = file.header?.rings.filter(({ events }) => events > 0).map(({ thread }) => thread)
  expect(new Set(written)).toEqual(new Set([0, a, b]))
  expect(file.trailer).toMatchObject({ reason: 'closed', lost: 0, events: { total: 7, after: 3 } })
})

test('what fails in other threads while one reports is a further trigger of its incident, whoever that is', async () => {
  await begin()
  await fail('a', 'first')
  await fail('main', 'second')
  await fail('b', 'third')
  await tell('a', 'close')
  await fail('main', 'first again')
  await fail('b', 'second again')
  await tell('main', 'close')
  const [ofWorker, ofMain, ...others] = files('.gz').map(read)
  expect(others).toEqual([])
  expect(triggers(ofWorker as Parsed)).toEqual(['first', 'second', 'third'])
  expect(triggers(ofMain as Parsed)).toEqual(['first again', 'second again'])
  expect(ofMain?.trailer?.furtherTriggers).toMatchObject([{ kind: 'event', reason: 'error event' }])
})

test('a worker that joins while a window is open is part of it', async () => {
  await begin()
  await fail('main', 'trigger')
  await tell('c', 'start')
  await log('c', 'from c')
  await fail('c', 'failed in c')
  await tell('main', 'close')
  const file = read(files('.gz')[0])
  expect(messages(file)).toEqual(['trigger', 'from c', 'failed in c'])
  expect(triggers(file)).toEqual(['trigger', 'failed in c'])
})

test('the incident of a worker that is terminated in its window is finished, and the next one can begin', async () => {
  await begin()
  await fail('a', 'trigger')
  await log('a', 'last words')
  await tell('a', 'terminate')
  await until(() => files('.gz').length === 1 && files('.incident.flog').length === 0)
  const left = read(files('.gz')[0])
  expect(messages(left)).toEqual(['trigger', 'last words'])
  expect(left.verdict).toMatchObject({ state: 'whole', damage: [] })
  await fail('main', 'next')
  await tell('main', 'close')
  const [, next] = files('.gz').map(read)
  expect(next?.header?.relatedTo).toBeUndefined()
  expect(messages(next as Parsed)).toEqual(['trigger', 'last words', 'next'])
})

test.each([
  ['process.exit()', 'exit', { exit: 7 }],
  ['an error', 'throw', { exit: 1 }],
] as const)(
  'a worker that ends by %s in its window leaves a whole incident, which another thread finishes',
  async (_, ending, ended) => {
    await begin()
    await fail('a', 'trigger')
    await log('a', 'last words')
    expect(await tell('a', ending, { message: 'thrown' })).toEqual(ended)
    await until(() => files('.gz').length === 1 && files('.incident.flog').length === 0)
    const file = read(files('.gz')[0])
    expect(messages(file).slice(0, 2)).toEqual(['trigger', 'last words'])
    expect(file.trailer?.reason).toBe('exit')
  },
)

test('after kill -9 the black box has the events of all threads', async () => {
  await begin()
  await log('a', 'from a')
  await log('b', 'from b')
  await log('main', 'from main')
  // Numbers begin with 0.
  while ((await published()) < 2) await pause(10)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { adopted } = await adoptOrphans(new IncidentDirectory({ path: directory }), {
    clock: new SystemClock(),
  })
  expect(adopted).toHaveLength(1)
  const file = read(files('.gz')[0])
  expect(messages(file)).toEqual(expect.arrayContaining(['from a', 'from b', 'from main']))
  expect(new Set(threads(file)).size).toBe(3)
})

describe('of many workers that are there for a moment', () => {
  const bands = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  const smallest = Object.fromEntries(bands.map((band) => [band, '64kb']))
  const facilities = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`facility${i}`, smallest]))
  /** 186 rings a thread: the black box has room for those of five. */
  const MANY_RINGS = {
    ...OPTIONS,
    rings: smallest,
    facilities,
    reporter: { postTrigger: { events: 0, ms: 0 } },
  }
  const WORKERS = 6
  let logged = 0

  async function logs(to: string, message: string): Promise<void> {
    await log(to, message)
    logged++
  }

  /** Waits until the black box was written after all that was logged so far. */
  async function kept(): Promise<void> {
    // A superblock may speak of an event that came after its ring was copied; the next one does not.
    for (let i = 0; i < 2; i++) {
      await logs('main', 'tick')
      while ((await published()) < logged - 1) await pause(5)
    }
  }

  test.each([
    ['terminated', ['terminate']],
    ['closed', ['close', 'stop']],
  ] as const)(
    'and are %s, incidents have the last ones, and the black box is never full',
    async (_, ending) => {
      logged = 0
      await begin(MANY_RINGS)
      await logs('main', 'from main')
      for (let i = 0; i < WORKERS; i++) {
        await tell(`worker ${i}`, 'start')
        await logs(`worker ${i}`, `from worker ${i}`)
        await kept()
        for (const say of ending) await tell(`worker ${i}`, say)
      }
      const last = ['from main', `from worker ${WORKERS - 2}`, `from worker ${WORKERS - 1}`]
      await fail('main', 'it fails')
      logged++
      await kept()
      expect(await tell('main', 'told')).not.toContain('FLOG_BLACK_BOX_REFUSED')
      child.kill('SIGKILL')
      await once(child, 'exit')
      await adoptOrphans(new IncidentDirectory({ path: directory }), { clock: new SystemClock() })
      const incidents = files('.gz').map(read)
      expect(incidents.map(({ header }) => header?.trigger.kind).sort()).toEqual(['died', 'event'])
      for (const incident of incidents) expect(messages(incident)).toEqual(expect.arrayContaining(last))
    },
  )
})

test('neither a worker nor the process is kept from its end, and nothing is left behind', async () => {
  await begin()
  await log('a', 'from a')
  expect(await tell('a', 'stop')).toEqual({ exit: 0 })
  expect(await tell('b', 'stop')).toEqual({ exit: 0 })
  child.send({ to: 'main', say: 'end' } satisfies Order)
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(existsSync(directory) ? readdirSync(directory) : []).toEqual([])
})

test('a worker with another directory records by itself, without a second thread, and says so', async () => {
  await begin()
  const other = join(directory, 'other')
  const { incarnation: joined } = (await tell('c', 'start')) as { readonly incarnation: string }
  const { incarnation } = (await tell('d', 'start', { message: other })) as { readonly incarnation: string }
  expect(incarnation).not.toBe(joined)
  expect(await tell('d', 'told')).toEqual(['FLOG_SIDECAR_UNAVAILABLE'])
  await fail('d', 'by itself')
  await tell('d', 'close')
  const [name = ''] = readdirSync(other)
  const file = parsed(readFileSync(join(other, name)))
  expect(messages(file)).toEqual(['by itself'])
  expect(file.events[0]?.thread).toBeUndefined()
  expect(await tell('c', 'told')).toEqual([])
})
