import { KERNEL_QUEUE } from '../../../src/base/kernel-limits'
import type { SeenEvent } from '../../../src/collector/kernel/event'
import type { Kernel } from '../../../src/collector/kernel/kernel'
import type { Sink } from '../../../src/collector/kernel/sinks'
import { FakeClock } from '../../remote/support/fake-clock'
import { newRig, parsedLines, stopKernels, turns } from './rig'

afterEach(stopKernels)

const throwing = new Proxy(
  {},
  {
    get: () => {
      throw new Error('no')
    },
    ownKeys: () => {
      throw new Error('no')
    },
  },
)

test('K1. metrics that throw hide no error, and answer every question', async () => {
  const metrics = {
    add: () => {
      throw new Error('no such label')
    },
    set: () => {
      throw new Error('no such gauge')
    },
  }
  const rig = newRig({ metrics })
  rig.kernel.report({ part: 'p', error: 'x' })
  await expect(rig.kernel.ask({ part: 'p', error: 'y' })).resolves.toMatchObject({ action: 'restart' })
  await turns()
  expect(parsedLines(rig).map(({ message }) => message)).toEqual(['x', 'y'])
  expect(rig.central.rows.map(({ message }) => message)).toEqual(['x', 'y'])
})

test('K1. a report that cannot be read is one that says so', async () => {
  const rig = newRig()
  rig.kernel.report(throwing as never)
  rig.kernel.scoped('p').report(throwing as never)
  await expect(rig.kernel.ask(throwing as never)).resolves.toMatchObject({ action: 'restart' })
  await expect(rig.kernel.scoped('p').ask(throwing as never)).resolves.toMatchObject({ action: 'restart' })
  await turns()
  expect(rig.central.rows.map(({ part, message }) => [part, message])).toEqual([
    ['unknown', 'a report that cannot be read'],
    ['p', 'a report that cannot be read'],
    ['unknown', 'a report that cannot be read'],
    ['p', 'a report that cannot be read'],
  ])
})

test.each([
  ['a symbol', () => Symbol('x'.repeat(1e6))],
  ['a whole number', () => 1n << 4_000_000n],
  ['a negative one', () => -(1n << 4_000_000n)],
  ['an array of them', () => [1n << 4_000_000n, Symbol('y'.repeat(1e6))]],
  ['a date that shows itself', () => Object.assign(new Date(0), { toISOString: () => 'x'.repeat(1e6) })],
])('22. %s of any size is capped', async (_, make) => {
  const rig = newRig()
  const thrown = make()
  rig.kernel.report({ part: 'p', error: thrown, work: { thrown } })
  await turns()
  expect(rig.central.rows).toHaveLength(1)
  expect(JSON.stringify(rig.central.rows).length).toBeLessThan(20_000)
})

test.each([
  ['for ever', Number.POSITIVE_INFINITY, 5000, []],
  ['for ever, in the end a day', Number.POSITIVE_INFINITY, 86_400_000, ['timeout']],
  ['for no number of milliseconds', Number.NaN, 4999, []],
  ['for no number of milliseconds, in the end 5 s', Number.NaN, 5000, ['timeout']],
  ['for less than nothing', -1, 1, ['timeout']],
])('13. who would wait %s is answered', async (_, timeoutMs, ms, answered) => {
  const rig = newRig({ policies: [() => new Promise(() => {})] })
  const answers: string[] = []
  void rig.kernel.ask({ part: 'p', error: 'x' }, { timeoutMs }).then(() => answers.push('timeout'))
  await turns()
  rig.clock.advance(ms)
  await turns()
  expect(answers).toEqual(answered)
})

test('D7. a sink that hangs is told of when events are dropped for it', async () => {
  const rig = newRig({ level: 'warning' }, [{ name: 'hanging', write: () => new Promise(() => {}) }])
  for (let i = 0; i < KERNEL_QUEUE + 50; i++) {
    rig.kernel.report({ part: `part-${i}`, error: 'x' })
    if (i === 0) await turns()
  }
  const told = parsedLines(rig).filter(({ part }) => part === 'kernel.sinks')
  expect(told.map(({ message }) => message)).toEqual([
    'sink hanging: events are dropped, since it is too slow',
  ])
})

/** Fails in its own name at each batch, in the call and later. */
class ReportingSink implements Sink {
  readonly name = 'reporting'
  readonly folded = false
  readonly events: SeenEvent[] = []
  kernel: Kernel | undefined

  async write(batch: readonly SeenEvent[]): Promise<void> {
    this.events.push(...batch)
    this.kernel?.report({ part: 'reporting', error: 'in the call' })
    await Promise.resolve()
    if (this.events.length < 100) this.kernel?.report({ part: 'reporting', error: 'later' })
  }
}

test('a sink that reports does not hear what it reports in the call, and never holds up the process', async () => {
  const sink = new ReportingSink()
  const rig = newRig({}, [sink])
  sink.kernel = rig.kernel
  rig.kernel.report({ part: 'p', error: 'x' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(sink.events.length).toBeLessThan(5)
  for (let i = 0; i < 20; i++) await turns()
  expect(sink.events).toHaveLength(100)
  expect(sink.events.filter(({ message }) => message === 'in the call')).toEqual([])
})

test('what writes the lines may report itself: it is forwarded, and not shown', async () => {
  const rig: { kernel?: Kernel } = {}
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line)
    rig.kernel?.report({ part: 'lines', error: `again ${'x'.repeat(lines.length)}` })
  }
  const { kernel, central } = newRig({ write })
  rig.kernel = kernel
  kernel.report({ part: 'p', error: 'x' })
  await turns()
  expect(lines).toHaveLength(1)
  expect(central.rows.map(({ part }) => part).sort()).toEqual(['lines', 'p'])
})

/** Whose wall time goes where it likes. */
class JumpingClock extends FakeClock {
  jumpMs = 0

  override now(): number {
    return super.now() + this.jumpMs * 1000
  }
}

test('a wall clock that jumps changes what is written as the time, and nothing else', async () => {
  const clock = new JumpingClock()
  const rig = newRig({ clock, foldMs: 10_000, level: 'none' })
  const report = () => rig.kernel.report({ part: 'p', error: 'again' })
  report()
  clock.jumpMs = -86_400_000
  report()
  clock.jumpMs = 86_400_000
  clock.advance(9999)
  report()
  await turns()
  expect(rig.central.rows).toEqual([])
  expect(rig.kernel.state('p')).toMatchObject([{ countInWindow: 3 }])
  clock.advance(1)
  await turns()
  expect(rig.central.rows).toMatchObject([{ repeat: 3, lastTime: '1970-01-02T00:00:10.999000Z' }])
  clock.jumpMs = Number.NaN
  report()
  clock.advance(10_000)
  await turns()
  expect(rig.central.rows[1]).toMatchObject({ time: 'invalid time' })
})

test('10,000 parts that ask at once, some of which withdraw, are answered when the kernel stops', async () => {
  const rig = newRig({ level: 'none', policies: [() => new Promise(() => {})] })
  const aborts = Array.from({ length: 10_000 }, () => new AbortController())
  const asked = aborts.map(({ signal }, i) => rig.kernel.ask({ part: `part-${i}`, error: 'x' }, { signal }))
  const settled = Promise.allSettled(asked)
  await turns()
  for (const [i, abort] of aborts.entries()) if (i % 2 === 0) abort.abort()
  await rig.kernel.stop({ flushMs: 10 })
  const outcomes = await settled
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(5000)
  expect(
    outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value.action === 'kill'),
  ).toHaveLength(5000)
  expect(rig.clock.pending).toBe(0)
})
