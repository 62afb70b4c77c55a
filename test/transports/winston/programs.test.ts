import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildSync } from 'esbuild'
import type { LogEvent } from '../../../src/event/event'
import type { CloseReason } from '../../../src/incident/header'
import { readIncidentFile } from '../../../src/incident/reader'
import { closeAll, directory, incidentFiles } from './rig'

const SOURCE = join(__dirname, '../../../fixtures/programs/winston-host.ts')

/** One file, built once: a second of loading for each program otherwise. */
let program = ''

beforeAll(() => {
  program = join(mkdtempSync(join(tmpdir(), 'flog-programs-')), 'winston-host.js')
  buildSync({
    entryPoints: [SOURCE],
    outfile: program,
    bundle: true,
    platform: 'node',
    external: ['fsevents'],
  })
})
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }))
afterEach(closeAll)

interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

function run(way: string, kind: 'incident' | 'plain' | 'none', path = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { timeout: 20_000 }
    const child = execFile(
      process.execPath,
      [program, way, kind, path],
      options,
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
      },
    )
  })
}

interface Contents {
  readonly trigger: LogEvent | undefined
  readonly before: number
  readonly after: readonly string[]
  readonly reason: CloseReason | undefined
  readonly state: string
}

/** The one incident of a directory. */
async function incident(path: string): Promise<Contents> {
  const files = incidentFiles(path)
  expect(files).toHaveLength(1)
  const events: LogEvent[] = []
  let trigger: LogEvent | undefined
  let reason: CloseReason | undefined
  let state = 'none'
  for await (const part of readIncidentFile(join(path, files[0] ?? ''))) {
    if (part.kind === 'events') {
      events.push(...part.events.map(({ event }) => event))
      trigger ??= part.events.find(({ mark }) => mark === 'trigger')?.event
    } else if (part.kind === 'trailer') reason = part.trailer.reason
    else if (part.kind === 'verdict') state = part.verdict.state
  }
  const at = events.findIndex((event) => event.seq === trigger?.seq)
  return { trigger, before: at, after: events.slice(at + 1).map((event) => event.message), reason, state }
}

it.each(['uncaught', 'rejected'])('a program ends by itself as it would without us: %s', async (way) => {
  const [ours, theirs] = await Promise.all([run(way, 'incident', directory()), run(way, 'none')])
  expect(ours).toEqual(theirs)
  expect(ours.code).toBe(1)
  expect(ours.stderr).toContain(way)
})

it.each(['handled-uncaught', 'handled-rejected'])(
  'an error that winston handles is in a whole file, and the program ends at once: %s',
  async (way) => {
    const path = directory()
    const [ours, theirs] = await Promise.all([run(way, 'incident', path), run(way, 'plain')])
    expect(ours).toMatchObject({ code: theirs.code, signal: theirs.signal, stderr: theirs.stderr })
    expect(ours.code).toBe(1)
    const { trigger, ...rest } = await incident(path)
    const after = way === 'handled-uncaught' ? [expect.stringMatching(/^uncaughtException: uncaught/)] : []
    expect(rest).toEqual({ before: 100, after, reason: 'exit', state: 'whole' })
    expect(trigger?.error).toMatchObject({
      name: 'TypeError',
      stack: expect.stringContaining('winston-host'),
    })
    expect(trigger?.fields).toMatchObject(
      // The recorder sees an uncaught error before winston does; a rejection that winston handles it does not see.
      way === 'handled-uncaught' ? { handled: true } : { rejection: true },
    )
  },
)

it('a program that goes on after an uncaught error is recorded further', async () => {
  const path = directory()
  expect(await run('handled-goes-on', 'incident', path)).toMatchObject({ code: 0, stderr: '' })
  const { trigger, after, state } = await incident(path)
  expect(trigger?.fields).toMatchObject({ handled: true })
  expect(after).toEqual([expect.stringMatching(/^uncaughtException: uncaught/), 'went on'])
  expect(state).toBe('whole')
})

it.each<[string, number, CloseReason]>([
  ['exit', 3, 'exit'],
  ['natural', 0, 'exit'],
  ['end', 0, 'closed'],
])('nothing is lost when the program ends within the window: %s', async (way, code, reason) => {
  const path = directory()
  expect(await run(way, 'incident', path)).toMatchObject({ code, stderr: '' })
  const { trigger, ...rest } = await incident(path)
  expect(trigger?.message).toBe('boom')
  expect(rest).toEqual({ before: 100, after: ['after'], reason, state: 'whole' })
})

it('all that was logged is in the file of a program that is killed within the window', async () => {
  const path = directory()
  expect(await run('killed', 'incident', path)).toMatchObject({ signal: 'SIGKILL' })
  expect(await incident(path)).toMatchObject({ before: 100, after: ['after'], state: 'open' })
})
