import { FatalError } from '../../../src/collector/engine/errors'
import { partRef } from '../../../src/collector/engine/part'
import { deferred } from '../../../src/collector/engine/workers'
import { ERROR_MS, error, Probe, Rig, settle } from './rig'

const never = () => new Promise<never>(() => {})

test('11. a start is aborted when the engine is told to stop, and nothing starts again', async () => {
  const rig = new Rig()
  const probe = new Probe('a', [])
  probe.onStart = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  rig.engine.install(partRef('a'), probe.manifold)
  await settle()
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  await rig.pass(100 * ERROR_MS)
  expect(probe.starts).toBe(1)
})

test('18. a fatal error stops everything and is the answer; a plain one is not', async () => {
  const rig = new Rig()
  const plain = await rig.part('a')
  const other = await rig.part('b')
  await plain.fail(error())
  expect(rig.engine.report().state).toBe('started')
  const fatal = new Error('fatal')
  await other.fail(fatal)
  expect(await rig.end()).toBe(fatal)
  expect(rig.states()).toEqual({ a: 'stopped', b: 'stopped' })
  await rig.pass(100 * ERROR_MS)
  expect([plain.starts, other.starts]).toEqual([1, 1])
})

test('18. a FatalError is fatal whatever isFatal says, also as a cause', async () => {
  const rig = new Rig({ isFatal: () => false })
  const probe = await rig.part('a')
  await probe.fail(new Error('outer', { cause: new FatalError('inner') }))
  expect(await rig.end()).toMatchObject({ message: 'outer' })
})

test('19. the filter of the engine makes of the worst error what wait rejects with', async () => {
  const rig = new Rig({ filter: (worst) => new Error('filtered', { cause: worst }) })
  const probe = await rig.part('a')
  await probe.fail(new Error('fatal'))
  expect(await rig.end()).toMatchObject({ message: 'filtered', cause: { message: 'fatal' } })
  const quiet = new Rig({ filter: () => undefined })
  const second = await quiet.part('a')
  await second.fail(new Error('fatal'))
  expect(await quiet.end()).toBeUndefined()
})

test('24. the worse error is asked for once for each fatal one, and what it says holds', async () => {
  const calls: unknown[][] = []
  const worst = new Error('the worst of all')
  const rig = new Rig({
    isFatal: (given) => given instanceof RangeError,
    worstError: (...given) => {
      calls.push(given)
      return calls.length === 2 ? worst : given[0]
    },
  })
  const probes = [await rig.part('a'), await rig.part('b')]
  probes[1]!.obeys = false
  const [first, second] = [new RangeError('first'), new RangeError('second')]
  await probes[0]?.fail(first)
  await probes[1]?.fail(second)
  expect(await rig.end()).toBe(worst)
  expect(calls).toEqual([
    [first, undefined],
    [second, first],
  ])
})

test('35. a start that takes too long fails, and the worker that comes late is killed on arrival', async () => {
  const rig = new Rig()
  const probe = new Probe('a', [], rig.log)
  const arrival = deferred()
  probe.onStart = async () => {
    await arrival.promise
    return probe.worker()
  }
  rig.engine.install(partRef('a'), { ...probe.manifold, startTimeoutMs: 500, stopTimeoutMs: 500 })
  await rig.pass(499)
  expect(rig.of('a').state).toBe('starting')
  await rig.pass(1)
  expect(rig.of('a')).toMatchObject({ state: 'stopping', error: 'part "a" did not start within 500 ms' })
  expect(probe.contexts[0]?.signal.aborted).toBe(true)
  probe.onStart = undefined
  arrival.resolve()
  await settle()
  expect(rig.log).toEqual(['a started', 'a stopped'])
  expect(rig.of('a')).toMatchObject({ state: 'waiting', failures: 1, 'delay-ms': ERROR_MS })
  await rig.pass(ERROR_MS)
  expect([rig.of('a').state, probe.starts, probe.live]).toEqual(['started', 2, 1])
})

test('35. a start that never settles is abandoned, and does not begin a second time beside itself', async () => {
  const rig = new Rig({ startTimeoutMs: 500, stopTimeoutMs: 500 })
  const probe = new Probe('a', [])
  probe.onStart = never
  rig.engine.install(partRef('a'), probe.manifold)
  await rig.pass(1000)
  expect(rig.of('a').state).toBe('abandoned')
  await rig.pass(100 * ERROR_MS)
  expect(probe.starts).toBe(1)
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
})

test('36. a worker that ignores that it is killed is abandoned, the engine ends, and its report names it', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const stubborn = await rig.part('stubborn')
  const good = await rig.part('good')
  stubborn.obeys = false
  rig.engine.kill()
  await rig.pass(499)
  expect(rig.engine.report().state).toBe('stopping')
  await rig.pass(1)
  expect(await rig.end()).toBeUndefined()
  expect(rig.states()).toEqual({ stubborn: 'abandoned', good: 'stopped' })
  expect(rig.of('stubborn').error).toBe('part "stubborn" did not stop within 500 ms')
  await stubborn.complete()
  expect([stubborn.live, good.live]).toEqual([0, 0])
  expect(rig.states()).toEqual({ stubborn: 'abandoned', good: 'stopped' })
})

