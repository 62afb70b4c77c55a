import { setImmediate as turn } from 'node:timers/promises'
import type { Decision } from '../../../src/collector/engine/config'
import { createEngine } from '../../../src/collector/engine/engine'
import { BounceError } from '../../../src/collector/engine/errors'
import { Fortress, fortressManifold } from '../../../src/collector/engine/fortress'
import { housed } from '../../../src/collector/engine/housing'
import { type Manifold, type PartWorker, partRef } from '../../../src/collector/engine/part'
import { deferred } from '../../../src/collector/engine/workers'
import { BOUNCE_MS, ERROR_MS, error, Probe, Rig, settle } from './rig'

/** Throws whatever is done with it. */
function untouchable(): never {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy as never
}

/** What the engine's log said of failures, with a rig that writes there. */
function logging(config: ConstructorParameters<typeof Rig>[0] = {}): { rig: Rig; failures: unknown[] } {
  const failures: unknown[] = []
  const note = (message: string, fields: Readonly<Record<string, unknown>>) =>
    void (message.endsWith(' failed') && failures.push(fields['error']))
  return { rig: new Rig({ log: { debug: note, info: note, warn: note, error: note }, ...config }), failures }
}

test('a kill that is refused later is noted, and troubles nobody else', async () => {
  const { rig, failures } = logging()
  const ended = deferred()
  const kill = (async () => {
    ended.resolve()
    throw error('kill is broken')
  }) as () => void
  rig.engine.install(partRef('a'), { start: () => ({ kill, wait: () => ended.promise }) })
  await settle()
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  await turn()
  expect(failures).toEqual(['kill is broken'])
})

test('metrics that fail later are noted too', async () => {
  const { rig, failures } = logging({
    metrics: { started: (async () => Promise.reject(error('broken metrics'))) as () => void },
  })
  await rig.part('a')
  expect([failures, rig.of('a').state]).toEqual([['broken metrics'], 'started'])
})

test('a log that fails later is let go', async () => {
  const note = (async () => Promise.reject(error('a broken log'))) as () => void
  const rig = new Rig({ log: { debug: note, info: note, warn: note, error: note } })
  await rig.part('a')
  expect(rig.of('a').state).toBe('started')
})

test.each(['isFatal', 'worstError', 'filter', 'the filter of the part'])(
  '%s has to answer at once: a promise is none, whatever becomes of it',
  async (name) => {
    const later = () => Promise.reject(error('later')) as never
    const { rig, failures } = logging(name.startsWith('the') ? {} : { [name]: later })
    const probe = await rig.part('a', [], name.startsWith('the') ? { filter: later } : {})
    await probe.fail(new Error('fatal'))
    const hook = name.startsWith('the') ? 'filter' : name
    expect(failures).toEqual([`${hook} gave a promise, but must answer at once`])
    if (name === 'isFatal') expect(rig.of('a')).toMatchObject({ state: 'waiting', error: 'fatal' })
    else expect(await rig.end()).toMatchObject({ message: 'fatal' })
  },
)

test('a worker whose wait throws is told to stop, and its part has failed', async () => {
  const rig = new Rig()
  let killed = 0
  const wait = () => {
    throw error('wait is broken')
  }
  rig.engine.install(partRef('a'), { start: () => ({ kill: () => killed++, wait }) })
  await settle()
  expect([killed, rig.of('a')]).toEqual([
    1,
    expect.objectContaining({ error: 'wait is broken', failures: 1 }),
  ])
})

test.each<[string, (probe: Probe) => Promise<void>]>([
  ['a worker', (probe) => probe.fail(untouchable())],
  [
    'a start',
    (probe) => {
      probe.onStart = () => Promise.reject(untouchable())
      return probe.fail(new BounceError())
    },
  ],
  [
    'the cause of an error',
    (probe) => probe.fail(Object.defineProperty(error(), 'cause', { value: untouchable() })),
  ],
])('something that cannot even be looked at may be thrown as %s', async (_, fail) => {
  const rig = new Rig()
  const probe = await rig.part('a')
  await fail(probe)
  await rig.pass(BOUNCE_MS)
  expect([rig.engine.report().state, rig.of('a').state]).toEqual(['started', 'waiting'])
})

test('a decision that cannot be looked at, or changes its mind, is none, or the first one', async () => {
  const answers: unknown[] = [Promise.resolve(untouchable()), untouchable()]
  const { rig, failures } = logging({ onError: () => answers.shift() as Decision })
  const probe = await rig.part('a')
  for (let i = 0; i < 2; i++) {
    await probe.fail(error())
    await rig.pass(ERROR_MS)
  }
  expect([failures.length, rig.of('a').state, probe.starts]).toEqual([2, 'started', 3])
  let asked = 0
  const fickle = { get action() { return asked++ === 0 ? 'retry' : 'escalate' } } // biome-ignore format: one line
  answers.push(fickle)
  await probe.fail(error())
  await rig.pass(ERROR_MS)
  expect([rig.engine.report().state, rig.of('a').state]).toEqual(['started', 'started'])
})

