import type { Clock, Timer } from '../../base/clock'
import { FlogError } from '../../base/errors'
import type { Decided } from './decider'
import type { Decision } from './event'

export interface AskOptions {
  /** Milliseconds after which the default decision is taken; default 5,000, at most a day. */
  readonly timeoutMs?: number
  /** Aborted: nobody waits for the decision any more. */
  readonly signal?: AbortSignal
}

export interface AskParts {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** What is decided when time is up. */
  readonly inTime: () => Decided
  /** Is told once, before whoever asked: of the decision, or of nothing when the question was withdrawn. */
  readonly onSettled: (decided: Decided | undefined) => Decided | undefined
}

/** One question that a part waits for. It is answered by a policy, by default, by time, or by the kernel's stop: once. */
export class Ask {
  /** @throws FlogError FLOG_ABORTED, with the signal's reason as its cause */
  readonly answer: Promise<Decision>
  /** Aborted as soon as the question is settled. */
  readonly #over = new AbortController()
  readonly #parts: AskParts
  readonly #timer: Timer
  readonly #withdraw = (): void => this.#reject()
  #resolveAnswer: (decision: Decision) => void = () => {}
  #rejectAnswer: (error: FlogError) => void = () => {}

  constructor(parts: AskParts) {
    this.#parts = parts
    this.answer = new Promise((resolve, reject) => {
      this.#resolveAnswer = resolve
      this.#rejectAnswer = reject
    })
    this.#timer = parts.clock.after(parts.timeoutMs, () => this.settle(parts.inTime()))
    parts.signal?.addEventListener('abort', this.#withdraw, { once: true })
    if (parts.signal?.aborted === true) this.#reject()
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  settle(decided: Decided): void {
    if (!this.#end()) return
    const final = this.#parts.onSettled(decided) ?? decided
    this.#resolveAnswer(final.decision)
  }

  #reject(): void {
    if (!this.#end()) return
    this.#parts.onSettled(undefined)
    const cause: unknown = this.#parts.signal?.reason
    this.#rejectAnswer(
      new FlogError('FLOG_ABORTED', 'the question to the error kernel was withdrawn', { cause }),
    )
  }

  #end(): boolean {
    if (this.#over.signal.aborted) return false
    this.#over.abort()
    this.#timer?.cancel()
    this.#parts.signal?.removeEventListener('abort', this.#withdraw)
    return true
  }
}
