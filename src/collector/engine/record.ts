import { ENGINE_RESTARTS, ENGINE_RESTARTS_MS } from '../../base/limits'
import type { Declaration } from './declaration'
import type { Question } from './judge'
import type { PartState, Run } from './run'
import type { Deferred } from './workers'

/** What the engine knows of one part. Changed only in tickets. */
export class PartRecord {
  readonly name: string
  /** Of the version that is installed; what runs may still be of the one before. */
  declaration: Declaration
  /** At most one, from the decision to start until all that came of it is gone. */
  run: Run | undefined
  /** What is to become of it is being decided: it has no run. */
  question: Question | undefined
  /** An input came or went meanwhile. */
  bounced = false
  /** It is to be removed, and whoever waits for that. */
  leaving: Deferred[] | undefined
  /** Removed because of its error, and only reported. */
  killed = false
  error: unknown
  starts = 0
  /** Wall-clock microseconds. */
  startedAt: number | undefined
  failures = 0
  readonly #restarts: number[] = []

  constructor(name: string, declaration: Declaration) {
    this.name = name
    this.declaration = declaration
  }

  get hard(): readonly string[] {
    return this.declaration.hard
  }

  get inputs(): readonly string[] {
    return this.declaration.inputs
  }

  /** What runs is of a version that was replaced. */
  get outdated(): boolean {
    return this.run !== undefined && this.run.plan.declaration !== this.declaration
  }

  /** Inputs of what runs, and of what is installed. */
  get holds(): readonly string[] {
    return this.outdated
      ? [...new Set([...this.inputs, ...(this.run?.plan.declaration.inputs ?? [])])]
      : this.inputs
  }

  get state(): PartState {
    return this.run?.state ?? (this.question === undefined ? 'stopped' : 'waiting')
  }

  get idle(): boolean {
    return this.run === undefined && this.question === undefined
  }

  /** Something of it may still go on, and is waited for. */
  get live(): boolean {
    return this.run !== undefined && !this.run.abandoned
  }

  /** @param now monotonic milliseconds */
  restartedAt(now: number): void {
    this.#restarts.push(now)
    if (this.#restarts.length > ENGINE_RESTARTS) this.#restarts.shift()
  }

  restartsSince(now: number): number {
    return this.#restarts.filter((at) => at > now - ENGINE_RESTARTS_MS).length
  }
}