test('36. an abandoned part has no second worker beside the first, and runs again when that is gone', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const input = await rig.part('a')
  const stubborn = await rig.part('b', ['a'])
  const dependent = await rig.part('c', ['b'])
  stubborn.obeys = false
  await input.fail(error())
  await rig.pass(5 * ERROR_MS)
  expect(rig.states()).toEqual({ a: 'started', b: 'abandoned', c: 'stopped' })
  expect([stubborn.starts, dependent.live]).toEqual([1, 0])
  await stubborn.complete()
  await rig.pass(ERROR_MS)
  expect(rig.states()).toEqual({ a: 'started', b: 'started', c: 'started' })
  expect(stubborn.live).toBe(1)
})

test('36. a worker whose kill throws is waited for like any other', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const ended = deferred()
  const kill = () => {
    throw error('kill is broken')
  }
  rig.engine.install(partRef('a'), { start: () => ({ kill, wait: () => ended.promise }) })
  await settle()
  rig.engine.kill()
  await rig.pass(100)
  expect(rig.of('a').state).toBe('stopping')
  ended.resolve()
  expect(await rig.end()).toBeUndefined()
})

test('37. dependents stop before what they depend on, whatever the order of installation', async () => {
  const rig = new Rig()
  await rig.part('collector', ['session'])
  await rig.part('store')
  await rig.part('session', ['store'])
  await rig.part('dashboard', [], { soft: [partRef('session')] })
  await rig.pass(100)
  rig.log.length = 0
  rig.engine.kill()
  await rig.end()
  expect(rig.log).toEqual(['collector stopped', 'dashboard stopped', 'session stopped', 'store stopped'])
})

test('37. each level has a time of its own to stop, and one that does not use it up holds nobody up', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const store = await rig.part('store')
  const session = await rig.part('session', ['store'])
  const other = await rig.part('other', ['store'])
  session.obeys = false
  rig.engine.kill()
  await rig.pass(499)
  expect([store.live, session.live, other.live]).toEqual([1, 1, 0])
  await rig.pass(1)
  expect(store.live).toBe(0)
  expect(await rig.end()).toBeUndefined()
})

test('38. a start whose delay had not passed is never begun', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  await probe.fail(error())
  expect(rig.of('a').state).toBe('waiting')
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  await rig.pass(100 * ERROR_MS)
  expect(probe.starts).toBe(1)
  expect(rig.clock.pending).toBe(0)
})

test('38. an engine that is told to stop in the turn of an installation starts nothing', async () => {
  const rig = new Rig()
  const probe = new Probe('a', [])
  rig.engine.install(partRef('a'), probe.manifold)
  rig.engine.kill()
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  expect(probe.starts).toBe(0)
})

test('40. a part can be removed while it starts, and while it runs', async () => {
  const rig = new Rig()
  const running = await rig.part('a')
  const dependent = await rig.part('b', ['a'])
  await rig.engine.uninstall('a')
  await rig.pass(100)
  expect([running.live, dependent.live]).toEqual([0, 0])
  expect(rig.states()).toEqual({ b: 'stopped' })
  const starting = new Probe('a', [])
  const arrival = deferred()
  starting.onStart = async () => {
    await arrival.promise
    return starting.worker()
  }
  rig.engine.install(partRef('a'), starting.manifold)
  await settle()
  const gone = rig.engine.uninstall('a')
  expect(() => rig.engine.install(partRef('a'), starting.manifold)).toThrow('already installed')
  arrival.resolve()
  await gone
  expect(starting.live).toBe(0)
  await expect(rig.engine.uninstall('a')).rejects.toMatchObject({ code: 'FLOG_ENGINE_UNKNOWN' })
  await rig.part('a')
  expect(rig.states()).toEqual({ b: 'started', a: 'started' })
})

test('40. a part that waits, or does not stop, can be removed too', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const waiting = await rig.part('a')
  await waiting.fail(error())
  await rig.engine.uninstall('a')
  const stubborn = await rig.part('b')
  stubborn.obeys = false
  const gone = rig.engine.uninstall('b')
  void rig.pass(500)
  await expect(gone).rejects.toMatchObject({ code: 'FLOG_ENGINE_ABANDONED' })
  await expect(rig.engine.uninstall('b')).rejects.toMatchObject({ code: 'FLOG_ENGINE_ABANDONED' })
  await stubborn.complete()
  await rig.pass(10 * ERROR_MS)
  expect(rig.states()).toEqual({})
  expect([waiting.starts, stubborn.starts]).toEqual([1, 1])
})

