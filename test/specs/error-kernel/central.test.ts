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
import { canMountThinDisk, ThinDisk } from '../../faults/thin-disk'
import { lines, type Program, startProgram } from '../../incident/programs'
import { canMount, SmallDisk } from '../../recorder/small-disk'
import { newDirectory, newRig, spoolLines, spoolRows, stop, stopKernels, until } from './rig'

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

test('what is sent again is not written again when its log was put aside since, and the central log is another one', async () => {
  const directory = newDirectory()
  const long = (id: string) => rowWith(id, { message: 'x'.repeat(200) })
  const central = new CentralLog({ directory, maxBytes: 500 })
  for (const id of ['a', 'b', 'c']) await central.accept('one', [long(id)])
  expect(rowsIn(directory, 'one').map(({ id }) => id)).toEqual(['c'])
  await expect(new CentralLog({ directory, maxBytes: 500 }).accept('one', [long('b')])).resolves.toEqual([
    'b',
  ])
  expect(rowsIn(directory, 'one').map(({ id }) => id)).toEqual(['c'])
})

test('of nodes that were quiet for long the ids are forgotten, and read again', async () => {
  const directory = newDirectory()
  const central = new CentralLog({ directory, maxIds: 3 })
  const nodes = ['one', 'two', 'three', 'four', 'five']
  for (const node of [...nodes, ...nodes]) await central.accept(node, [rowWith('a'), rowWith('b')])
  await Promise.all([...nodes, ...nodes].map((node) => central.accept(node, [rowWith('b'), rowWith('c')])))
  for (const node of nodes) expect(rowsIn(directory, node).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
})

const withDisk = canMount() ? describe : describe.skip

withDisk('on a disk (skipped where tests may not mount one)', () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = new SmallDisk(join(newDirectory(), 'disk'), '64k')
  })
  afterEach(() => disk.end())

  test('that is full, nothing is acknowledged, and the part that was written is taken back', async () => {
    const central = new CentralLog({ directory: disk.path })
    await central.accept('one', [rowWith('a')])
    const path = join(disk.path, 'one/error.log')
    const before = readFileSync(path)
    const large = [1, 2, 3].map((i) => rowWith(`large-${i}`, { message: 'x'.repeat(30_000) }))
    await expect(central.accept('one', large)).rejects.toMatchObject({
      code: 'FLOG_KERNEL_LOG_UNUSABLE',
      message: expect.stringContaining('ENOSPC'),
    })
    expect(readFileSync(path).equals(before)).toBe(true)
    await expect(central.accept('one', [rowWith('b')])).resolves.toEqual(['b'])
    disk.remount('size=8m')
    await expect(central.accept('one', large)).resolves.toHaveLength(3)
    expect(rowsIn(disk.path, 'one').map(({ id }) => id)).toEqual(['a', 'b', 'large-1', 'large-2', 'large-3'])
  })

  test('that is full for a spool: it is told, the rest waits in memory, and no line is torn', async () => {
    const spool = join(disk.path, 'spool')
    const rig = newRig({ spool })
    rig.central.isDown = true
    const work = 'x'.repeat(4000)
    for (let i = 0; i < 20; i++) rig.kernel.report({ part: `part-${i}`, error: 'e', work })
    expect(rig.lines.filter((line) => line.includes('FLOG_KERNEL_SPOOL_FAILED'))).toHaveLength(1)
    const kept = spoolRows(spool).length
    expect(kept).toBeGreaterThan(2)
    expect(kept).toBeLessThan(20)
    rig.kernel.report({ part: 'small', error: 'e' })
    expect(spoolRows(spool).map(({ part }) => part)).toContain('small')
    disk.remount('size=8m')
    await stop(rig)
    expect(spoolRows(spool)).toHaveLength(21)
    const next = newRig({ level: 'none', spool })
    await until(next, () => next.central.rows.length === 21)
    await stop(next)
  })
})

const withThinDisk = canMountThinDisk() ? test : test.skip

withThinDisk(
  'where only fsync tells that the disk is full, nothing is acknowledged either (skipped without a loop device)',
  async () => {
    const root = newDirectory()
    const disk = new ThinDisk(join(root, 'disk'), join(root, 'under'))
    try {
      const central = new CentralLog({ directory: disk.path })
      await central.accept('one', [rowWith('a')])
      disk.fail()
      const large = rowWith('large', { message: 'x'.repeat(200_000) })
      await expect(central.accept('one', [large])).rejects.toMatchObject({ code: 'FLOG_KERNEL_LOG_UNUSABLE' })
      expect(rowsIn(disk.path, 'one').map(({ id }) => id)).toEqual(['a'])
    } finally {
      disk.end()
    }
  },
)

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
