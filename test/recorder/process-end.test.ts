import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Parsed, parsed } from '../incident/parsing'
import { bundle } from './bundle'
import { messages } from './rig'

const root = mkdtempSync(join(tmpdir(), 'flog-end-'))
let program: string
beforeAll(() => {
  program = bundle('end-in-window', root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(root, 'incidents-'))
})

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly talk: string
}

async function run(ending: string, mode: 'recorded' | 'bare'): Promise<Ended> {
  const child = spawn(process.execPath, [program, directory, ending, mode], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [talk, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { code, signal, talk }
}

function theFile(): Parsed {
  const [name = '', ...others] = readdirSync(directory)
  expect(others).toEqual([])
  return parsed(readFileSync(join(directory, name)))
}

const WINDOW = ['before', 'trigger', 'after 0', 'after 1', 'after 2']
/** What the recorder itself has to say of an ending. */
const NOTICED: Readonly<Record<string, string>> = {
  'uncaught error': 'uncaught error: Error: uncaught',
  'unhandled rejection': 'unhandled rejection: Error: unhandled',
}

test.each(['exit', 'normal end', 'uncaught error', 'unhandled rejection', 'exit listener'])(
  '%s inside the window leaves a whole plain file, and the process ends as without a recorder',
  async (ending) => {
    const [bare, recorded] = await Promise.all([run(ending, 'bare'), run(ending, 'recorded')])
    expect(recorded).toEqual(bare)
    const file = theFile()
    expect(readdirSync(directory)[0]).toMatch(/\.incident\.flog$/)
    const noticed = NOTICED[ending]
    const expected = noticed === undefined ? WINDOW : [...WINDOW, noticed]
    expect(messages(file)).toEqual(expected)
    expect(file.verdict).toMatchObject({ state: 'whole', damage: [] })
    const total = expected.length
    expect(file.trailer).toMatchObject({ reason: 'exit', events: { total, history: 2, after: total - 2 } })
    expect(file.trailer?.furtherTriggers.map(({ kind }) => kind)).toEqual(
      noticed === undefined ? [] : ['crash'],
    )
  },
)

test.each(['sigterm', 'sigint', 'sigkill', 'abort'])(
  '%s inside the window loses nothing that was logged, and the process ends as without a recorder',
  async (ending) => {
    const [bare, recorded] = await Promise.all([run(ending, 'bare'), run(ending, 'recorded')])
    expect([recorded.code, recorded.signal]).toEqual([bare.code, bare.signal])
    const file = theFile()
    expect(messages(file)).toEqual(WINDOW)
    expect(file.verdict).toMatchObject({ state: 'open', damage: [] })
  },
)

test('an incident listener may end the process: what it logged is in the file, which is whole', async () => {
  expect((await run('exit while listening', 'recorded')).code).toBe(5)
  const file = theFile()
  expect(messages(file)).toEqual(['before', 'trigger', 'giving up'])
  expect(file.verdict?.state).toBe('whole')
})
