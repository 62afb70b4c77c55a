import type { Decision, EngineConfig, PartErrorContext } from '../../../src/collector/engine/config'
import { partRef } from '../../../src/collector/engine/part'
import { ERROR_MS, error, type Probe, Rig, settle } from './rig'

type Hook = NonNullable<EngineConfig['onError']>

/** A part with a dependent, and what the hook was asked. */
async function deciding(onError: Hook): Promise<{
  rig: Rig
  probe: Probe
  dependent: Probe
  asked: Array<{ part: string; error: unknown; context: PartErrorContext }>
  failures: string[]
}> {
  const asked: Array<{ part: string; error: unknown; context: PartErrorContext }> = []
  const failures: string[] = []
  const log = (message: string, fields: Readonly<Record<string, unknown>>) =>
    void (message.endsWith('failed') && failures.push(String(fields['error'])))
  const rig = new Rig({
    backoffFactor: 2,
    stopTimeoutMs: 500,
    onError: (part, given, context) => {
      asked.push({ part, error: given, context })
      return onError(part, given, context)
    },
    log: { debug: log, info: log, warn: log, error: log },
  })
  const probe = await rig.part('a')
  const dependent = await rig.part('b', ['a'])
  return { rig, probe, dependent, asked, failures }
}

const always = (decision: Decision) => (): Decision => decision

test('continue leaves the part down until an input comes or goes', async () => {
  const { rig, probe, dependent } = await deciding(always({ action: 'continue' }))
  await dependent.fail(error('tired'))
  await rig.pass(100 * ERROR_MS)
  expect(rig.of('b')).toMatchObject({ state: 'stopped', error: 'tired', failures: 0 })
  await rig.engine.uninstall('a')
  rig.engine.install(partRef('a'), probe.manifold)
  await rig.pass(100)
  expect(rig.of('b').state).toBe('started')
})

test('retry starts the part after the delay that was decided, and no failure is counted', async () => {
  const { rig, probe, asked } = await deciding(always({ action: 'retry', delayMs: 70 }))
  for (let i = 0; i < 5; i++) {
    await probe.fail(error())
    expect(rig.of('a')).toMatchObject({ state: 'waiting', 'delay-ms': 70, failures: 0 })
    await rig.pass(70)
    expect(rig.of('a').state).toBe('started')
  }
  expect(asked.map(({ context }) => context.restarts)).toEqual([0, 1, 2, 3, 4])
  const bare = await deciding(always({ action: 'retry' }))
  await bare.probe.fail(error())
  expect(bare.rig.of('a')['delay-ms']).toBe(ERROR_MS)
})

test('restart starts the part after the delay of the backoff, or a longer one', async () => {
  let delayMs: number | undefined
  const hook = () => ({ action: 'restart', ...(delayMs === undefined ? {} : { delayMs }) }) as Decision
  const { rig, probe, asked } = await deciding(hook)
  const delays: unknown[] = []
  for (delayMs of [undefined, 10, 50_000]) {
    await probe.fail(error())
    delays.push(rig.of('a')['delay-ms'])
    await rig.pass(rig.of('a')['delay-ms'] ?? 0)
  }
  expect(delays).toEqual([ERROR_MS, 2 * ERROR_MS, 50_000])
  expect(asked.map(({ context: { failures, attempt, phase } }) => [failures, attempt, phase])).toEqual([
    [1, 1, 'run'],
    [2, 2, 'run'],
    [3, 3, 'run'],
  ])
})

test('kill removes the part, keeps it red in the report, and lets another one be installed', async () => {
  const { rig, probe, dependent } = await deciding(always({ action: 'kill', reason: 'hopeless' }))
  await probe.fail(error('what it died of'))
  await rig.pass(100 * ERROR_MS)
  expect(rig.of('a')).toMatchObject({ state: 'stopped', killed: true, error: 'what it died of' })
  expect(rig.of('b').state).toBe('stopped')
  expect(rig.engine.dot()).toContain('"a" [label="a\\nkilled\\nwhat it died of", fillcolor=red]')
  expect([probe.starts, dependent.starts]).toEqual([1, 1])
  rig.engine.install(partRef('a'), probe.manifold)
  await rig.pass(100)
  expect(rig.of('a').killed).toBeUndefined()
  expect(rig.states()).toEqual({ a: 'started', b: 'started' })
  await probe.fail(error())
  await rig.engine.uninstall('a')
  expect(rig.states()).toEqual({ b: 'stopped' })
})

