import type { Manifold, PartRef, PartWorker } from '../../../src/collector/engine/part'
import { partRef } from '../../../src/collector/engine/part'
import { FakeClock } from '../../remote/support/fake-clock'
import { ERROR_MS, error, Probe, Rig, settle } from './rig'

/** A clock that refuses one time. */
class BrokenClock extends FakeClock {
  override after(ms: number, action: () => void): ReturnType<FakeClock['after']> {
    if (ms === 1234) throw error('the clock is broken')
    return super.after(ms, action)
  }
}

test('an output that throws is an error of its part, whose worker is told to stop', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const probe = new Probe('a', [], rig.log)
  probe.onStart = () =>
    Object.defineProperty(probe.worker(), 'output', {
      get: () => {
        throw error('a broken output')
      },
    })
  rig.engine.install(partRef('a'), probe.manifold)
  const dependent = await rig.part('b', ['a'])
  expect(rig.of('a')).toMatchObject({ state: 'waiting', error: 'a broken output', failures: 1 })
  expect([rig.engine.report().state, dependent.starts, probe.live]).toEqual(['started', 0, 0])
  probe.obeys = false
  await rig.pass(ERROR_MS)
  expect(rig.of('a').state).toBe('stopping')
  await rig.pass(500)
  expect(rig.of('a').state).toBe('abandoned')
})

test('an output is what it was when the part had started', async () => {
  const rig = new Rig()
  const worker: { output?: unknown } & PartWorker<unknown> = { ...new Probe('a', []).worker(), output: 1 }
  rig.engine.install(partRef('a'), { start: () => worker })
  await settle()
  worker.output = 2
  const seen: unknown[] = []
  rig.engine.install(partRef('b'), {
    inputs: [partRef('a')],
    start: ({ get }) => {
      seen.push(get(partRef('a')))
      return new Probe('b', []).worker()
    },
  })
  await settle()
  expect(seen).toEqual([1])
})

test('something that throws when it is looked at is no worker', async () => {
  const rig = new Rig()
  const hostile = new Proxy({} as PartWorker<unknown>, {
    get: (_, name) => {
      if (name === 'then') return undefined
      throw error('do not look')
    },
  })
  rig.engine.install(partRef('a'), { start: () => hostile })
  await settle()
  expect(rig.of('a').error).toBe('start of part "a" gave something that is no worker')
})

test('inputs are what they were when the part was installed', async () => {
  const rig = new Rig()
  await rig.part('a')
  const inputs: PartRef[] = [partRef('a')]
  const probe = new Probe('b', [])
  const manifold: Manifold = { ...probe.manifold, inputs }
  rig.engine.install(partRef('b'), manifold)
  inputs.push(partRef('b'))
  Object.defineProperty(manifold, 'soft', { value: 7 })
  await rig.engine.uninstall('a')
  await rig.part('a')
  expect([rig.states(), probe.starts]).toEqual([{ b: 'started', a: 'started' }, 2])
  expect(rig.of('b')).toMatchObject({ inputs: ['a'], soft: [] })
})

test('an engine that contradicts itself stops all parts, and says so before any other error', async () => {
  const clock = new BrokenClock()
  const rig = new Rig({ clock, stopTimeoutMs: 500, startTimeoutMs: 600 })
  const good = await rig.part('good')
  await rig.part('bad', [], { startTimeoutMs: 1234 })
  expect(rig.engine.report().state).toBe('stopping')
  clock.advance(500)
  await good.fail(new Error('fatal'))
  const end = await rig.end()
  expect(end).toMatchObject({ code: 'FLOG_ENGINE_INTERNAL', cause: { message: 'the clock is broken' } })
  expect([good.live, clock.pending]).toEqual([0, 0])
})

test('an engine that contradicts itself ends, although it lost track of a part', async () => {
  const clock = new BrokenClock()
  const rig = new Rig({ clock, stopTimeoutMs: 500 })
  await rig.part('bad', [], { startTimeoutMs: 1234, stopTimeoutMs: 1234 })
  expect(rig.engine.report().state).toBe('stopping')
  clock.advance(500)
  expect(await rig.end()).toMatchObject({ code: 'FLOG_ENGINE_INTERNAL' })
  expect(clock.pending).toBe(0)
})
