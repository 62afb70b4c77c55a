import { type Decision, type EngineConfig, type PartErrorContext, readOnce } from './config'
import { createEngine, type Engine } from './engine'
import type { Manifold, StartContext, Worker } from './part'
import type { EngineReport, PartReport } from './report'

/**
 * That of an engine. What is not given: no error is fatal, the first fatal one is the worst, and a worker that failed is started
 * again after 3 seconds, however often it failed.
 */
export interface RunnerConfig extends Partial<Omit<EngineConfig, 'removeCompleted'>> {
  /** Whether a worker that failed is started again; one that is not is removed, and shown as killed. Default: all are. */
  shouldRestart?(name: string, error: unknown): boolean
}

export interface RunnerReport extends Omit<EngineReport, 'manifolds'> {
  readonly workers: Readonly<Record<string, Omit<PartReport, 'inputs' | 'soft'>>>
}

/** Workers of one kind that come and go, none of which needs another: one a customer, one a connection. */
export interface Runner extends Worker {
  /** Those that run, or will again, or have not stopped yet. */
  readonly names: readonly string[]
  /**
   * A worker that ends in order is removed; errors ask for what they ask an engine for.
   * @throws FLOG_ENGINE_INSTALLED for a name that is taken, FLOG_ENGINE_STOPPING, FLOG_OPTION_INVALID
   */
  start(name: string, start: (context: StartContext) => Promise<Worker> | Worker, limits?: WorkerLimits): void
  /**
   * Resolves when the worker has stopped and its name is free. Rejects with FLOG_ENGINE_UNKNOWN, or with
   * FLOG_ENGINE_ABANDONED where it does not stop in time.
   */
  stop(name: string): Promise<void>
  report(): RunnerReport
}

export type WorkerLimits = Pick<Manifold, 'startTimeoutMs' | 'stopTimeoutMs'>

/** @throws FLOG_OPTION_INVALID */
export function createRunner(config: RunnerConfig = {}): Runner {
  return new EngineRunner(
    createEngine({
      isFatal: () => false,
      worstError: (error, worst) => worst ?? error,
      backoffFactor: 1,
      jitter: 0,
      ...readOnce(config),
      removeCompleted: true,
      onError: (name, error, context) => decide(config, name, error, context),
    }),
  )
}

function decide(
  config: RunnerConfig,
  name: string,
  error: unknown,
  context: PartErrorContext,
): Decision | Promise<Decision> {
  if (config.shouldRestart?.(name, error) === false) return { action: 'kill' }
  return config.onError?.(name, error, context) ?? { action: 'restart' }
}

/** An engine whose parts have no inputs. */
class EngineRunner implements Runner {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get names(): readonly string[] {
    const parts = Object.entries(this.#engine.report().manifolds)
    return parts.filter(([, part]) => part.killed !== true || part.state !== 'stopped').map(([name]) => name)
  }

  start(name: string, start: Manifold['start'], limits: WorkerLimits = {}): void {
    const { startTimeoutMs, stopTimeoutMs } = limits
    this.#engine.install(
      { name },
      {
        start,
        ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
        ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }),
      },
    )
  }

  stop(name: string): Promise<void> {
    return this.#engine.uninstall(name)
  }

  report(): RunnerReport {
    const { manifolds, ...engine } = this.#engine.report()
    const workers = Object.entries(manifolds).map(([name, { inputs, soft, ...worker }]) => [name, worker])
    return { ...engine, workers: Object.fromEntries(workers) }
  }

  kill(reason?: unknown): void {
    this.#engine.kill(reason)
  }

  wait(): Promise<void> {
    return this.#engine.wait()
  }
}
