import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock, Timer } from '../../src/base/clock'
import { createEngine, type Engine } from '../../src/collector/engine/engine'
import { BounceError } from '../../src/collector/engine/errors'
import type { Manifold } from '../../src/collector/engine/part'
import { type Deferred, deferred } from '../../src/collector/engine/workers'
import { type Result, result, round } from './measure'

const PARTS = 1000
/** Each part is the input of so many: a bounce of the first one is a bounce of all. */
const FAN_OUT = 10

/** A thousand parts in a tree, each bounced in turn, on a clock that does not wait: what the engine itself costs and keeps. */
export async function engine(quick: boolean): Promise<readonly Result[]> {
  const bounces = quick ? 2 * PARTS : 10 * PARTS
  const clock = new InstantClock()
  const tree = new Tree(clock)
  await tree.quiet()
  await tree.bounce(PARTS)
  const before = heapBytes()
  const { starts } = tree
  const began = performance.now()
  await tree.bounce(bounces)
  const ms = performance.now() - began
  const after = heapBytes()
  const restarts = tree.starts - starts
  const left = clock.pending + Math.abs(tree.live - PARTS) + tree.listeners - PARTS
  await tree.stop()
  const figures = { 'heap before MB': megabytes(before), 'heap after MB': megabytes(after), bounces }
  const each = { 'µs per restart': round((ms * 1000) / restarts), restarts, bounces, parts: PARTS }
  return [
    result('one bounce, with all that depends on the part', (ms * 1000) / bounces, 1000, {
      unit: 'µs',
      figures: each,
    }),
    result('heap after the bounces / before', after / before, 1.1, { figures }),
    result('timers, workers and listeners that are too many', left, 0, { unit: '', figures: { bounces } }),
    result('timers, workers and listeners after the end', clock.pending + tree.live + tree.listeners, 0, {
      unit: '',
      figures: { parts: PARTS },
    }),
  ]
}

/** Workers that count themselves, and what listens to their signals. */
class Tree {
  starts = 0
  live = 0
  listeners = 0
  readonly #clock: InstantClock
  readonly #engine: Engine
  readonly #ends: Deferred[] = []

  constructor(clock: InstantClock) {
    this.#clock = clock
    this.#engine = createEngine({ isFatal: () => false, worstError: (error) => error, clock })
    for (let i = 0; i < PARTS; i++) this.#engine.install({ name: nameOf(i) }, this.#manifold(i))
  }

  async bounce(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.#ends[i % PARTS]?.reject(new BounceError())
      await this.quiet()
    }
  }

  /** Until nothing waits for anything. */
  async quiet(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#clock.fire())
  }

  async stop(): Promise<void> {
    this.#engine.kill()
    await this.#engine.wait()
  }

  #manifold(i: number): Manifold {
    const inputs = i === 0 ? [] : [{ name: nameOf(Math.floor((i - 1) / FAN_OUT)) }]
    return {
      inputs,
      start: ({ signal }) => {
        const end = deferred()
        this.#ends[i] = end
        this.starts++
        this.live++
        this.listeners++
        signal.addEventListener('abort', () => this.listeners--, { once: true })
        const gone = () => {
          this.live--
        }
        end.promise.then(gone, gone)
        return { kill: end.resolve, wait: () => end.promise }
      },
    }
  }
}

/** Time passes when nothing else is to be done. */
class InstantClock implements Clock {
  #ms = 0
  readonly #timers = new Set<{ readonly due: number; readonly action: () => void }>()

  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#ms * 1000
  }

  monotonic(): number {
    return this.#ms
  }

  after(ms: number, action: () => void): Timer {
    const timer = { due: this.#ms + ms, action }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  every(): Timer {
    throw new Error('the engine has nothing to do every so often')
  }

  /** Goes on to the next timer, and fires all that are due then. @returns whether there was one */
  fire(): boolean {
    const due = Math.min(...[...this.#timers].map((timer) => timer.due))
    if (due === Number.POSITIVE_INFINITY) return false
    this.#ms = due
    for (const timer of this.#timers) {
      if (timer.due > due) continue
      this.#timers.delete(timer)
      timer.action()
    }
    return true
  }
}

function nameOf(i: number): string {
  return `part ${i}`
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

function megabytes(bytes: number): number {
  return round(bytes / 2 ** 20)
}
