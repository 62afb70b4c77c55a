import type { Clock } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import { KERNEL_STATES } from '../../base/kernel-limits'
import { type Decision, decisionOf, type Level, type SeenEvent } from './event'
import type { ErrorState } from './states'
import { Window } from './window'

/**
 * Says what to do about an error, or undefined to leave it to the next policy. May take its time, until `signal` is aborted;
 * whoever asked has a default decision by then.
 */
export type Policy = (
  event: SeenEvent,
  state: ErrorState,
  signal: AbortSignal,
) => Decision | undefined | Promise<Decision | undefined>

/** What made a decision, for metrics. */
export type DecisionSource = 'policy' | 'default' | 'intensity' | 'timeout' | 'shutdown'

export interface Decided {
  readonly decision: Decision
  readonly source: DecisionSource
}

export interface DeciderOptions {
  readonly clock: Clock
  readonly policies: readonly Policy[]
  readonly intensity: number
  readonly periodMs: number
  /** Is told of policies that throw. */
  readonly onFailure: (failure: FlogError) => void
}

/** Asks the policies, and counts restarts. */
export class Decider {
  readonly #options: DeciderOptions
  /** Of each part that was to be restarted, the last one last. Bounded as the error states are. */
  readonly #restarts = new Map<string, Window>()

  constructor(options: DeciderOptions) {
    this.#options = options
  }

  /** Never rejects. A policy that throws, or answers something else than a decision, is reported and passed over. */
  async ask(event: SeenEvent, state: ErrorState, signal: AbortSignal): Promise<Decided> {
    for (const [index, policy] of this.#options.policies.entries()) {
      try {
        const answer: unknown = await policy(event, state, signal)
        if (signal.aborted) break
        if (answer === undefined) continue
        const decision = decisionOf(answer)
        if (decision !== undefined) return { decision, source: 'policy' }
        throw new TypeError('it gave no decision')
      } catch (cause) {
        if (signal.aborted) break
        this.#options.onFailure(
          new FlogError('FLOG_KERNEL_POLICY_FAILED', `policy ${index + 1} failed: ${messageOf(cause)}`, {
            cause,
            details: { policy: index + 1, part: event.part },
          }),
        )
      }
    }
    return { decision: defaultFor(event.level), source: 'default' }
  }

  /** The decision itself, or to escalate, when it would be one restart of the part too many. */
  limited(part: string, decided: Decided): Decided {
    const { clock, intensity, periodMs } = this.#options
    if (decided.decision.action !== 'restart') return decided
    const restarts = this.#restarts.get(part) ?? new Window(periodMs)
    this.#restarts.delete(part)
    this.#restarts.set(part, restarts)
    restarts.add(clock.monotonic())
    const oldest = this.#restarts.keys().next()
    if (this.#restarts.size > KERNEL_STATES && oldest.done !== true) this.#restarts.delete(oldest.value)
    if (restarts.count(clock.monotonic()) <= intensity) return decided
    const reason = `more than ${intensity} restarts in ${periodMs / 1000} s: ${decided.decision.reason}`
    return { decision: { action: 'escalate', reason }, source: 'intensity' }
  }
}

/** What is done where nobody says anything. */
export function defaultFor(level: Level): Decision {
  return level === 'error'
    ? { action: 'restart', reason: 'default for errors' }
    : { action: 'continue', reason: `default for the level ${level}` }
}
