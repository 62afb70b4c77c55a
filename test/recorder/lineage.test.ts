import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { currentIdentity } from '../../src/base/identity'
import type { IncidentSummary } from '../../src/incident/header'
import { locateIncidents } from '../../src/incident/listing'
import { inheritedLineage, labelOf, PARENT_VARIABLE, passOn } from '../../src/recorder/lineage'
import { IncidentTable } from '../../tools/flog/show/incident-table'
import { headerLines } from '../../tools/flog/show/incident-text'
import { createStyle } from '../../tools/flog/style'
import { parsed } from '../incident/parsing'
import { bundle } from './bundle'
import { RecorderRig } from './rig'

const root = mkdtempSync(join(tmpdir(), 'flog-lineage-'))
let program: string
beforeAll(() => {
  program = bundle('lineage', root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

let rig: RecorderRig
let directory: string
beforeEach(() => {
  rig = new RecorderRig()
  directory = mkdtempSync(join(root, 'incidents-'))
})
afterEach(() => rig.end())

interface Family {
  readonly pid: number
  readonly result: readonly number[]
  readonly incidents: readonly IncidentSummary[]
}

async function family(way: string): Promise<Family> {
  const told = execFileSync(process.execPath, [program, directory, way], { cwd: root, encoding: 'utf8' })
  const { located, unreadable } = await locateIncidents(directory)
  expect(unreadable).toEqual([])
  return { ...JSON.parse(told), incidents: located.map(({ summary }) => summary) }
}

function byPid({ incidents }: Family): Readonly<Record<number, string | undefined>> {
  return Object.fromEntries(incidents.map(({ pid, label }) => [pid, label]))
}

test('forked children have service, version and directory of their parent, and say whose they are', async () => {
  const found = await family('fork')
  const { pid, result, incidents } = found
  expect(byPid(found)).toEqual(Object.fromEntries(result.map((child) => [child, `child of ${pid}`])))
  for (const incident of incidents) expect(incident).toMatchObject({ service: 'shop', version: '1.4.2' })
  expect(new Set(incidents.map(({ id }) => id)).size).toBe(2)
})

test('cluster workers are named by their number', async () => {
  const found = await family('cluster')
  const [one = 0, two = 0] = found.result
  expect(byPid(found)).toEqual({ [one]: 'cluster worker 1', [two]: 'cluster worker 2' })
  expect(found.incidents.map(({ service }) => service)).toEqual(['shop', 'shop'])
})

test('a list of incidents and a dump name the process', async () => {
  const { incidents } = await family('cluster')
  const table = new IncidentTable(createStyle(false), Number.POSITIVE_INFINITY)
  const lines = incidents.map((incident) => table.line(incident)).sort()
  for (const worker of [1, 2]) expect(lines.join('\n')).toContain(`shop (cluster worker ${worker})`)
  const { located } = await locateIncidents(directory)
  const { header } = parsed(readFileSync(located[0]?.path ?? ''))
  if (header === undefined) throw new Error('there is no header')
  expect(headerLines(header, createStyle(false))[2]).toMatch(/pid \d+, cluster worker [12]$/)
})

test('a child of a child is its own parent’s', async () => {
  const found = await family('nested')
  const [child = 0] = found.result
  const labels = byPid(found)
  expect(labels[child]).toBe(`child of ${found.pid}`)
  expect(Object.values(labels).sort()).toEqual([`child of ${found.pid}`, `child of ${child}`].sort())
})

test('where a shell is in between, the process is a descendant', async () => {
  const found = await family('shell')
  expect(Object.values(byPid(found))).toEqual([`descendant of ${found.pid}`])
})

const LINEAGE = { service: 'shop', version: '2', directory: '/var/shop' }

test('the environment has what the oldest open recorder passes on, and is as before when all are closed', () => {
  expect(process.env[PARENT_VARIABLE]).toBeUndefined()
  const forget = [passOn(LINEAGE), passOn({ ...LINEAGE, service: 'other' })]
  expect(JSON.parse(process.env[PARENT_VARIABLE] ?? '')).toMatchObject({ service: 'shop', pid: process.pid })
  forget[0]?.()
  expect(JSON.parse(process.env[PARENT_VARIABLE] ?? '')).toMatchObject({ service: 'other' })
  forget[1]?.()
  expect(process.env[PARENT_VARIABLE]).toBeUndefined()
})

test('a second recorder of the process is no child of the first', () => {
  rig.recorder({ service: 'shop', version: '1.4.2' })
  const { origin } = rig.recorder()
  expect(origin).not.toMatchObject({ service: 'shop' })
  expect(origin.label).toBeUndefined()
})

test('a recorder that does not pass on leaves the environment alone', () => {
  rig.recorder({ inherit: false })
  expect(process.env[PARENT_VARIABLE]).toBeUndefined()
})

/** As a process finds it that is started with that variable. */
function startedWith(variable: string | undefined): typeof import('../../src/recorder/options') {
  const KEY = Symbol.for('flight-log.lineage.1')
  Reflect.deleteProperty(globalThis, KEY)
  if (variable !== undefined) process.env[PARENT_VARIABLE] = variable
  inheritedLineage()
  delete process.env[PARENT_VARIABLE]
  return require('../../src/recorder/options')
}

afterEach(() => void startedWith(undefined))

const PARENT = JSON.stringify({ ...LINEAGE, pid: process.ppid, startTime: '1' })

test('what is given goes before what is inherited', () => {
  const { parseOptions } = startedWith(PARENT)
  expect(parseOptions({})).toMatchObject({ ...LINEAGE, label: `child of ${process.ppid}` })
  expect(parseOptions({ directory: '/tmp/own', label: 'mailer' })).toMatchObject({
    ...{ service: 'shop', directory: '/tmp/own', label: 'mailer' },
  })
  const own = parseOptions({ service: 'mailer' })
  expect([own.service, own.version]).toEqual(['mailer', undefined])
  const alone = parseOptions({ inherit: false })
  expect([alone.service, alone.label, alone.directory]).toEqual([
    undefined,
    undefined,
    join(process.cwd(), 'incidents'),
  ])
})

test.each([
  ['no JSON'],
  ['null'],
  ['[]'],
  ['{}'],
  [JSON.stringify({ ...LINEAGE, pid: 'many', startTime: '' })],
  [JSON.stringify({ ...LINEAGE, service: '', pid: 1, startTime: '' })],
  [JSON.stringify({ ...LINEAGE, directory: 'relative', pid: 1, startTime: '' })],
  [JSON.stringify({ ...LINEAGE, directory: '/nul\0', pid: 1, startTime: '' })],
  [JSON.stringify({ ...LINEAGE, service: 'x'.repeat(2000), pid: 1, startTime: '' })],
])('a variable that makes no sense is none: %.60s', (variable) => {
  startedWith(variable)
  expect(inheritedLineage()).toBeUndefined()
})

test('a parent that had this pid in another container is a parent', () => {
  const { pid, startTime } = currentIdentity()
  expect(labelOf({ ...LINEAGE, pid, startTime: `${startTime}0` })).toBe(`descendant of ${pid}`)
})

test('a worker thread has service, directory and label of its process', async () => {
  const thread = bundle('thread-origin', root)
  rig.recorder({ service: 'shop', label: 'cluster worker 7' })
  const worker = new Worker(thread, { env: { ...process.env } })
  const [origin] = await new Promise<unknown[]>((resolve) =>
    worker.once('message', (...told) => resolve(told)),
  )
  await worker.terminate()
  expect(origin).toMatchObject({ service: 'shop', label: 'cluster worker 7', directory: rig.directory })
})
