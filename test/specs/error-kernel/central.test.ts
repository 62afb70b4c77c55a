import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { CentralLog, nodeDirectory } from '../../../src/collector/kernel/central-log'
import { type ErrorRow, rowOf, type SeenEvent } from '../../../src/collector/kernel/event'
import { MetricsTable } from '../../../src/collector/kernel/metrics'
import { lines, type Program, startProgram } from '../../incident/programs'
import { newDirectory, newRig, spoolLines, stop, stopKernels, until } from './rig'

afterEach(stopKernels)

function rowsIn(directory: string, node: string): readonly ErrorRow[] {
  const text = readFileSync(join(directory, node, 'error.log'), 'utf8')
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as ErrorRow] : []))
}

function rowWith(id: string, more: Partial<SeenEvent> = {}): ErrorRow {
  const base = {
    id,
    node: 'claimed',
    part: 'p',
    kind: 'error',
    level: 'error',
    time: 0,
    lastTime: 0,
    repeat: 1,
  } as const
  return rowOf({ ...base, message: `message ${id}`, fingerprint: 'f', noForward: false, ...more })
}

test('7. malformed JSON from a node ends as a row that says malformed json, and the rest is taken', async () => {
  const directory = newDirectory()
  const metrics = new MetricsTable()
  const central = new CentralLog({ directory, metrics })
  const sent = `${JSON.stringify(rowWith('a'))}\n{"id": "b", \u001b[31m\n[]\n{"id":"../c"}\n"text"\n`
  await expect(central.accept('one', sent)).resolves.toEqual(['a'])
  expect(rowsIn(directory, 'one')).toMatchObject([
    { id: 'a', node: 'one' },
    { message: 'malformed json from a node', error: { received: '{"id": "b", \u001b[31m' } },
    { part: 'kernel.central', level: 'warning' },
    { message: 'malformed json from a node' },
    { message: 'malformed json from a node', error: { code: 'FLOG_KERNEL_MALFORMED' } },
  ])
  expect(metrics.value('kernel_received_total')).toBe(5)
})

test('7. rows that are huge, have what no row has, or are no rows are malformed, and their node lives', async () => {
  const directory = newDirectory()
  const central = new CentralLog({ directory })
  const huge = { ...rowWith('huge'), message: 'x'.repeat(300_000) }
  const circular: { id: string; self?: unknown } = { id: 'circular' }
  circular.self = circular
  const sent = [huge, circular, null, 7, { ...rowWith('e'), extra: 'x' }, { ...rowWith('f'), level: 'loud' }]
  await expect(central.accept('one', sent)).resolves.toEqual(['e'])
  expect(rowsIn(directory, 'one')[4]).not.toHaveProperty('extra')
  expect(statSync(join(directory, 'one/error.log')).size).toBeLessThan(10_000)
})

test('18. what is sent again is not written again, by the same central log or the next one', async () => {
  const directory = newDirectory()
  const central = new CentralLog({ directory })
  await central.accept('one', [rowWith('a'), rowWith('b'), rowWith('a')])
  await expect(central.accept('one', [rowWith('b'), rowWith('c')])).resolves.toEqual(['b', 'c'])
  const next = new CentralLog({ directory })
  await expect(next.accept('one', [rowWith('a'), rowWith('c'), rowWith('d')])).resolves.toEqual([
    'a',
    'c',
    'd',
  ])
  expect(rowsIn(directory, 'one').map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
})

test('the central log is private, and each of its rows is one line, also after one that was torn', async () => {
  const directory = join(newDirectory(), 'errorLog')
  await new CentralLog({ directory }).accept('one', [rowWith('a', { message: 'two\nlines \u202e' })])
  const path = join(directory, 'one/error.log')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(directory, 'one')).mode & 0o777).toBe(0o700)
  appendFileSync(path, '{"id":"torn","node":"on')
  await new CentralLog({ directory }).accept('one', [rowWith('b')])
  expect(
    readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.slice(0, 10)),
  ).toEqual(['{"id":"a",', '{"id":"tor', '{"id":"b",', ''])
})