test('what a manifold says of itself is read once, when it is installed', async () => {
  const rig = new Rig()
  const probe = new Probe('a', [], rig.log)
  const reads: string[] = []
  const manifold = new Proxy(
    { ...probe.manifold, startTimeoutMs: 500, filter: (given: unknown) => given },
    {
      get: (target, name, self) => {
        reads.push(String(name))
        if (reads.filter((read) => read === name).length > 1) throw error(`${String(name)} again`)
        return Reflect.get(target, name, self)
      },
    },
  )
  rig.engine.install(partRef('a'), manifold)
  await settle()
  for (let i = 0; i < 3; i++) {
    await probe.fail(error())
    await rig.pass(ERROR_MS)
  }
  expect([rig.engine.report().state, rig.states(), probe.starts]).toEqual(['started', { a: 'started' }, 4])
})

test('a manifold that cannot be read is refused, and the one before it goes on', async () => {
  const rig = new Rig()
  const input = await rig.part('input')
  const probe = await rig.part('a', ['input'])
  const get = () => {
    throw new TypeError('do not look')
  }
  const hostile = Object.defineProperty({ ...probe.manifold }, 'soft', { get })
  expect(() => rig.engine.replace(partRef('a'), hostile)).toThrow(TypeError)
  expect(() => rig.engine.install(partRef('b'), hostile)).toThrow(TypeError)
  await input.fail(new BounceError())
  await rig.pass(5 * BOUNCE_MS)
  expect([rig.states(), probe.starts]).toEqual([{ input: 'started', a: 'started' }, 2])
})

test('a configuration may be an object of a class', async () => {
  class Config {
    readonly #fatal = 'of my own'
    readonly errorDelayMs = ERROR_MS
    isFatal(given: unknown): boolean {
      return (given as Error).message === this.#fatal
    }
    worstError(given: unknown): unknown {
      return given
    }
    filter(given: unknown): unknown {
      return new Error(`${this.#fatal}, filtered`, { cause: given })
    }
  }
  const engine = createEngine(new Config())
  const probe = new Probe('a', [])
  engine.install(partRef('a'), probe.manifold)
  await settle()
  await probe.fail(error('of my own'))
  await expect(engine.wait()).rejects.toThrow('of my own, filtered')
})

test('a fatal error is not lost where nobody says which one is worst', async () => {
  const rig = new Rig({ worstError: () => undefined })
  const probe = await rig.part('a')
  await probe.fail(new Error('fatal'))
  expect(await rig.end()).toMatchObject({ message: 'fatal' })
})

test('a filter of the engine that gives null makes an end in order of it', async () => {
  const rig = new Rig({ filter: () => null })
  const probe = await rig.part('a')
  await probe.fail(new Error('fatal'))
  expect(await rig.end()).toBeUndefined()
  expect(rig.engine.report().error).toBeUndefined()
})

test('a report that cannot be had at once is none', async () => {
  const rig = new Rig()
  const report = () => Promise.reject(error('later'))
  rig.engine.install(partRef('a'), { start: () => ({ ...new Probe('a', []).worker(), report }) })
  await settle()
  expect(rig.of('a').report).toEqual({ error: 'a report must be there at once, not promised' })
})

test('what a part does inside its own filter, start and error hook is done', async () => {
  const rig = new Rig({
    onError: (part) => {
      if (part === 'last') rig.engine.kill('decided so')
      return { action: 'restart' }
    },
  })
  const filtering: Manifold = new Probe('a', [], rig.log, {
    filter: (given) => {
      void rig.engine.uninstall('a')
      rig.engine.install(partRef('other'), new Probe('other', []).manifold)
      return given
    },
  }).manifold
  let end = (_: unknown): void => {}
  const start = () => {
    const ended = deferred()
    end = ended.reject
    return { kill: ended.resolve, wait: () => ended.promise }
  }
  rig.engine.install(partRef('a'), { ...filtering, start })
  await settle()
  end(error())
  await settle()
  expect(rig.states()).toEqual({ other: 'started' })
  const starting = new Probe('starting', [])
  starting.onStart = () => {
    rig.engine.install(partRef('inner'), new Probe('inner', ['starting']).manifold)
    void rig.engine.uninstall('other')
    return starting.worker()
  }
  rig.engine.install(partRef('starting'), starting.manifold)
  await rig.pass(5 * BOUNCE_MS)
  expect(rig.states()).toEqual({ starting: 'started', inner: 'started' })
  const last = await rig.part('last')
  await last.fail(error())
  expect(await rig.end()).toBeUndefined()
  expect(rig.clock.pending).toBe(0)
})

test('a housed part gives what is no worker, or one whose wait throws, like any other', async () => {
  const rig = new Rig()
  const fortress = new Fortress()
  fortress.unlock()
  const occupy = partRef<Fortress>('fortress')
  rig.engine.install(occupy, fortressManifold(fortress))
  rig.engine.install(partRef('a'), housed({ start: () => undefined as never }, { occupy }))
  let killed = 0
  const wait = () => {
    throw error('wait is broken')
  }
  const worker: PartWorker<unknown> = { kill: () => killed++, wait }
  rig.engine.install(partRef('b'), housed({ start: () => worker }, { occupy }))
  await rig.pass(2 * BOUNCE_MS)
  expect(rig.of('a').error).toBe('start of part "a" gave undefined that is no worker')
  expect([rig.of('b').error, killed, fortress.visitors]).toEqual(['wait is broken', 1, 0])
})
