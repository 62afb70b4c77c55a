import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorRow } from '../../../src/collector/kernel/event'
import {
  type Central,
  newDirectory,
  newRig,
  type Rig,
  spoolLines,
  spoolRows,
  stop,
  stopKernels,
  turns,
  until,
} from './rig'

afterEach(stopKernels)

function reportMany(rig: Rig, count: number, first = 0): void {
  for (let i = first; i < first + count; i++) rig.kernel.report({ part: `part-${i}`, error: `error ${i}` })
}

const parts = ({ rows }: Pick<Central, 'rows'>) => rows.map(({ part }) => part)
const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, i) => `part-${first + i}`)

/** Eleven times in vain, each after half of the bound of its pause. */
async function failElevenTimes(rig: Rig): Promise<void> {
  for (let i = 0; i < 11; i++) {
    await turns()
    rig.clock.advance(30_000)
  }
}

test('17. forwarder down: of 1,500 events 1,000 are kept and 500 dropped, and one row says so', async () => {
  const rig = newRig({ level: 'warning' })
  rig.central.isDown = true
  reportMany(rig, 1500)
  await turns()
  expect(rig.metrics.value('kernel_forward_dropped_total')).toBe(500)
  rig.central.isDown = false
  rig.clock.advance(30_000)
  await turns()
  const dropped = rig.central.rows.filter(({ error }) => error?.['code'] === 'FLOG_KERNEL_DROPPED')
  expect(dropped).toMatchObject([{ part: 'kernel.forward', error: { count: 500 } }])
  expect(rig.central.rows).toHaveLength(1001)
  expect(parts(rig.central).slice(-1000)).toEqual(numbered(1000, 500))
  expect(rig.metrics.value('kernel_forward_queue')).toBe(0)
  const told = rig.lines.filter((line) => line.includes('FLOG_KERNEL_'))
  expect(told.map((line) => (JSON.parse(line) as ErrorRow).error?.['code'])).toEqual([
    'FLOG_KERNEL_DROPPED',
    'FLOG_KERNEL_FORWARD_FAILED',
  ])
})

test('18. the spool has what is to be forwarded, and replays in order when the other side is back', async () => {
  const spool = join(newDirectory(), 'state/spool')
  const rig = newRig({ level: 'none', spool })
  rig.central.isDown = true
  reportMany(rig, 250)
  expect(parts({ rows: spoolRows(spool) })).toEqual(numbered(250))
  const [name = ''] = readdirSync(spool)
  expect(statSync(join(spool, name)).mode & 0o777).toBe(0o600)
  expect(statSync(spool).mode & 0o777).toBe(0o700)
  await failElevenTimes(rig)
  reportMany(rig, 10, 250)
  rig.central.isDown = false
  rig.clock.advance(30_000)
  await until(rig, () => rig.metrics.value('kernel_forwarded_total') === 260)
  expect(parts(rig.central)).toEqual(numbered(260))
  expect(spoolLines(spool)).toEqual([])
})

test('18. what a stop could not send is sent by the next process, each row with the id it had', async () => {
  const spool = join(newDirectory(), 'spool')
  const first = newRig({ level: 'none', spool })
  first.central.isDown = true
  reportMany(first, 5)
  await turns()
  await stop(first)
  const rows = spoolRows(spool)
  const second = newRig({ level: 'none', spool })
  reportMany(second, 1, 5)
  await until(second, () => second.central.rows.length === 6)
  expect(parts(second.central)).toEqual(numbered(6))
  expect(second.central.rows.slice(0, 5)).toEqual(rows)
})

test('18. a spool that cannot be written is told, and costs nothing else', async () => {
  const spool = join(newDirectory(), 'spool')
  writeFileSync(spool, 'a file in its place')
  const rig = newRig({ spool })
  rig.kernel.report({ part: 'p', error: 'x' })
  await until(rig, () => rig.central.rows.length === 1)
  expect(rig.lines.filter((line) => line.includes('FLOG_KERNEL_SPOOL_FAILED'))).toHaveLength(1)
  rmSync(spool)
  rig.central.isDown = true
  await turns()
  rig.clock.advance(30_000)
  rig.kernel.report({ part: 'p', error: 'y' })
  expect(spoolRows(spool)).toMatchObject([{ message: 'y' }])
})

