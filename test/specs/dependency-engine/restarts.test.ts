import { BounceError, MissingError, UninstallError } from '../../../src/collector/engine/errors'
import { partRef } from '../../../src/collector/engine/part'
import { BOUNCE_MS, ERROR_MS, error, Rig } from './rig'

test('12. a start that an input outdates is aborted, and begins once more', async () => {
  const rig = new Rig()
  const input = await rig.part('a')
  const probe = await rig.part('b', ['a'])
  probe.onStart = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  await probe.fail(error())
  await rig.pass(ERROR_MS)
  expect(rig.of('b').state).toBe('starting')
  probe.onStart = undefined
  probe.newStarts()
  await input.fail(new BounceError())
  await rig.pass(10 * BOUNCE_MS)
  expect(probe.starts).toBe(1)
  expect(rig.states()).toEqual({ a: 'started', b: 'started' })
})

test('13. an error starts the dependents anew, once each', async () => {
  const rig = new Rig()
  const input = await rig.part('a')
  const dependents = [await rig.part('b', ['a']), await rig.part('c', ['a'])]
  await input.fail(error())
  expect(rig.states()).toEqual({ a: 'waiting', b: 'stopped', c: 'stopped' })
  await rig.pass(2 * ERROR_MS)
  expect(dependents.map(({ starts }) => starts)).toEqual([2, 2])
  expect(input.starts).toBe(2)
})

test('14. an error of a dependent leaves its input alone', async () => {
  const rig = new Rig()
  const input = await rig.part('a')
  const probe = await rig.part('b', ['a'])
  await probe.fail(error())
  await rig.pass(2 * ERROR_MS)
  expect([input.starts, probe.starts]).toEqual([1, 2])
})

test('15. a part that completed is not started again', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  await probe.complete()
  await rig.pass(100 * ERROR_MS)
  expect(probe.starts).toBe(1)
  expect(rig.of('a').state).toBe('stopped')
})

test('16. a part that completed runs again when its input bounces', async () => {
  const rig = new Rig()
  const input = await rig.part('a')
  const probe = await rig.part('b', ['a'])
  await probe.complete()
  await input.fail(new BounceError())
  await rig.pass(10 * BOUNCE_MS)
  expect(probe.starts).toBe(2)
})

test('17. a bounce goes down a chain of three', async () => {
  const rig = new Rig()
  const first = await rig.part('a')
  const second = await rig.part('b', ['a'])
  const third = await rig.part('c', ['b'])
  await first.fail(error())
  await rig.pass(2 * ERROR_MS)
  expect([first.starts, second.starts, third.starts]).toEqual([2, 2, 2])
  await second.fail(error())
  await rig.pass(2 * ERROR_MS)
  expect([first.starts, second.starts, third.starts]).toEqual([2, 3, 3])
})

test('20. the filter of a part is given errors of its start and of its worker', async () => {
  const rig = new Rig()
  const filter = (given: unknown) => {
    if (!(given instanceof Error)) throw new Error('what is no error was made one')
    if (given.message === 'enough') return undefined
    return given.message === 'again' ? new BounceError() : given
  }
  const probe = await rig.part('a', [], { filter })
  await probe.fail(new Error('again'))
  await rig.pass(BOUNCE_MS)
  expect(probe.starts).toBe(2)
  probe.onStart = () => Promise.reject(new Error('enough'))
  await probe.fail(new Error('again'))
  await rig.pass(100 * ERROR_MS)
  expect(probe.starts).toBe(3)
  expect(rig.of('a')).toMatchObject({ state: 'stopped' })
  expect(rig.of('a').error).toBeUndefined()
})

test('20. a filter that throws leaves the error as it was', async () => {
  const rig = new Rig()
  const probe = await rig.part('a', [], {
    filter: () => {
      throw new Error('a broken filter')
    },
  })
  await probe.fail(error('what happened'))
  expect(rig.of('a')).toMatchObject({ state: 'waiting', error: 'what happened' })
})