test('37. a part that is removed while all stop goes when its turn comes', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const store = await rig.part('store')
  const probe = await rig.part('collector', ['store'])
  const events = rig.engine.events[Symbol.asyncIterator]()
  probe.obeys = false
  rig.engine.kill()
  const gone = rig.engine.uninstall('store')
  await settle()
  expect([store.live, rig.of('store').state]).toEqual([1, 'started'])
  await probe.complete()
  await gone
  expect([store.live, rig.states()]).toEqual([0, { collector: 'stopped' }])
  const seen: unknown[] = []
  for (let i = 0; i < 6; i++) seen.push((await events.next()).value)
  expect(seen).toMatchObject(
    ['dying', 'stopping', 'stopped', 'stopping', 'stopped', 'uninstalled'].map((type) => ({ type })),
  )
})

test('37. a part that was replaced keeps what it was given until it has stopped', async () => {
  const rig = new Rig({ stopTimeoutMs: 500 })
  const store = await rig.part('store')
  const probe = await rig.part('collector', ['store'])
  probe.obeys = false
  rig.engine.replace(partRef('collector'), new Probe('collector', []).manifold)
  rig.engine.kill()
  await settle()
  expect([rig.states(), store.live]).toEqual([{ store: 'started', collector: 'stopping' }, 1])
  await probe.complete()
  expect([await rig.end(), store.live]).toEqual([undefined, 0])
})

test('37. a circle of a former version and a new one holds nobody up', async () => {
  const rig = new Rig()
  await rig.part('store')
  const probe = await rig.part('collector', ['store'])
  // Decided and done in one turn, so that neither has learnt of its new version when everything stops.
  const filter = (given: unknown) => {
    rig.engine.replace(partRef('collector'), new Probe('collector', []).manifold)
    rig.engine.replace(partRef('store'), new Probe('store', ['collector']).manifold)
    return given
  }
  const third = await rig.part('third', [], { filter })
  await third.fail(new Error('fatal'))
  expect([await rig.end(), probe.live]).toEqual([expect.objectContaining({ message: 'fatal' }), 0])
})

test('why it was told to stop is seen in the report, the events, and by the parts', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  const reader = rig.engine.events[Symbol.asyncIterator]()
  rig.engine.kill(error('SIGTERM'))
  rig.engine.kill('a second time')
  expect((await reader.next()).value).toMatchObject({ type: 'dying', reason: { message: 'SIGTERM' } })
  expect(await rig.end()).toBeUndefined()
  expect(rig.engine.report()).toMatchObject({ state: 'stopped', reason: 'SIGTERM' })
  expect(probe.contexts[0]?.signal.reason).toMatchObject({ cause: { message: 'SIGTERM' } })
  const failing = new Rig()
  const fatal = await failing.part('a')
  await fatal.fail(new Error('fatal'))
  await failing.end()
  expect(failing.engine.report()).toMatchObject({ reason: 'fatal', error: 'fatal' })
})

test('nothing is installed once kill was called, also from inside a part', async () => {
  const rig = new Rig()
  const codes: unknown[] = []
  const probe = new Probe('a', [])
  probe.onStart = () => {
    rig.engine.kill()
    try {
      rig.engine.install(partRef('b'), probe.manifold)
    } catch (thrown) {
      codes.push((thrown as { code: unknown }).code)
    }
    return probe.worker()
  }
  rig.engine.install(partRef('a'), probe.manifold)
  expect(await rig.end()).toBeUndefined()
  expect([codes, rig.states()]).toEqual([['FLOG_ENGINE_STOPPING'], { a: 'stopped' }])
})

test('36. whoever can do without a part that was abandoned is started anew once for it, and not for one that never ran', async () => {
  const rig = new Rig({ stopTimeoutMs: 500, startTimeoutMs: 500 })
  const slow = new Probe('slow', [])
  slow.onStart = never
  rig.engine.install(partRef('slow'), slow.manifold)
  const input = await rig.part('input')
  const stubborn = await rig.part('stubborn', ['input'])
  const dependent = await rig.part('dependent', [], { soft: [partRef('stubborn'), partRef('slow')] })
  await rig.pass(1000)
  expect([rig.of('slow').state, dependent.newStarts()]).toEqual(['abandoned', 1])
  stubborn.obeys = false
  await input.complete()
  await rig.pass(600)
  expect([rig.of('stubborn').state, dependent.newStarts()]).toEqual(['abandoned', 1])
  await stubborn.complete()
  await rig.pass(1000)
  expect([rig.of('stubborn').state, dependent.newStarts()]).toEqual(['stopped', 0])
})

test('a part that is killed while it is abandoned keeps its name until its worker is gone', async () => {
  const rig = new Rig({ stopTimeoutMs: 500, onError: () => ({ action: 'kill' }) })
  const input = await rig.part('input')
  const stubborn = await rig.part('stubborn', ['input'])
  stubborn.obeys = false
  await input.complete()
  await rig.pass(500)
  expect(rig.of('stubborn')).toMatchObject({ state: 'abandoned', killed: true })
  expect(() => rig.engine.install(partRef('stubborn'), stubborn.manifold)).toThrow(
    '"stubborn" is already installed: it is being removed, and keeps its name until its worker is gone',
  )
  await stubborn.complete()
  expect(rig.of('stubborn')).toMatchObject({ state: 'stopped', killed: true })
  rig.engine.install(partRef('stubborn'), stubborn.manifold)
})
