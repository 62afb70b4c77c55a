import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Parsed, parsed } from '../incident/parsing'
import { bundle } from './bundle'
import { messages } from './rig'

const root = mkdtempSync(join(tmpdir(), 'flog-process-'))
let program: string
beforeAll(() => {
  program = bundle('process-event', root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(root, 'incidents-'))
})

interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

async function run(event: string, mode: string, options: object, flags: readonly string[]): Promise<Outcome> {
  const args = [...flags, program, directory, event, mode, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, signal, stdout: withoutPid(stdout, child.pid), stderr: withoutPid(stderr, child.pid) }
}

/** Node's warnings begin with `(node:4711)`. */
function withoutPid(output: string, pid: number | undefined): string {
  return output.replaceAll(`node:${pid}`, 'node:pid')
}

/** Runs the program with and without a recorder: nobody may be able to tell which is which. */
async function compared(event: string, options: object = {}, ...flags: string[]): Promise<Outcome> {
  const [bare, recorded] = await Promise.all([
    run(event, 'bare', {}, flags),
    run(event, 'recorded', options, flags),
  ])
  expect(recorded).toEqual(bare)
  return recorded
}

function theFile(): Parsed {
  const [name = '', ...others] = readdirSync(directory)
  expect(others).toEqual([])
  return parsed(readFileSync(join(directory, name)))
}

test.each<[string, string, Partial<Outcome>]>([
  ['throw', 'uncaught error: TypeError: broken', { code: 1 }],
  ['throw in a timer', 'uncaught error: TypeError: broken', { code: 1 }],
  ['throw in a promise', 'unhandled rejection: TypeError: broken', { code: 1 }],
  ['throw a text', 'uncaught error: just text', { code: 1 }],
  ['throw nothing', 'uncaught error: undefined', { code: 1 }],
  ['throw hostile', 'uncaught error: Error: hostile', { code: 1 }],
  ['too deep', 'uncaught error: RangeError: Maximum call stack size exceeded', { code: 1 }],
  ['reject', 'unhandled rejection: TypeError: broken', { code: 1 }],
  [
    'reject with a text',
    'unhandled rejection: UnhandledPromiseRejection: This error originated either by throwing inside of an async ' +
      'function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise ' +
      'rejected with the reason "just text".',
    { code: 1 },
  ],
  ['exit in a listener', 'uncaught error: TypeError: broken', { code: 5 }],
])(
  '%s: the process ends as without us, and the whole file has it as its trigger',
  async (event, message, end) => {
    expect(await compared(event)).toMatchObject({ signal: null, ...end })
    const file = theFile()
    expect(file.verdict).toMatchObject({ state: 'whole', damage: [] })
    expect(file.header?.trigger).toMatchObject({ kind: 'crash', reason: message, event: { severity: 21 } })
    expect(file.trailer?.reason).toBe('exit')
    expect(messages(file)).toEqual(['before', message])
  },
)

test('the error is there with its stack and its cause, and a long one uncut', async () => {
  await compared('throw in a timer')
  expect(theFile().header?.trigger.event).toMatchObject({
    facility: 'process',
    fields: { handled: false },
    error: { name: 'TypeError', stack: expect.stringMatching(/at .*fail/), cause: { message: 'cause' } },
  })
  directory = mkdtempSync(join(root, 'incidents-'))
  await compared('throw something long')
  expect(theFile().header?.trigger.event.error?.fields?.['rows']).toHaveLength(30)
})

test.each([
  ['live on', 0],
  ['domain', 0],
  ['capture callback', 0],
])('a program that handles uncaught errors lives on: %s', async (event, code) => {
  expect(await compared(event)).toMatchObject({ code })
  const { header, verdict } = theFile()
  expect(header?.trigger).toMatchObject({ kind: 'crash', event: { fields: { handled: true } } })
  expect(verdict?.state).toBe('whole')
})

test('an error that ends a thread is an incident of that thread, and the main thread goes on as without us', async () => {
  expect(await compared('throw in a thread')).toMatchObject({ code: 0, stderr: '' })
  const { header, trailer, verdict } = theFile()
  expect(header?.trigger).toMatchObject({ kind: 'crash', reason: 'uncaught error: TypeError: broken' })
  expect([trailer?.reason, verdict?.state]).toEqual(['exit', 'whole'])
})

test('a program that lives on through many errors has one incident that marks them', async () => {
  await compared('live on in a loop')
  expect(theFile().trailer?.furtherTriggers).toHaveLength(19)
})

test('an error in a listener for errors ends the process before it can close the file, which has both', async () => {
  expect(await compared('fail in a listener')).toMatchObject({ code: 7 })
  const file = theFile()
  expect(file.verdict).toMatchObject({ state: 'open', damage: [] })
  expect(messages(file)).toEqual(['before', 'uncaught error: TypeError: broken'])
})

test.each([
  ['exit 3', 3],
  ['exit code', 4],
  ['come to an end', 0],
  ['handle rejections', 0],
])('nothing to tell: %s', async (event, code) => {
  expect(await compared(event)).toMatchObject({ code, stderr: '' })
  expect(readdirSync(directory)).toEqual([])
})

test.each([
  ['throw', 1, ['crash']],
  ['strict', 1, ['crash']],
  ['warn', 0, ['crash']],
  ['none', 0, []],
])(
  'with --unhandled-rejections=%s a rejection ends as without us, with code %d',
  async (mode, code, kinds) => {
    expect(await compared('reject', {}, `--unhandled-rejections=${mode}`)).toMatchObject({ code })
    const files = readdirSync(directory).map((name) => parsed(readFileSync(join(directory, name))))
    expect(files.map(({ header }) => header?.trigger.kind)).toEqual(kinds)
    for (const { header, trailer } of files) {
      expect(header?.trigger.reason).toBe('unhandled rejection: TypeError: broken')
      expect(trailer?.furtherTriggers).toEqual([])
    }
  },
)

