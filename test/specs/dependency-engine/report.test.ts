import { TryAgainError } from '../../../src/collector/engine/errors'
import type { EngineEvent } from '../../../src/collector/engine/events'
import { partRef, type StartContext } from '../../../src/collector/engine/part'
import { type EngineHandle, selfManifold } from '../../../src/collector/engine/self'
import { deferred, fromAsync, valueWorker } from '../../../src/collector/engine/workers'
import { ERROR_MS, error, Probe, Rig, settle } from './rig'

test('31. the report shows states, inputs, errors and what workers say of themselves', async () => {
  const rig = new Rig()
  const probe = await rig.part('store')
  const arrival = deferred()
  const slow = await rig.part('slow', [])
  await slow.fail(error())
  slow.onStart = async () => {
    await arrival.promise
    return { ...slow.worker(), report: () => ({ rows: 7 }) }
  }
  await rig.part('index', ['store', 'nobody'], { soft: [partRef('slow')] })
  expect(rig.engine.report()).toEqual({
    state: 'started',
    manifolds: {
      store: expect.objectContaining({
        state: 'started',
        inputs: [],
        soft: [],
        'start-count': 1,
        restarts: 0,
      }),
      slow: expect.objectContaining({
        state: 'waiting',
        error: 'a plain error',
        'delay-ms': ERROR_MS,
        failures: 1,
      }),
      index: expect.objectContaining({ state: 'stopped', inputs: ['store', 'nobody'], soft: ['slow'] }),
    },
  })
  expect(rig.of('index').error).toBe('"nobody" not running: dependency not available')
  await rig.pass(ERROR_MS)
  expect(rig.of('slow').state).toBe('starting')
  arrival.resolve()
  await settle()
  expect(rig.of('slow')).toMatchObject({ state: 'started', report: { rows: 7 }, restarts: 1 })
  expect(rig.of('slow').started).toMatch(/^1970-01-01T00:00:0\d\.\d{6}Z$/)
  probe.obeys = false
  rig.engine.kill()
  expect(rig.engine.report().state).toBe('stopping')
  expect(rig.of('store').state).toBe('stopping')
  await probe.fail(new Error('fatal'))
  expect(await rig.end()).toMatchObject({ message: 'fatal' })
  const last = rig.engine.report()
  expect(last).toMatchObject({ state: 'stopped', error: 'fatal', manifolds: { store: { error: 'fatal' } } })
  expect(rig.engine.report()).toBe(last)
  expect(JSON.parse(JSON.stringify(last))).toEqual(last)
})

test('31. a report that throws says so in its place', async () => {
  const rig = new Rig()
  const report = () => {
    throw error('no report')
  }
  rig.engine.install(partRef('a'), { start: () => ({ ...new Probe('a', []).worker(), report }) })
  await settle()
  expect(rig.of('a').report).toEqual({ error: 'no report' })
})

test('32. the engine can be a part of itself, through which a hundred parts are installed at once', async () => {
  const rig = new Rig()
  const self = partRef<EngineHandle>('self')
  rig.engine.install(self, selfManifold(rig.engine))
  const names = Array.from({ length: 100 }, (_, i) => `part ${i}`)
  const probes = names.map((name) => new Probe(name, ['installer']))
  const start = async ({ get }: StartContext) => {
    const engine = get(self)
    await Promise.all(probes.map(async ({ name, manifold }) => engine.install({ name }, manifold)))
    return valueWorker(engine.report().state)
  }
  rig.engine.install(partRef<string>('installer'), { inputs: [self], start })
  await rig.pass(1000)
  expect(probes.map(({ starts }) => starts)).toEqual(names.map(() => 1))
  expect(Object.keys(rig.engine.report().manifolds)).toHaveLength(102)
  expect(rig.of('self').report).toBeUndefined()
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
})

test('32. an engine can be a part of another one', async () => {
  const outer = new Rig()
  const inner = new Rig()
  const probe = await inner.part('deep')
  outer.engine.install(partRef('inner'), { start: () => inner.engine })
  await settle()
  expect(outer.of('inner').report).toMatchObject({
    state: 'started',
    manifolds: { deep: { state: 'started' } },
  })
  await probe.fail(new Error('fatal'))
  await settle()
  expect(await outer.end()).toMatchObject({ message: 'fatal' })
})

test('the graph is shown in the language of Graphviz', async () => {
  const rig = new Rig()
  await rig.part('store')
  await rig.part('the "web"\\', ['store', 'gone'], { soft: [partRef('lease')] })
  expect(rig.engine.dot()).toBe(
    [
      'digraph engine {',
      '  rankdir=LR',
      '  node [shape=box, style=filled]',
      '  "store" [label="store\\nstarted", fillcolor=palegreen]',
      '  "the \\"web\\"\\\\" [label="the \\"web\\"\\\\\\nstopped\\n\\"gone\\" not running: dependency not available", fillcolor=lightgrey]',
      '  "gone" [style=dotted]',
      '  "lease" [style=dotted]',
      '  "store" -> "the \\"web\\"\\\\"',
      '  "gone" -> "the \\"web\\"\\\\"',
      '  "lease" -> "the \\"web\\"\\\\" [style=dashed]',
      '}',
      '',
    ].join('\n'),
  )
})