test('escalate stops the whole engine in order, and the error is the answer', async () => {
  const { rig, probe, dependent } = await deciding(always({ action: 'escalate' }))
  const cause = error('beyond me')
  await dependent.fail(cause)
  expect(await rig.end()).toBe(cause)
  expect([probe.live, dependent.live]).toEqual([0, 0])
})

test('a decision may take its time, in which inputs may come and go', async () => {
  let decide: (decision: Decision) => void = () => {}
  const { rig, probe, dependent } = await deciding(
    () => new Promise<Decision>((resolve) => (decide = resolve)),
  )
  await dependent.fail(error())
  expect(rig.of('b').state).toBe('waiting')
  await rig.engine.uninstall('a')
  rig.engine.install(partRef('a'), probe.manifold)
  await rig.pass(100)
  expect(dependent.starts).toBe(1)
  decide({ action: 'continue' })
  await rig.pass(100)
  expect([dependent.starts, rig.of('b').state]).toEqual([2, 'started'])
})

test.each<[string, Hook, string]>([
  [
    'throws',
    () => {
      throw error('no idea')
    },
    'failed',
  ],
  ['rejects', () => Promise.reject(error('no idea')), 'failed'],
  ['gives no decision', () => 'restart' as never, 'gave no decision'],
  ['gives nothing', () => undefined as never, 'gave no decision'],
  ['gives an impossible delay', () => ({ action: 'retry', delayMs: Number.NaN }), 'gave no decision'],
  ['never answers', () => new Promise(() => {}), 'did not answer within 10000 ms'],
])('a hook that %s lets the part be restarted', async (_, hook, why) => {
  const { rig, probe, failures } = await deciding(hook)
  await probe.fail(error())
  await rig.pass(why.startsWith('did not') ? 10_000 : 0)
  expect(rig.of('a')).toMatchObject({ state: 'waiting', 'delay-ms': ERROR_MS })
  expect(failures).toEqual([`onError ${why} for part "a", which is restarted`])
  await rig.pass(ERROR_MS)
  await rig.pass(100)
  expect([rig.of('a').state, rig.clock.pending]).toEqual(['started', 0])
})

test('whoever decides is told of fatal errors, and of those of a part that stops for good, and need not answer', async () => {
  const { rig, probe, dependent, asked } = await deciding(() => new Promise(() => {}))
  dependent.obeys = false
  await probe.fail(new Error('fatal'))
  await dependent.fail(error('late'))
  expect(await rig.end()).toMatchObject({ message: 'fatal' })
  const seen = asked.map(({ part, context: { phase, final } }) => [part, phase, final])
  expect(seen).toEqual([
    ['a', 'run', true],
    ['b', 'stop', true],
  ])
  expect(asked.every(({ context }) => context.signal.aborted)).toBe(true)
  expect(rig.clock.pending).toBe(0)
})

test('an open question is withdrawn when the part is removed, replaced, or everything stops', async () => {
  const { rig, probe, dependent, asked } = await deciding(() => new Promise(() => {}))
  await dependent.fail(error())
  await rig.engine.uninstall('b')
  await probe.fail(error())
  rig.engine.replace(partRef('a'), probe.manifold)
  await rig.pass(100)
  expect(rig.states()).toEqual({ a: 'started' })
  await probe.fail(error())
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  expect(asked.map(({ context }) => context.signal.aborted)).toEqual([true, true, true])
  expect(rig.clock.pending).toBe(0)
})

test('a part that was abandoned is asked about, and escalate or kill are executed', async () => {
  const action: { current: Decision['action'] } = { current: 'kill' }
  const { rig, probe, dependent } = await deciding(() => ({ action: action.current }))
  dependent.obeys = false
  rig.engine.replace(partRef('b'), dependent.manifold)
  await rig.pass(500)
  expect(rig.of('b').state).toBe('abandoned')
  await dependent.complete()
  await rig.pass(ERROR_MS)
  expect(rig.of('b')).toMatchObject({ state: 'stopped', killed: true })
  action.current = 'escalate'
  probe.obeys = false
  rig.engine.replace(partRef('a'), probe.manifold)
  await rig.pass(500)
  expect(await rig.end()).toMatchObject({ code: 'FLOG_ENGINE_ABANDONED' })
  expect(rig.of('a').state).toBe('abandoned')
})

test.each(['isFatal', 'worstError', 'filter'])('%s may throw', async (name) => {
  const broken = () => {
    throw error(`${name} is broken`)
  }
  const rig = new Rig({ [name]: broken })
  const probe = await rig.part('a')
  await probe.fail(new Error('fatal'))
  await settle()
  if (name === 'isFatal') expect(rig.of('a').state).toBe('waiting')
  else expect(await rig.end()).toMatchObject({ message: 'fatal' })
})
