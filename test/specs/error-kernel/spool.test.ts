import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import type { ErrorRow } from '../../../src/collector/kernel/event'
import { Kernel } from '../../../src/collector/kernel/kernel'
import { newDirectory, newRig, type Rig, spoolLines, spoolRows, stop, stopKernels, turns, until } from './rig'

afterEach(stopKernels)

const forever = { policies: [() => new Promise<undefined>(() => {})] }

/** Reports whose parts differ, so that each is a row. */
function reportMany(rig: Rig, count: number, first = 0): void {
  for (let i = first; i < first + count; i++) rig.kernel.report({ part: `part-${i}`, error: `error ${i}` })
}

const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, i) => `part-${first + i}`)

/** What a kill at this moment leaves, for another process. */
function remainsOf(spool: string): string {
  const remains = join(newDirectory(), 'spool')
  if (existsSync(spool)) cpSync(spool, remains, { recursive: true })
  return remains
}

/** All that the next process knows after a kill at this moment. */
async function afterKill(spool: string): Promise<readonly ErrorRow[]> {
  const next = newRig({ level: 'none', spool: remainsOf(spool) })
  next.kernel.report({ part: 'last', error: 'all that was left went before this' })
  await until(next, () => next.central.rows.at(-1)?.part === 'last')
  await stop(next)
  return next.central.rows.slice(0, -1)
}

test('what a report came back from is in the spool: gathered, undecided, and what waits behind that', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool, foldMs: 10_000, ...forever })
  rig.kernel.report({ part: 'p', error: 'gathered' })
  void rig.kernel.ask({ part: 'q', error: 'asked', work: { incident: 'i-1' } })
  rig.kernel.report({ part: 'q', error: 'behind' })
  rig.kernel.report({ part: 'q', level: 'debug', error: 'not for the central log' })
  expect(rig.central.rows).toEqual([])
  await expect(afterKill(spool)).resolves.toMatchObject([
    { part: 'p', message: 'gathered', repeat: 1 },
    { part: 'q', message: 'asked', kind: 'action', work: { incident: 'i-1' } },
    { part: 'q', message: 'behind' },
  ])
})

test('what was reported before the kernel was started is in the spool too', async () => {
  const spool = join(newDirectory(), 'spool')
  const forward = { send: async () => [] }
  const kernel = new Kernel({ node: 'one', write: () => {}, forward, spool })
  kernel.report({ part: 'p', error: 'early' })
  await expect(afterKill(spool)).resolves.toMatchObject([{ message: 'early' }])
  await kernel.stop({ flushMs: 1 })
})

test('of a count that grows less than half is lost by a kill, and only of the last second', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool, foldMs: 60_000 })
  const report = (times: number) => {
    for (let i = 0; i < times; i++) rig.kernel.report({ part: 'p', error: 'again' })
  }
  report(1000)
  await expect(afterKill(spool)).resolves.toMatchObject([{ repeat: 512 }])
  rig.clock.advance(1000)
  report(1)
  await expect(afterKill(spool)).resolves.toMatchObject([{ repeat: 1001 }])
  report(9000)
  expect(spoolLines(spool).length).toBeLessThan(20)
})

test('a decision is in the spool, and what goes into another row is counted once', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool, foldMs: 10_000 })
  const ask = () => rig.kernel.ask({ part: 'p', level: 'warning', error: 'odd' })
  await Promise.all([ask(), ask(), ask()])
  await expect(afterKill(spool)).resolves.toMatchObject([{ message: 'odd', repeat: 3, action: 'continue' }])
})

test('what was acknowledged is not sent again by the next process', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool })
  const send = rig.central.send.bind(rig.central)
  rig.central.send = async (batch) => (await send(batch)).slice(0, 7)
  reportMany(rig, 10)
  await until(rig, () => rig.metrics.value('kernel_forwarded_total') === 7)
  await expect(afterKill(spool)).resolves.toMatchObject(numbered(3, 7).map((part) => ({ part })))
})

test('what waits beyond the memory is read from the spool, in order', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool, queue: 5 })
  rig.central.isDown = true
  reportMany(rig, 300)
  await turns()
  rig.central.isDown = false
  await until(rig, () => rig.central.rows.length >= 300)
  expect(rig.central.rows.map(({ part }) => part)).toEqual(numbered(300))
  expect(rig.metrics.value('kernel_forward_dropped_total')).toBe(0)
})

test('a spool that is full drops its oldest segments, and rows say how many errors that were', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool, spoolBytes: 2 ** 20, queue: 5 })
  rig.central.isDown = true
  const work = 'x'.repeat(3000)
  for (let i = 0; i < 1000; i++) rig.kernel.report({ part: `part-${i}`, error: 'e', work })
  const bytes = spoolLines(spool).reduce((sum, line) => sum + line.length + 1, 0)
  expect(bytes).toBeLessThanOrEqual(2 ** 20)
  expect(bytes).toBeGreaterThan(0.85 * 2 ** 20)
  for (const rows of [await afterKill(spool), await sentBy(rig)]) {
    const told = rows.map(({ error }) => (error?.['code'] === 'FLOG_KERNEL_DROPPED' ? error['count'] : 0))
    const dropped = told.reduce((sum: number, count) => sum + Number(count), 0)
    const sent = rows.filter(({ part }) => part !== 'kernel.forward')
    expect(dropped + sent.length).toBe(1000)
    expect(sent.map(({ part }) => part)).toEqual(numbered(sent.length, dropped))
  }
  expect(rig.metrics.value('kernel_forward_dropped_total')).toBeGreaterThan(600)
}, 60_000)