test('18. only what was acknowledged is done with; the rest is sent again', async () => {
  const rig = newRig({ level: 'warning' })
  const send = rig.central.send.bind(rig.central)
  const sent: (readonly string[])[] = []
  rig.central.send = async (batch) => {
    sent.push(batch.map(({ part }) => part))
    const ids = await send(batch)
    return sent.length === 1 ? ids.slice(0, 1) : ids
  }
  reportMany(rig, 3)
  await turns()
  rig.clock.advance(30_000)
  await turns()
  expect(sent).toEqual([numbered(3), numbered(2, 1)])
  expect(rig.lines.at(-1)).toContain('errors are not forwarded: 1 of 3 were acknowledged')
})

test('K12. what is not acknowledged within 60 s is given up, told to stop, and sent again', async () => {
  const rig = newRig({ level: 'none' })
  const signals: AbortSignal[] = []
  rig.central.send = (_batch, ...rest: readonly unknown[]) => {
    signals.push(rest[0] as AbortSignal)
    return new Promise(() => {})
  }
  reportMany(rig, 1)
  await turns()
  rig.clock.advance(59_999)
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  rig.clock.advance(1)
  await turns()
  rig.clock.advance(250)
  await turns()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
})

test('19. failure to forward makes no forwards of itself', async () => {
  const rig = newRig()
  rig.central.isDown = true
  reportMany(rig, 1)
  await failElevenTimes(rig)
  expect(rig.lines.filter((line) => line.includes('FLOG_KERNEL_FORWARD_FAILED'))).toHaveLength(1)
  rig.central.isDown = false
  rig.kernel.report({ part: 'kernel.forward', error: 'about forwarding' })
  rig.kernel.report({ part: 'p', error: 'kept here', noForward: true })
  rig.clock.advance(30_000)
  await turns()
  expect(parts(rig.central)).toEqual(['part-0'])
})

test('20. 10,000 identical errors are one row with repeat 10,000, and one local line a second', async () => {
  const rig = newRig({ foldMs: 10_000 })
  const error = new TypeError('row 0 is locked')
  for (let i = 0; i < 10_000; i++) {
    rig.kernel.report({ part: 'p', error })
    if (i % 2000 === 1999) rig.clock.advance(1000)
  }
  const lines = rig.lines.map((line) => JSON.parse(line) as ErrorRow)
  expect(lines.map(({ repeat }) => repeat)).toEqual([1, 1999, 2000, 2000, 2000, 2000])
  expect(rig.central.rows).toEqual([])
  rig.clock.advance(5000)
  await turns()
  expect(rig.central.rows).toMatchObject([
    {
      message: 'row 0 is locked',
      repeat: 10_000,
      time: '1970-01-01T00:00:01.000000Z',
      lastTime: '1970-01-01T00:00:05.000000Z',
    },
  ])
  expect(rig.clock.pending).toBe(0)
})

test('D7. a sink that hangs or fails holds up nothing, and is told of', async () => {
  const hanging = { name: 'hanging', write: () => new Promise<void>(() => {}) }
  const failing = { name: 'failing', write: () => Promise.reject(new Error('table is gone')) }
  const rig = newRig({}, [hanging, failing])
  rig.kernel.report({ part: 'p', error: new Error('x') })
  await turns()
  expect(rig.central.rows[0]).toMatchObject({ part: 'p' })
  expect(rig.lines[1]).toContain('sink failing: 1 events were not taken: table is gone')
  const stopped = rig.kernel.stop({ flushMs: 100 })
  await turns()
  rig.clock.advance(100)
  await stopped
})