test('as events, they begin no incident, and are in the history of another one', async () => {
  const uses = { processEvents: { uncaught: 'trigger', rejections: 'event' } }
  await compared('reject, and an error later', uses, '--unhandled-rejections=warn')
  const file = theFile()
  expect(file.header?.trigger.reason).toBe('uncaught error: TypeError: broken')
  expect(messages(file)).toEqual([
    'before',
    'unhandled rejection: TypeError: broken',
    expect.stringMatching(/^unhandled rejection: Unhandled promise rejection/),
    'uncaught error: TypeError: broken',
  ])
})

test.each([
  [{ processEvents: false }],
  [{ processEvents: { uncaught: false } }],
  [{ processEvents: { uncaught: 'event' } }],
])('with %j an uncaught error begins no incident', async (options) => {
  await compared('throw', options)
  expect(readdirSync(directory)).toEqual([])
})

test('a qualifier that asks for nothing does not keep a crash from being an incident', async () => {
  await compared('throw', { limits: { perHour: 1 } })
  expect(theFile().header?.trigger.kind).toBe('crash')
})

test.each([
  ['deprecation', [], { code: 'DEP9999', name: 'DeprecationWarning' }],
  ['warning', [], { detail: 'why it is odd', name: 'Warning' }],
  ['warning', ['--no-warnings'], { detail: 'why it is odd' }],
])('a warning is shown as without us, and recorded: %s %j', async (event, flags, fields) => {
  await compared(event, { processEvents: { warnings: 'trigger' } }, ...flags)
  const { header } = theFile()
  expect(header?.trigger.event).toMatchObject({ severity: 13, fields })
  expect(header?.trigger.kind).toBe('event')
})

test('a warning begins no incident unless it is asked to', async () => {
  await compared('warning')
  expect(readdirSync(directory)).toEqual([])
})

const ON_SIGNALS = { processEvents: { signals: ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] } }

test.each([
  ['sigterm', 'SIGTERM'],
  ['sigint', 'SIGINT'],
  ['sighup', 'SIGHUP'],
  ['sigusr2', 'SIGUSR2'],
])('%s ends the process as without us, and the whole file says so', async (event, signal) => {
  expect(await compared(event, ON_SIGNALS)).toMatchObject({ code: null, signal })
  const file = theFile()
  expect(file.header?.trigger).toMatchObject({
    kind: 'signal',
    event: { fields: { signal, handled: false } },
  })
  expect(file.verdict?.state).toBe('whole')
  expect(messages(file)).toEqual(['before', `signal ${signal}`])
})

test.each<[string, Partial<Outcome>, boolean]>([
  ['sigterm, with a listener', { code: 6 }, true],
  ['sigterm, with one that listens once', { signal: 'SIGTERM', stdout: 'first\n' }, true],
  ['sigterm, with one that counts listeners', { signal: 'SIGTERM', stdout: 'the last one\n' }, true],
  ['sigterm, only emitted', { code: 0, stdout: 'lives\n' }, false],
])('who listens to a signal decides as without us: %s', async (event, end, handled) => {
  expect(await compared(event, ON_SIGNALS)).toMatchObject(end)
  expect(theFile().header?.trigger).toMatchObject({ kind: 'signal', event: { fields: { handled } } })
})

test('a signal that is not in the list is nothing to us', async () => {
  expect(await compared('sigterm')).toMatchObject({ signal: 'SIGTERM' })
  expect(readdirSync(directory)).toEqual([])
})

const IDLE = 'the event loop has nothing more to do'

test('an empty event loop is recorded where that is asked for', async () => {
  await compared('come to an end', { processEvents: { beforeExit: 'event' } })
  expect(readdirSync(directory)).toEqual([])
})

test('as a trigger it is one, and Node asks the program no more often than without us', async () => {
  await compared('come to an end', { processEvents: { beforeExit: 'trigger' } })
  const file = theFile()
  expect(messages(file)).toEqual(['before', IDLE])
  expect(file.trailer).toMatchObject({ reason: 'exit', furtherTriggers: [] })
  expect(file.verdict).toMatchObject({ state: 'whole', damage: [] })
})

test('a long history does not change that', async () => {
  const { stdout } = await compared('come to an end after much', { processEvents: { beforeExit: 'trigger' } })
  expect(stdout).toBe('before exit\n')
  expect(messages(theFile()).slice(-1)).toEqual([IDLE])
})

test('a program that finds more work, and comes to its end again, has come to it twice', async () => {
  await compared('come to an end twice', { processEvents: { beforeExit: 'trigger' } })
  const file = theFile()
  expect(messages(file)).toEqual(['before', IDLE, IDLE])
  expect(file.trailer).toMatchObject({ reason: 'exit', furtherTriggers: [{ reason: IDLE }] })
})

test('an incident without a window is finished before the process ends, which is no work of the program', async () => {
  const options = {
    processEvents: { beforeExit: 'trigger' },
    reporter: { postTrigger: { events: 0 } },
    limits: { coolDownMs: 0 },
  }
  await run('come to an end', 'recorded', options, [])
  expect(readdirSync(directory)).toEqual([expect.stringMatching(/-1\.incident\.flog\.gz$/)])
  expect(messages(theFile())).toEqual(['before', IDLE])
})