test('a log that is full is put aside', async () => {
  const directory = newDirectory()
  const central = new CentralLog({ directory, maxBytes: 200 })
  for (const id of ['a', 'b', 'c', 'd'])
    await central.accept('one', [rowWith(id, { message: 'x'.repeat(200) })])
  expect(readdirSync(join(directory, 'one')).sort()).toEqual(['error.log', 'error.log.1'])
  expect(rowsIn(directory, 'one').map(({ id }) => id)).toEqual(['d'])
})

test.each([
  ['shop-1.example', 'shop-1.example'],
  ['..', '%2e.'],
  ['.', '%2e'],
  ['', '%'],
  ['../../etc', '%2e.%2f..%2fetc'],
  ['a\u0000b\\c', 'a%00b%5cc'],
  ['größe', 'gr%c3%b6%c3%9fe'],
])('the name %j of a node is the directory %s', (node, directory) => {
  expect(nodeDirectory(node)).toBe(directory)
})

test('a long name is cut, and stays one of its own', () => {
  const [one, other] = [nodeDirectory(`${'x'.repeat(500)}1a`), nodeDirectory(`${'x'.repeat(500)}2b`)]
  expect(one.length).toBeLessThan(200)
  expect(one).not.toBe(other)
})

test('where the log cannot be written nothing is acknowledged, and a symbolic link is not followed', async () => {
  const directory = newDirectory()
  writeFileSync(join(directory, 'one'), 'a file in its place')
  const central = new CentralLog({ directory })
  const code = 'FLOG_KERNEL_LOG_UNUSABLE'
  await expect(central.accept('one', [rowWith('a')])).rejects.toMatchObject({ code })
  mkdirSync(join(directory, 'two'))
  symlinkSync(join(directory, 'one'), join(directory, 'two/error.log'))
  await expect(central.accept('two', [rowWith('a')])).rejects.toMatchObject({ code })
  await expect(central.accept('three', [rowWith('a')])).resolves.toEqual(['a'])
  expect(readFileSync(join(directory, 'one'), 'utf8')).toBe('a file in its place')
})

/** Answers a program as the central log does, until it ends. */
async function serve(program: Program, node: string, central: CentralLog, directory: string): Promise<void> {
  for await (const { number, batch } of lines<{ number: number; batch: readonly unknown[] }>(program)) {
    const ids = await central.accept(node, batch)
    program.stdin.write(`${JSON.stringify({ number, ids })}\n`)
    if (rowsIn(directory, node).length === 3) program.stdin.end()
  }
}

test('26. two nodes, real processes, write to one central log: rows carry both names', async () => {
  const directory = newDirectory()
  const log = join(directory, 'errorLog')
  const central = new CentralLog({ directory: log })
  const nodes = ['one', 'two']
  await Promise.all(
    nodes.map((node) => {
      const program = startProgram('error-node', node, join(directory, node), 'report', '3')
      return serve(program, node, central, log)
    }),
  )
  for (const node of nodes) {
    const rows = rowsIn(log, node)
    expect(rows.map((row) => [row.node, row.part, row.message])).toEqual(
      [0, 1, 2].map((i) => [node, `part-${i}`, `error ${i} of ${node}`]),
    )
    expect(spoolLines(join(directory, node))).toEqual([])
  }
})

test('18. 26. a central log in the same process takes what a kernel forwards, over its stop and start', async () => {
  const directory = newDirectory()
  const spool = join(directory, 'spool')
  let central = new CentralLog({ directory })
  let isUp = true
  const send = async (batch: readonly ErrorRow[]) => {
    const ids = await central.accept('one', batch)
    // It was written, and the answer is lost.
    if (!isUp) throw new Error('connection lost')
    return ids
  }
  const rig = newRig({ level: 'none', forward: { send }, spool })
  rig.kernel.report({ part: 'p', error: 'first' })
  await until(rig, () => rig.metrics.value('kernel_forwarded_total') === 1)
  isUp = false
  rig.kernel.report({ part: 'p', error: 'second' })
  await stop(rig)
  isUp = true
  central = new CentralLog({ directory })
  const next = newRig({ level: 'none', forward: { send }, spool })
  await until(next, () => next.metrics.value('kernel_forwarded_total') === 1)
  expect(spoolLines(spool)).toEqual([])
  expect(rowsIn(directory, 'one').map(({ message }) => message)).toEqual(['first', 'second'])
})