test('whoever reads events gets all of them in order, and an end', async () => {
  const rig = new Rig()
  const events: EngineEvent[] = []
  const reading = (async () => {
    for await (const event of rig.engine.events) events.push(event)
  })()
  const probe = await rig.part('a')
  await probe.fail(error('why'))
  await rig.pass(ERROR_MS)
  rig.engine.kill('enough')
  await reading
  expect(events.map(({ type, part }) => [type, part].join(' ').trim())).toEqual([
    ...['installed a', 'starting a', 'started a', 'stopped a', 'decided a', 'waiting a'],
    ...['starting a', 'started a', 'dying', 'stopping a', 'stopped a', 'dead'],
  ])
  expect(events[3]).toMatchObject({ error: { message: 'why' } })
  expect(events[4]).toMatchObject({ action: 'restart' })
  const late: EngineEvent[] = []
  for await (const event of rig.engine.events) late.push(event)
  expect(late).toEqual([])
})

test('whoever reads too slowly is told how much was missed', async () => {
  const rig = new Rig()
  const reader = rig.engine.events[Symbol.asyncIterator]()
  for (let i = 0; i < 1100; i++) {
    rig.engine.install({ name: `part ${i}` }, { inputs: [partRef('nobody')], start: () => valueWorker(0) })
  }
  expect((await reader.next()).value).toMatchObject({ type: 'missed', count: 100 })
  expect((await reader.next()).value).toMatchObject({ type: 'installed', part: 'part 100' })
  await reader.return?.()
  expect(await reader.next()).toEqual({ done: true, value: undefined })
})

test('metrics are told of starts and ends, and may throw, as the log may', async () => {
  const told: unknown[] = []
  const broken = () => {
    throw error('a broken log')
  }
  const rig = new Rig({
    stopTimeoutMs: 500,
    metrics: {
      started: (...given) => told.push(['started', ...given]),
      ended: (...given) => {
        told.push(['ended', ...given])
        throw error('broken metrics')
      },
      abandoned: (...given) => told.push(['abandoned', ...given]),
    },
    log: { debug: broken, info: broken, warn: broken, error: broken },
  })
  const probe = await rig.part('a')
  await probe.fail(error())
  await rig.pass(ERROR_MS)
  probe.obeys = false
  rig.engine.kill()
  await rig.pass(500)
  await rig.end()
  expect(told).toEqual([
    ['started', 'a', { delayMs: 0, startMs: 0 }],
    ['ended', 'a', 'error', 10],
    ['started', 'a', { delayMs: ERROR_MS, startMs: 0 }],
    ['abandoned', 'a'],
  ])
})

test('the log has a level for what an error means: expected, failed, or the end', async () => {
  const told: string[] = []
  const at = (level: string) => (message: string) =>
    void (level !== 'debug' && told.push(`${level} ${message}`))
  const rig = new Rig({ log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } })
  const probe = await rig.part('a')
  await probe.fail(new Error('outer', { cause: new TryAgainError('the port is still taken') }))
  expect(rig.of('a')).toMatchObject({ state: 'waiting', failures: 1, 'delay-ms': ERROR_MS })
  await rig.pass(ERROR_MS)
  await probe.fail(error('try again'))
  await rig.pass(ERROR_MS)
  await probe.fail(error('fatal'))
  await rig.end()
  expect(told).toEqual(['info a decided', 'warn a decided', 'error engine dying', 'error engine dead'])
  told.length = 0
  const quiet = new Rig({
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  })
  quiet.engine.kill()
  await quiet.end()
  expect(told).toEqual(['info engine dying', 'info engine dead'])
})

test('an async function is a worker: told to stop by its signal, and failed by what it throws', async () => {
  const rig = new Rig()
  let end: (error?: Error) => void = () => {}
  const run = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      end = (given) => (given === undefined ? resolve() : reject(given))
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  rig.engine.install(partRef('a'), { start: () => fromAsync(run, () => 'busy') })
  await settle()
  expect(rig.of('a')).toMatchObject({ state: 'started', report: 'busy' })
  end(error('of its own'))
  await settle()
  expect(rig.of('a')).toMatchObject({ state: 'waiting', error: 'of its own' })
  await rig.pass(ERROR_MS)
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  const throwing = fromAsync(() => {
    throw error('at once')
  })
  await expect(throwing.wait()).rejects.toThrow('at once')
})
