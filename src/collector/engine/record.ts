import { ENGINE_RESTARTS, ENGINE_RESTARTS_MS } from '../../base/limits'
import { hardInputsOf, inputsOf } from './graph'
import type { Question } from './judge'
import type { Manifold } from './part'
import type { PartState, Run } from './run'
import type { Deferred } from './workers'

/** What the engine knows of one part. Changed only in tickets. */
export class PartRecord {
  readonly name: string
  /** Of the manifold as it was when it was installed: a list that is changed later would not fit what the engine knows. */
  hard: readonly string[] = []
  inputs: readonly string[] = []
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
  #manifold: Manifold

  constructor(name: string, manifold: Manifold) {
    this.name = name
    this.#manifold = manifold
    this.adopt(manifold)
  }

  get manifold(): Manifold {
    return this.#manifold
  }

  /** A new version of the part. */
  adopt(manifold: Manifold): void {
    this.#manifold = manifold
    this.hard = hardInputsOf(manifold)
    this.inputs = inputsOf(manifold)
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
