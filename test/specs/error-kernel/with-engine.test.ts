import type { Decision } from '../../../src/collector/kernel/event'
import { onPartError } from '../../../src/collector/kernel/part-errors'
import { type Probe, Rig } from '../dependency-engine/rig'
import { type Rig as KernelRig, newRig, stopKernels, turns } from './rig'

afterEach(stopKernels)

interface Both {
  readonly rig: Rig
  readonly kernel: KernelRig
  readonly probe: Probe
}

/** An engine with a part and one that needs it; the kernel decides, by one clock. */
async function both(decision?: Decision): Promise<Both> {
  const kernel = newRig({ level: 'none', policies: [() => decision] })
  const rig = new Rig({ onError: onPartError(kernel.kernel, (part) => ({ incident: `of ${part}` })) })
  const probe = await rig.part('store')
  await rig.part('indexer', ['store'])
  await rig.part('listener')
  return { rig, kernel, probe }
}

async function fail({ rig, probe }: Both): Promise<void> {
  await probe.fail(new Error('broken'))
  await turns()
  await rig.pass(0)
}

test('continue: the part stays as it ended, what needs it has lost its input, and the others go on', async () => {
  const it = await both({ action: 'continue', reason: 'known' })
  await fail(it)
  await it.rig.pass(60_000)
  expect(it.rig.states()).toEqual({ store: 'stopped', indexer: 'stopped', listener: 'started' })
  expect(it.probe.starts).toBe(1)
  expect(it.rig.log).not.toContain('listener stopped')
})

test('retry: the part is started again after the delay that the kernel gave', async () => {
  const it = await both({ action: 'retry', delayMs: 5000, reason: 'soon' })
  await fail(it)
  await it.rig.pass(4900)
  expect(it.probe.starts).toBe(1)
  await it.rig.pass(200)
  expect(it.probe.starts).toBe(2)
  expect(it.rig.states()).toEqual({ store: 'started', indexer: 'started', listener: 'started' })
})

test('restart: the part is started again, and what depends on it with it', async () => {
  const it = await both()
  await fail(it)
  await it.rig.pass(2000)
  expect(it.probe.starts).toBe(2)
  expect(it.rig.states()).toEqual({ store: 'started', indexer: 'started', listener: 'started' })
  expect(it.kernel.central.rows).toMatchObject([{ part: 'store', action: 'restart' }])
})

test('kill: the part stays down, and the row has what it was at', async () => {
  const it = await both({ action: 'kill', reason: 'poison' })
  await fail(it)
  await it.rig.pass(60_000)
  expect(it.rig.of('store')).toMatchObject({ killed: true })
  expect(it.rig.of('listener').state).toBe('started')
  expect(it.probe.starts).toBe(1)
  await turns()
  expect(it.kernel.central.rows).toMatchObject([
    { part: 'store', action: 'kill', message: 'broken', work: { incident: 'of store' } },
  ])
})

test('escalate: the 6th restart within 60 s stops the engine in order', async () => {
  const it = await both()
  for (let i = 0; i < 6; i++) {
    expect(it.rig.of('store').state).toBe('started')
    await fail(it)
    await it.rig.pass(2000)
  }
  await expect(it.rig.end()).resolves.toMatchObject({ message: expect.stringContaining('broken') })
  await turns()
  const actions = it.kernel.central.rows.map(({ action }) => action)
  expect(actions).toEqual(['restart', 'restart', 'restart', 'restart', 'restart', 'escalate'])
  expect(it.rig.log).toContain('listener stopped')
  expect(Object.values(it.rig.states()).every((state) => state === 'stopped')).toBe(true)
})

test('a kernel that stops first answers, and the engine that waits goes on', async () => {
  const kernel = newRig({ level: 'none', policies: [() => new Promise(() => {})] })
  const rig = new Rig({ onError: onPartError(kernel.kernel) })
  const probe = await rig.part('store')
  await probe.fail(new Error('broken'))
  await turns()
  void kernel.kernel.stop({ flushMs: 1 })
  await turns()
  await rig.pass(100)
  expect(rig.of('store')).toMatchObject({ killed: true })
})

test('of an error that ends the engine anyway the kernel is told, and not asked', async () => {
  const kernel = newRig({ level: 'none' })
  const rig = new Rig({ onError: onPartError(kernel.kernel) })
  const probe = await rig.part('store')
  await probe.fail(new Error('fatal'))
  await rig.pass(100)
  await turns()
  expect(kernel.central.rows).toMatchObject([{ part: 'store', kind: 'error', message: 'fatal' }])
  expect(kernel.metrics.value('kernel_decision_total')).toBe(0)
})
