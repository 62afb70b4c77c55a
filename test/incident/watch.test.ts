import { once } from 'node:events'
import { closeSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IncidentNotice } from '../../src/incident/changes'
import { IncidentDirectory } from '../../src/incident/directory'
import { finishIncident } from '../../src/incident/finish'
import { claimPath } from '../../src/incident/name'
import { IncidentWatch } from '../../src/incident/watch'
import { lines, startProgram } from './programs'
import { incident, OPENED_AT, samplePlain, temporaryDirectory, writeSample } from './samples'

const root = temporaryDirectory()
let directory: IncidentDirectory
let watch: IncidentWatch

beforeEach(() => {
  directory = new IncidentDirectory({ path: join(root.path, 'incidents') })
  directory.ensureSync()
})
afterEach(() => watch?.close())

function put(number: number): string {
  return writeSample(directory.path, { id: incident(number) })
}

/** The next notices, as `kind number`. */
async function take(count: number): Promise<string[]> {
  const notices: string[] = []
  const iterator = watch[Symbol.asyncIterator]()
  while (notices.length < count) {
    const { value } = await iterator.next()
    notices.push(shown(value as IncidentNotice))
  }
  return notices
}

function shown({ kind, id }: IncidentNotice): string {
  return `${kind} ${id.slice(id.indexOf('-') + 1)}`
}

test('an incident is told when it is opened, closed and removed, each once', async () => {
  watch = directory.watch()
  await watch.ready
  const path = put(1)
  const told: string[] = []
  for await (const notice of watch) {
    told.push(shown(notice))
    if (notice.kind === 'opened') {
      expect(notice.summary.state).toBe('open')
      await finishIncident(path)
    } else if (notice.kind === 'closed') {
      expect(notice.summary.state).toBe('finished')
      await directory.remove(notice.id)
    } else break
  }
  expect(told).toEqual(['opened 1', 'closed 1', 'removed 1'])
})

test('what is there already is told first when asked for, and only then', async () => {
  await finishIncident(put(1))
  put(2)
  watch = directory.watch({ existing: true })
  expect((await take(2)).sort()).toEqual(['closed 1', 'opened 2'])
  await watch.close()

  watch = directory.watch()
  await watch.ready
  put(3)
  expect(await take(1)).toEqual(['opened 3'])
})

test('a file is told when it can be read, not when it appears', async () => {
  watch = directory.watch()
  await watch.ready
  const { fd, path } = directory.createPlainSync(OPENED_AT, incident(1))
  closeSync(fd)
  put(2)
  expect(await take(1)).toEqual(['opened 2'])
  writeFileSync(path, samplePlain({ id: incident(1) }))
  expect(await take(1)).toEqual(['opened 1'])
})

test('adoption is no news until the incident is finished', async () => {
  const path = put(1)
  watch = directory.watch()
  await watch.ready
  const claim = claimPath(path, 'owner')
  renameSync(path, claim)
  await finishIncident(claim)
  expect(await take(1)).toEqual(['closed 1'])
})

test('every incident of a burst is told closed once', async () => {
  watch = directory.watch()
  await watch.ready
  const count = 40
  const closed: string[] = []
  const writing = (async () => {
    for (let number = 1; number <= count; number++) await finishIncident(put(number))
    put(count + 1)
  })()
  for await (const notice of watch) {
    if (notice.id === incident(count + 1)) break
    if (notice.kind === 'closed') closed.push(notice.id)
    else expect(notice.kind).toBe('opened')
  }
  await writing
  expect(closed.sort()).toEqual(Array.from({ length: count }, (_, i) => incident(i + 1)).sort())
})

test('the iteration ends when it is cancelled, also from inside a notice', async () => {
  const stop = new AbortController()
  watch = directory.watch({ signal: stop.signal, existing: true })
  put(1)
  put(2)
  for await (const _ of watch) stop.abort()
  await watch.close()
  expect(await watch[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
})

test('cancelled before it began, it tells nothing', async () => {
  put(1)
  watch = directory.watch({ signal: AbortSignal.abort(), existing: true })
  for await (const notice of watch) throw new Error(`told ${notice.kind}`)
})

test('a directory that is missing, made, removed and made again is watched all along', async () => {
  rmSync(directory.path, { recursive: true })
  watch = directory.watch()
  await watch.ready
  mkdirSync(directory.path)
  put(1)
  expect(await take(1)).toEqual(['opened 1'])
  rmSync(directory.path, { recursive: true })
  expect(await take(1)).toEqual(['removed 1'])
  mkdirSync(directory.path)
  put(2)
  expect(await take(1)).toEqual(['opened 2'])
  put(3)
  expect(await take(1)).toEqual(['opened 3'])
})

test('trouble is told once, and the watch goes on', async () => {
  const warnings: string[] = []
  let trouble = true
  let looks = 0
  const files = async () => {
    looks++
    if (trouble) throw new Error('EMFILE')
    return directory.files()
  }
  const onWarning = (warning: Error) => warnings.push(warning.message)
  watch = new IncidentWatch({ path: directory.path, files }, { pollMs: 5, onWarning })
  await watch.ready
  while (looks < 5) await new Promise(setImmediate)
  expect(warnings).toEqual([expect.stringContaining('cannot be looked at, trying again: EMFILE')])
  trouble = false
  put(1)
  expect(await take(1)).toEqual(['opened 1'])
})

describe('a process that watches', () => {
  test('ends when its watch was cancelled, though notices had come', async () => {
    const program = startProgram('watch', directory.path, 'keep')
    const exit = once(program, 'exit')
    const output = lines<unknown>(program)
    expect((await output.next()).value).toBe('ready')
    put(1)
    expect((await output.next()).value).toEqual({ kind: 'opened', id: incident(1) })
    program.stdin.end()
    expect(await exit).toEqual([0, null])
  })

  test('is not kept alive by it', async () => {
    const program = startProgram('watch', directory.path)
    const exit = once(program, 'exit')
    expect((await lines(program).next()).value).toBe('ready')
    program.stdin.end()
    expect(await exit).toEqual([0, null])
  })
})
