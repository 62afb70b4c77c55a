import type { EngineConfig } from '../../../src/collector/engine/config'
import { createEngine, type Engine } from '../../../src/collector/engine/engine'
import type { Manifold, PartRef, PartWorker, StartContext } from '../../../src/collector/engine/part'
import type { PartReport } from '../../../src/collector/engine/report'
import { type Deferred, deferred } from '../../../src/collector/engine/workers'
import { FakeClock } from '../../remote/support/fake-clock'

export const BOUNCE_MS = 10
export const ERROR_MS = 1000

/** An engine on a clock that is turned by hand. Without fuzz, so that delays are exact. */
export class Rig {
  readonly clock = new FakeClock()
  readonly engine: Engine
  /** `store started`, `web stopped`, … in the order in which workers did so. */
  readonly log: string[] = []

  constructor(config: Partial<EngineConfig> = {}) {
    this.engine = createEngine({
      isFatal: (error) => error instanceof Error && error.message === 'fatal',
      worstError: (error, worst) => worst ?? error,
      errorDelayMs: ERROR_MS,
      bounceDelayMs: BOUNCE_MS,
      jitter: 0,
      backoffFactor: 1,
      clock: this.clock,
      ...config,
    })
  }

  /** A part under control, installed, and what it led to has happened. */
  async part(name: string, inputs: readonly string[] = [], rest: Partial<Manifold> = {}): Promise<Probe> {
    const probe = new Probe(name, inputs, this.log, rest)
    this.engine.install({ name }, probe.manifold)
    await this.pass(BOUNCE_MS)
    return probe
  }

  /** Time goes by, in steps, so that what follows from a timer can follow. */
  async pass(ms: number): Promise<void> {
    await settle()
    const step = Math.ceil(ms / 20)
    for (let rest = ms; rest > 0; rest -= step) {
      this.clock.advance(Math.min(step, rest))
      await settle()
    }
  }

  of(name: string): PartReport {
    const report = this.engine.report().manifolds[name]
    if (report === undefined) throw new Error(`no part ${name}`)
    return report
  }

  states(): Record<string, string> {
    const entries = Object.entries(this.engine.report().manifolds)
    return Object.fromEntries(entries.map(([name, { state }]) => [name, state]))
  }

  /** What `wait` rejects with. */
  async end(): Promise<unknown> {
    await settle()
    return this.engine.wait().then(
      () => undefined,
      (error: unknown) => error,
    )
  }
}

/** All that is due without time going by. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A part whose workers do what the test says. */
export class Probe {
  readonly name: string
  readonly manifold: Manifold
  readonly contexts: StartContext[] = []
  starts = 0
  /** Instead of starting a worker. */
  onStart: ((context: StartContext) => PartWorker<unknown> | Promise<PartWorker<unknown>>) | undefined
  /** What its workers do when they are told to stop: nothing, where this says so. */
  obeys = true
  output: unknown = undefined
  live = 0
  readonly #log: string[]
  #current: Deferred | undefined

  constructor(name: string, inputs: readonly string[], log: string[] = [], rest: Partial<Manifold> = {}) {
    this.name = name
    this.#log = log
    const refs = inputs.map((input): PartRef => ({ name: input }))
    this.manifold = { inputs: refs, ...rest, start: (context) => this.#start(context) }
  }

  /** The worker ends of itself. */
  async fail(error: unknown): Promise<void> {
    this.#current?.reject(error)
    await settle()
  }

  async complete(): Promise<void> {
    this.#current?.resolve()
    await settle()
  }

  worker(): PartWorker<unknown> {
    const ended = deferred()
    this.#current = ended
    this.live++
    this.#log.push(`${this.name} started`)
    const gone = () => {
      this.live--
      this.#log.push(`${this.name} stopped`)
    }
    ended.promise.then(gone, gone)
    return {
      kill: () => this.obeys && ended.resolve(),
      wait: () => ended.promise,
      ...(this.output === undefined ? {} : { output: this.output }),
    }
  }

  /** The number of starts since the last time. */
  newStarts(): number {
    const { starts } = this
    this.starts = 0
    return starts
  }

  #start(context: StartContext): PartWorker<unknown> | Promise<PartWorker<unknown>> {
    this.starts++
    this.contexts.push(context)
    return this.onStart === undefined ? this.worker() : this.onStart(context)
  }
}

export function error(message = 'a plain error'): Error {
  return new Error(message)
}
