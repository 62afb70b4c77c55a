import type { Timer } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import type { Action, Decision, Ending, PartErrorContext, Settings } from './config'
import { isMs } from './config'
import { meaningOf, thrownBy } from './errors'
import type { Manifold } from './part'

/** What an end comes to. */
export interface Verdict {
  readonly ending: Ending
  /** After the part's filter. */
  readonly error: unknown
}

export type Asking = Omit<PartErrorContext, 'signal'> & { readonly part: string; readonly error: unknown }

/** A question that is open. */
export interface Question {
  cancel(): void
}

const ACTIONS: ReadonlySet<unknown> = new Set<Action>(['continue', 'retry', 'restart', 'kill', 'escalate'])

/** What is done where nobody decides. */
const BY_DEFAULT: Decision = { action: 'restart' }

/** Runs the functions of users that say what an error is and what becomes of a part, and survives each of them. */
export class Judge {
  readonly #settings: Settings
  readonly #onFailure: (part: string | undefined, error: FlogError) => void

  /** @param onFailure is told of a function that threw, or gave no answer */
  constructor(settings: Settings, onFailure: (part: string | undefined, error: FlogError) => void) {
    this.#settings = settings
    this.#onFailure = onFailure
  }

  /** @param thrown undefined for an end in order */
  verdict(part: string, manifold: Manifold, thrown: unknown): Verdict {
    if (thrown === undefined) return { ending: 'completed', error: undefined }
    const error = this.#filtered(part, manifold, thrown)
    if (error === undefined) return { ending: 'completed', error }
    const ending = meaningOf(error) ?? (this.#isFatal(part, error) ? 'fatal' : 'error')
    return { ending, error }
  }

  worst(error: unknown, worst: unknown): unknown {
    const fallback = worst ?? error
    return this.#guarded(undefined, 'worstError', fallback, () => this.#settings.worstError(error, worst))
  }

  /** What `wait` rejects with. */
  final(worst: unknown): unknown {
    if (worst === undefined || this.#settings.filter === undefined) return worst
    return this.#guarded(undefined, 'filter', worst, () => this.#settings.filter?.(worst))
  }

  /**
   * Asks what becomes of a part. `answer` is called once, before this returns where the hook answers at once; never after
   * `cancel`.
   */
  ask(asking: Asking, answer: (decision: Decision) => void): Question {
    const { onError, decisionTimeoutMs, clock } = this.#settings
    const { part, error, ...context } = asking
    if (onError === undefined) {
      answer(BY_DEFAULT)
      return { cancel: () => {} }
    }
    const question = new OpenQuestion(answer)
    const fail = (why: string, cause?: unknown) => {
      if (question.settle(BY_DEFAULT)) this.#onFailure(part, undecided(part, why, cause))
    }
    try {
      const given = onError(part, error, { ...context, signal: question.signal })
      if (!isPromise(given)) settle(given)
      else {
        if (decisionTimeoutMs !== Number.POSITIVE_INFINITY) {
          const late = () => fail(`did not answer within ${decisionTimeoutMs} ms`)
          question.timer = clock.after(decisionTimeoutMs, late, { keepAlive: true })
        }
        given.then(settle, (cause) => fail('failed', cause))
      }
    } catch (cause) {
      fail('failed', cause)
    }
    return question

    function settle(decision: unknown): void {
      if (isDecision(decision)) question.settle(decision)
      else fail('gave no decision')
    }
  }

  #filtered(part: string, manifold: Manifold, thrown: unknown): unknown {
    if (manifold.filter === undefined) return thrown
    try {
      const error: unknown = manifold.filter(thrown)
      return error === undefined || error === null ? undefined : thrownBy(part, error)
    } catch (error) {
      this.#failed(part, 'filter', error)
      return thrown
    }
  }

  #isFatal(part: string, error: unknown): boolean {
    return this.#guarded(part, 'isFatal', false, () => this.#settings.isFatal(error) === true)
  }

  #guarded<T>(part: string | undefined, name: string, fallback: T, action: () => T): T {
    try {
      return action()
    } catch (error) {
      this.#failed(part, name, error)
      return fallback
    }
  }

  #failed(part: string | undefined, name: string, cause: unknown): void {
    const message = `${name} threw: ${messageOf(cause)}`
    this.#onFailure(part, new FlogError('FLOG_ENGINE_HOOK', message, { cause, details: { hook: name } }))
  }
}

/** Takes the first answer. */
class OpenQuestion implements Question {
  timer: Timer | undefined
  readonly #abort = new AbortController()
  #answer: ((decision: Decision) => void) | undefined

  constructor(answer: (decision: Decision) => void) {
    this.#answer = answer
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** @returns whether anybody still waited */
  settle(decision: Decision): boolean {
    const answer = this.#answer
    if (answer === undefined) return false
    this.cancel()
    answer(decision)
    return true
  }

  cancel(): void {
    this.#answer = undefined
    this.timer?.cancel()
    this.#abort.abort()
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function isDecision(value: unknown): value is Decision {
  if (typeof value !== 'object' || value === null || !('action' in value)) return false
  if (!ACTIONS.has(value.action)) return false
  return !('delayMs' in value) || value.delayMs === undefined || value.delayMs === 0 || isMs(value.delayMs)
}

function undecided(part: string, why: string, cause: unknown): FlogError {
  const message = `onError ${why} for part "${part}", which is restarted`
  return new FlogError('FLOG_ENGINE_HOOK', message, {
    ...(cause === undefined ? {} : { cause }),
    details: { part, hook: 'onError' },
  })
}