test('21. a part that misses something is started once or twice for a bounce, and once when its input stops for good', async () => {
  const rig = new Rig()
  const input = await rig.part('a')
  const probe = await rig.part('b', [], { soft: [partRef('a')] })
  probe.onStart = () => {
    throw new Error('looked for it in vain', { cause: new MissingError('"b" lacks something') })
  }
  await probe.fail(new MissingError('"b" lacks something'))
  probe.newStarts()
  await rig.pass(100 * ERROR_MS)
  expect(probe.newStarts()).toBe(0)
  await input.fail(new BounceError())
  await rig.pass(10 * ERROR_MS)
  const starts = probe.newStarts()
  expect(starts === 1 || starts === 2).toBe(true)
  await input.complete()
  await rig.pass(10 * ERROR_MS)
  expect(probe.newStarts()).toBe(1)
  expect(rig.of('b')).toMatchObject({ state: 'stopped', error: 'looked for it in vain' })
})

test('22. a bounce starts the part and its dependents anew after the delay of a bounce', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  const dependent = await rig.part('b', ['a'])
  await probe.fail(new Error('outer', { cause: new BounceError() }))
  await rig.pass(BOUNCE_MS - 1)
  expect(probe.starts).toBe(1)
  await rig.pass(1)
  expect(probe.starts).toBe(2)
  await rig.pass(10 * BOUNCE_MS)
  expect([probe.starts, dependent.starts]).toEqual([2, 2])
  expect(rig.of('a').failures).toBe(0)
})

test('23. a part that asks to be removed can be installed again, and its dependents run again', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  const dependent = await rig.part('b', ['a'])
  await probe.fail(new UninstallError())
  await rig.pass(ERROR_MS)
  expect(rig.states()).toEqual({ b: 'stopped' })
  expect(rig.of('b').error).toBe('"a" not running: dependency not available')
  await rig.part('a')
  await rig.pass(ERROR_MS)
  expect(rig.states()).toEqual({ a: 'started', b: 'started' })
  expect(dependent.starts).toBe(2)
})

test('30. the delay of a dependent whose start was aborted counts from the last abort', async () => {
  const rig = new Rig()
  const inputs = [await rig.part('a'), await rig.part('b')]
  const probe = await rig.part('c', [], { soft: [partRef('a'), partRef('b')] })
  await inputs[0]?.complete()
  await rig.pass(BOUNCE_MS - 2)
  await inputs[1]?.complete()
  await rig.pass(BOUNCE_MS - 2)
  expect(probe.starts).toBe(1)
  await rig.pass(2)
  expect(probe.starts).toBe(2)
  expect(rig.of('c').failures).toBe(0)
})

test('34. a start that throws, gives nothing or rejects with no error fails like any other', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  const fail = async (start: typeof probe.onStart) => {
    probe.onStart = start
    await rig.pass(2 * ERROR_MS)
    return rig.of('a').error
  }
  await probe.fail(undefined)
  expect(rig.of('a').error).toBe('part "a" threw no error, but undefined')
  const throwing = () => {
    throw error('at once')
  }
  expect(await fail(throwing)).toBe('at once')
  expect(await fail(() => undefined as never)).toBe('start of part "a" gave undefined that is no worker')
  expect(await fail(() => ({ kill: 1 }) as never)).toBe('start of part "a" gave something that is no worker')
  expect(await fail(() => Promise.reject('a text'))).toBe('part "a" threw no error, but a text')
  expect(await fail(() => Promise.reject(null))).toBe('part "a" threw no error, but null')
  expect(rig.engine.report().state).toBe('started')
  expect(rig.of('a').failures).toBeGreaterThan(4)
})

test('44. a part that is replaced bounces what depends on it, and nothing else', async () => {
  const rig = new Rig()
  const below = await rig.part('below')
  const old = await rig.part('a', ['below'])
  const above = [await rig.part('b', ['a']), await rig.part('c', ['b'])]
  const beside = await rig.part('beside', ['below'])
  const counts = [below, beside, ...above]
  old.output = 'old'
  const fresh = new Rig()
  const next = await fresh.part('a')
  next.newStarts()
  rig.engine.replace(partRef('a'), { ...next.manifold, inputs: [partRef('beside')] })
  await rig.pass(10 * BOUNCE_MS)
  expect([old.starts, old.live, next.starts, next.live]).toEqual([1, 0, 1, 2])
  expect(counts.map(({ starts }) => starts)).toEqual([1, 1, 2, 2])
  expect(rig.of('a').inputs).toEqual(['beside'])
  const loop = { ...next.manifold, inputs: [partRef('c')] }
  expect(() => rig.engine.replace(partRef('a'), loop)).toThrow('a ← c ← b ← a')
  expect(() => rig.engine.replace(partRef('z'), next.manifold)).toThrow('no part "z" is installed')
})