async function sentBy(rig: Rig): Promise<readonly ErrorRow[]> {
  rig.central.isDown = false
  await until(rig, () => rig.central.rows.at(-1)?.part === 'part-999')
  return rig.central.rows
}

test('what is still gathered when its segment is dropped is not lost', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool, spoolBytes: 2 ** 20, ...forever })
  void rig.kernel.ask({ part: 'first', error: 'undecided' }, { timeoutMs: 3_600_000 })
  const work = 'x'.repeat(3000)
  for (let i = 0; i < 800; i++) {
    rig.kernel.report({ part: `part-${i}`, error: 'e', work })
    if (i % 100 === 0) await turns()
  }
  const rows = await afterKill(spool)
  expect(rows.filter(({ part }) => part === 'first')).toMatchObject([{ message: 'undecided' }])
}, 60_000)

test('damaged lines and a torn one are passed over exactly, and told', async () => {
  const spool = join(newDirectory(), 'spool')
  const rig = newRig({ level: 'none', spool })
  rig.central.isDown = true
  reportMany(rig, 3)
  await stop(rig)
  const [name = ''] = readdirSync(spool)
  const path = join(spool, name)
  const [first, second, third] = readFileSync(path, 'utf8').split('\n')
  writeFileSync(path, `${first}\n{"id": damaged}\n\u0000\n${second}\n`)
  appendFileSync(path, String(third).slice(0, -1))
  const next = newRig({ spool })
  await until(next, () => next.central.rows.length === 2)
  expect(next.central.rows.map(({ part }) => part)).toEqual(numbered(2))
  const damage = next.lines.map((line) => JSON.parse(line) as ErrorRow)
  expect(damage).toMatchObject([
    {
      part: 'kernel.forward',
      error: { code: 'FLOG_KERNEL_SPOOL_DAMAGED', details: { damagedLines: 2, tornLines: 1 } },
    },
  ])
})

test('one process has a spool: the other one is told who, keeps what it has in memory, and gets it later', async () => {
  const spool = join(newDirectory(), 'spool')
  const holder = newRig({ level: 'none', spool })
  holder.central.isDown = true
  reportMany(holder, 1)
  await until(holder, () => existsSync(`${spool}.lock`))
  const other = newRig({ spool })
  reportMany(other, 1, 1)
  await until(other, () => other.central.rows.length === 1)
  const told = other.lines.filter((line) => line.includes('FLOG_KERNEL_SPOOL_LOCKED'))
  expect(told).toHaveLength(1)
  expect(JSON.parse(told[0] ?? '')).toMatchObject({
    message: expect.stringContaining(`process ${process.pid} has the spool`),
    error: { details: { pid: process.pid } },
  })
  expect(spoolRows(spool).map(({ part }) => part)).toEqual(['part-0'])
  await stop(holder)
  await until(other, () => other.central.rows.length === 2)
  expect(other.central.rows.map(({ part }) => part)).toEqual(['part-1', 'part-0'])
  expect(other.metrics.value('kernel_forward_dropped_total')).toBe(0)
})

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('report'), what: fc.nat(5), times: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ask'), what: fc.nat(5), times: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), what: fc.nat(3), times: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('down'), what: fc.nat(1), times: fc.nat(1) }) },
)

test('whatever happened before a kill, every error is known after it, once', async () => {
  const word = (what: number) => 'abcdef'[what] ?? ''
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 30 }),
      fc.constantFrom(0, 1000),
      fc.constantFrom(2, 1000),
      async (operations, foldMs, queue) => {
        const spool = join(newDirectory(), 'spool')
        const rig = newRig({
          ...{ level: 'none', spool, foldMs, queue },
          policies: [({ message }) => (message === 'a' ? new Promise(() => {}) : undefined)],
        })
        const accepted = new Map<string, number>()
        for (const { do: what, what: which, times } of operations) {
          const report = { part: `p${which % 2}`, error: word(which) }
          if (what === 'down') rig.central.isDown = which === 1
          else if (what === 'pass') {
            if (which > 0) rig.clock.advance(times)
            await turns()
          } else {
            for (let i = 0; i < times; i++) {
              if (what === 'report') rig.kernel.report(report)
              else void rig.kernel.ask({ ...report, level: 'warning' })
            }
            accepted.set(report.error, (accepted.get(report.error) ?? 0) + times)
          }
        }
        const remains = await afterKill(spool)
        const rows = new Map([...rig.central.rows, ...remains].map((row) => [row.id, row]))
        expect(new Set(remains.map(({ id }) => id)).size).toBe(remains.length)
        for (const [message, times] of accepted) {
          const own = [...rows.values()].filter((row) => row.message === message)
          const known = own.reduce((sum, { repeat }) => sum + repeat, 0)
          expect(known).toBeLessThanOrEqual(times)
          if (times > 0) expect(known).toBeGreaterThan(times / 2)
        }
        await stop(rig)
      },
    ),
    { numRuns: Number(process.env['FLOG_RUNS'] ?? 25) },
  )
}, 60_000)
