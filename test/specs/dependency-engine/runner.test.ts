import type { PartErrorContext } from '../../../src/collector/engine/config'
import { BounceError, FatalError, UninstallError } from '../../../src/collector/engine/errors'
import { createRunner, type Runner, type RunnerConfig } from '../../../src/collector/engine/runner'
import { FakeClock } from '../../remote/support/fake-clock'
import { error, Probe, Rig, settle } from './rig'

function running(config: RunnerConfig = {}): {
  runner: Runner
  clock: FakeClock
  start: (name: string) => Promise<Probe>
} {
  const clock = new FakeClock()
  const runner = createRunner({ clock, ...config })
  const start = async (name: string) => {
    const probe = new Probe(name, [])
    runner.start(name, probe.manifold.start)
    await settle()
    return probe
  }
  return { runner, clock, start }
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  clock.advance(ms)
  await settle()
}

test('workers come and go by name, and no two have the same one', async () => {
  const { runner, start } = running()
  const [first, second] = [await start('first'), await start('second')]
  expect([runner.names, first.live, second.live]).toEqual([['first', 'second'], 1, 1])
  await expect(start('first')).rejects.toMatchObject({ code: 'FLOG_ENGINE_INSTALLED' })
  await runner.stop('first')
  expect([runner.names, first.live]).toEqual([['second'], 0])
  await expect(runner.stop('first')).rejects.toMatchObject({ code: 'FLOG_ENGINE_UNKNOWN' })
  await start('first')
  runner.kill()
  await runner.wait()
  await expect(start('third')).rejects.toMatchObject({ code: 'FLOG_ENGINE_STOPPING' })
  expect([first.live, second.live]).toEqual([0, 0])
})

test('a worker that failed is started again after 3 seconds, however often, and leaves the others alone', async () => {
  const { runner, clock, start } = running()
  const [failing, other] = [await start('failing'), await start('other')]
  for (let i = 1; i <= 5; i++) {
    await failing.fail(error())
    expect(runner.report().workers['failing']).toMatchObject({ state: 'waiting', 'delay-ms': 3000 })
    await pass(clock, 2999)
    expect(failing.starts).toBe(i)
    await pass(clock, 1)
    expect(failing.starts).toBe(i + 1)
  }
  expect([other.starts, other.live, failing.live]).toEqual([1, 1, 1])
})

test('a worker that is done is removed', async () => {
  const { runner, clock, start } = running()
  const probe = await start('a')
  await probe.complete()
  expect(runner.report()).toEqual({ state: 'started', workers: {} })
  await pass(clock, 10_000)
  expect(probe.starts).toBe(1)
  await start('a')
})

test('an error after which it shall not be started again removes the worker, which is shown as killed', async () => {
  const hopeless = error('hopeless')
  const { runner, clock, start } = running({ shouldRestart: (_, given) => given !== hopeless })
  const [probe, other] = [await start('a'), await start('b')]
  await probe.fail(error('passing'))
  await pass(clock, 3000)
  await probe.fail(hopeless)
  await other.fail(new UninstallError())
  expect(runner.names).toEqual([])
  expect(runner.report().workers).toEqual({
    a: expect.objectContaining({ killed: true, state: 'stopped', error: 'hopeless' }),
  })
  await start('a')
  expect(runner.report().workers['a']).toMatchObject({ state: 'started', restarts: 0 })
})

test('a worker may ask to be started anew, and nobody is asked about that', async () => {
  const asked: unknown[] = []
  const onError = (name: string, given: unknown, { failures }: PartErrorContext) => {
    asked.push([name, (given as Error).message, failures])
    return { action: 'retry', delayMs: 5 } as const
  }
  const { clock, start } = running({ onError })
  const probe = await start('a')
  await probe.fail(new BounceError())
  await pass(clock, 10)
  await probe.fail(error('why'))
  await pass(clock, 5)
  expect([probe.starts, asked]).toEqual([3, [['a', 'why', 1]]])
})

test('a fatal error ends all of them, and is the answer', async () => {
  const { runner, start } = running({ isFatal: (given) => given instanceof RangeError })
  const [probe, other] = [await start('a'), await start('b')]
  const fatal = new RangeError('fatal')
  await probe.fail(fatal)
  await expect(runner.wait()).rejects.toBe(fatal)
  expect([other.live, runner.report().state]).toEqual([0, 'stopped'])
  const second = running()
  const always = await second.start('a')
  await always.fail(new FatalError('whatever isFatal says'))
  await expect(second.runner.wait()).rejects.toThrow('whatever isFatal says')
})

test('a configuration may be an object of a class', async () => {
  class Config {
    readonly clock = new FakeClock()
    readonly #hopeless = 'hopeless'
    isFatal(given: unknown): boolean {
      return given instanceof RangeError
    }
    shouldRestart(_: string, given: unknown): boolean {
      return (given as Error).message !== this.#hopeless
    }
  }
  const runner = createRunner(new Config())
  const probes = ['a', 'b'].map((name) => new Probe(name, []))
  for (const { name, manifold } of probes) runner.start(name, manifold.start)
  await settle()
  await probes[0]?.fail(error('hopeless'))
  expect(runner.names).toEqual(['b'])
  await probes[1]?.fail(new RangeError('fatal'))
  await expect(runner.wait()).rejects.toThrow('fatal')
})

test('a worker that does not stop is abandoned after its own limit, and its name is taken until it is gone', async () => {
  const clock = new FakeClock()
  const runner = createRunner({ clock })
  const probe = new Probe('a', [])
  runner.start('a', probe.manifold.start, { stopTimeoutMs: 50, startTimeoutMs: 70 })
  await settle()
  probe.obeys = false
  const stopping = runner.stop('a')
  void pass(clock, 50)
  await expect(stopping).rejects.toMatchObject({ code: 'FLOG_ENGINE_ABANDONED' })
  expect(() => runner.start('a', probe.manifold.start)).toThrow('keeps its name until its worker is gone')
  await probe.complete()
  expect([runner.names, clock.pending]).toEqual([[], 0])
})

test('a runner is a part like any other', async () => {
  const rig = new Rig()
  const { runner, start } = running()
  await start('a')
  rig.engine.install({ name: 'runner' }, { start: () => runner })
  await settle()
  expect(rig.of('runner').report).toMatchObject({ state: 'started', workers: { a: { state: 'started' } } })
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  expect(runner.report().state).toBe('stopped')
})
