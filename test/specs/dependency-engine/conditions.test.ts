import { BounceError } from '../../../src/collector/engine/errors'
import { type Flag, flagManifold, Gate, gateManifold, Switch } from '../../../src/collector/engine/flag'
import { Fortress, fortressManifold } from '../../../src/collector/engine/fortress'
import { housed } from '../../../src/collector/engine/housing'
import { partRef } from '../../../src/collector/engine/part'
import { valueWorker } from '../../../src/collector/engine/workers'
import { error, Probe, Rig, settle } from './rig'

const flag = partRef<Flag>('flag')

test('42. a flag that becomes false stops what depends on it, and starts it when it is true again', async () => {
  const rig = new Rig()
  const source = new Switch(true)
  rig.engine.install(flag, flagManifold(source))
  const probe = new Probe('a', [])
  rig.engine.install(partRef('a'), housed(probe.manifold, { flags: [flag] }))
  await rig.pass(100)
  expect([rig.of('a').state, rig.of('flag').report]).toEqual(['started', { value: true }])
  source.set(false)
  await rig.pass(100)
  expect(probe.live).toBe(0)
  expect(rig.of('a')).toMatchObject({
    state: 'stopped',
    error: 'flag "flag" is false: dependency not available',
  })
  source.set(true)
  await rig.pass(100)
  expect([probe.starts, probe.live]).toEqual([2, 1])
  expect(source.listeners).toBe(1)
  rig.engine.kill()
  await rig.end()
  expect(source.listeners).toBe(0)
})

test('42. a gate opens once, for good', async () => {
  const rig = new Rig()
  const gate = new Gate()
  const gateRef = partRef<Gate>('gate')
  rig.engine.install(gateRef, gateManifold(gate))
  rig.engine.install(flag, flagManifold(gate))
  let given: Gate | undefined
  rig.engine.install(partRef('opener'), {
    inputs: [gateRef],
    start: ({ get }) => {
      given = get(gateRef)
      return valueWorker(undefined)
    },
  })
  const probe = new Probe('a', [])
  rig.engine.install(partRef('a'), housed(probe.manifold, { flags: [flag] }))
  await rig.pass(100)
  expect([probe.starts, gate.value]).toEqual([0, false])
  given?.open()
  given?.open()
  await rig.pass(100)
  expect([probe.starts, probe.live, gate.value]).toEqual([1, 1, true])
  expect(rig.of('gate')).toMatchObject({ 'start-count': 1, report: { open: true } })
})

test('soft inputs: a part runs with or without one, and learns when it comes or goes', async () => {
  const rig = new Rig()
  const session = partRef<string>('session')
  const seen: unknown[] = []
  rig.engine.install(partRef('dashboard'), {
    soft: [session],
    start: ({ maybe }) => {
      seen.push(maybe(session))
      return valueWorker(undefined)
    },
  })
  await rig.pass(100)
  rig.engine.install(session, { start: () => valueWorker('lease 1') })
  await rig.pass(100)
  await rig.engine.uninstall('session')
  await rig.pass(100)
  expect(seen).toEqual([undefined, 'lease 1', undefined])
  expect(rig.of('dashboard')).toMatchObject({ state: 'started', soft: ['session'] })
})

test('a part that occupies a fortress runs while that is open, and is out when it is locked', async () => {
  const rig = new Rig()
  const fortress = new Fortress()
  const occupy = partRef<Fortress>('fortress')
  rig.engine.install(occupy, fortressManifold(fortress))
  const probe = new Probe('a', [])
  rig.engine.install(partRef('a'), housed(probe.manifold, { occupy }))
  await rig.pass(100)
  expect([rig.of('a').state, probe.starts]).toEqual(['starting', 0])
  fortress.unlock()
  await rig.pass(100)
  expect([rig.of('a').state, fortress.visitors, fortress.open]).toEqual(['started', 1, true])
  let locked = false
  const locking = fortress.lock().then(() => (locked = true))
  await probe.fail(error())
  await locking
  expect([locked, fortress.visitors, probe.live]).toEqual([true, 0, 0])
  await rig.pass(2000)
  expect(rig.of('a').state).toBe('starting')
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  expect(fortress.visitors).toBe(0)
})

test('who locks a fortress waits for those who are inside, not for those who come when it is open again', async () => {
  const fortress = new Fortress()
  fortress.unlock()
  const leave = await fortress.visit()
  let locked = 0
  const count = () => void locked++
  const impatient = new AbortController()
  const givenUp = fortress.lock(impatient.signal)
  fortress.lock().then(count)
  impatient.abort('no time')
  await expect(givenUp).rejects.toMatchObject({ code: 'FLOG_ABORTED', cause: 'no time' })
  expect([locked, fortress.open]).toEqual([0, false])
  fortress.unlock()
  const leaveToo = await fortress.visit()
  leave()
  leave()
  await settle()
  expect([locked, fortress.visitors]).toEqual([1, 1])
  const again = fortress.lock()
  leaveToo()
  await again
  expect([fortress.open, fortress.visitors]).toEqual([false, 0])
})

test('a start that fails inside a fortress leaves it', async () => {
  const rig = new Rig()
  const fortress = new Fortress()
  fortress.unlock()
  const occupy = partRef<Fortress>('fortress')
  rig.engine.install(occupy, fortressManifold(fortress))
  const start = () => Promise.reject(error())
  rig.engine.install(partRef('a'), housed({ start }, { occupy }))
  await rig.pass(100)
  expect([rig.of('a').state, fortress.visitors]).toEqual(['waiting', 0])
  await fortress.lock()
  await expect(fortress.visit(AbortSignal.abort())).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
})

test('the filter of a house comes after that of the part', async () => {
  const rig = new Rig()
  const probe = new Probe('a', [], [], { filter: (given) => new Error('inner', { cause: given }) })
  const filter = (given: unknown) =>
    given instanceof Error && given.message === 'inner' ? new BounceError() : given
  rig.engine.install(partRef('a'), housed(probe.manifold, { filter }))
  await settle()
  await probe.fail(error())
  await rig.pass(10)
  expect([probe.starts, rig.of('a').failures]).toEqual([2, 0])
})
