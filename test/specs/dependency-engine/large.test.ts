import { createEngine, type Engine } from '../../../src/collector/engine/engine'
import { BounceError } from '../../../src/collector/engine/errors'
import { installAll, validate } from '../../../src/collector/engine/install'
import type { Manifold } from '../../../src/collector/engine/part'
import { type Deferred, deferred } from '../../../src/collector/engine/workers'
import { FakeClock } from '../../remote/support/fake-clock'
import { settle } from './rig'

const PARTS = 5000

/** Many parts, each with one input, that count themselves. */
class Crowd {
  live = 0
  starts = 0
  readonly clock = new FakeClock()
  readonly engine: Engine
  readonly manifolds: Record<string, Manifold> = {}
  readonly #ends = new Map<number, Deferred>()

  constructor(inputOf: (i: number) => number | undefined) {
    this.engine = createEngine({ isFatal: () => false, worstError: (error) => error, clock: this.clock })
    for (let i = 0; i < PARTS; i++) this.manifolds[`part ${i}`] = this.#manifold(i, inputOf(i))
  }

  /** Until all run that there are. */
  async running(): Promise<void> {
    do await this.#turn()
    while (this.live < PARTS)
  }

  async bounce(): Promise<void> {
    this.#ends.get(0)?.reject(new BounceError())
    while (this.live > 0 && this.starts < 2 * PARTS) await this.#turn()
    await this.running()
  }

  #manifold(i: number, input: number | undefined): Manifold {
    const start = () => {
      const end = deferred()
      this.#ends.set(i, end)
      this.live++
      this.starts++
      const gone = () => void this.live--
      end.promise.then(gone, gone)
      return { kill: end.resolve, wait: () => end.promise }
    }
    return input === undefined ? { start } : { start, inputs: [{ name: `part ${input}` }] }
  }

  async #turn(): Promise<void> {
    await settle()
    this.clock.advance(10)
  }
}

test.each([
  ['in a chain', (i: number) => (i === 0 ? undefined : i - 1)],
  ['that depend on one', (i: number) => (i === 0 ? undefined : 0)],
])('five thousand parts %s start, bounce and stop', async (_, inputOf) => {
  const crowd = new Crowd(inputOf)
  installAll(crowd.engine, crowd.manifolds)
  await crowd.running()
  await crowd.bounce()
  expect([crowd.live, crowd.starts]).toEqual([PARTS, 2 * PARTS])
  crowd.engine.kill()
  await crowd.engine.wait()
  expect([crowd.live, crowd.clock.pending]).toEqual([0, 0])
})

test('a circle of five thousand is found, also where it is closed by the last one', () => {
  const { manifolds, engine } = new Crowd((i) => (i + 1) % PARTS)
  expect(() => validate(manifolds)).toThrow(/go in a circle, part 0 ← part 1 ← .* ← part 4999 ← part 0$/)
  const names = Object.keys(manifolds)
  for (const name of names.slice(1)) engine.install({ name }, manifolds[name] as Manifold)
  expect(() => engine.install({ name: 'part 0' }, manifolds['part 0'] as Manifold)).toThrow(/part 0$/)
})
