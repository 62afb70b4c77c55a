import type { Timer } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import type { Action, Decision, Ending, PartErrorContext, Settings } from './config'
import { isMs } from './config'
import type { Declaration } from './declaration'
import { meaningOf, thrownBy } from './errors'
import { isPromise, whenRefused } from './promised'

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
  verdict(part: string, { filter }: Pick<Declaration, 'filter'>, thrown: unknown): Verdict {
    if (thrown === undefined) return { ending: 'completed', error: undefined }
    const error = this.#filtered(part, filter, thrown)
    if (error === undefined) return { ending: 'completed', error }
    const ending = meaningOf(error) ?? (this.#isFatal(part, error) ? 'fatal' : 'error')
    return { ending, error }
  }

  worst(error: unknown, worst: unknown): unknown {
    const fallback = worst ?? error
    const worse = () => this.#settings.worstError(error, worst) ?? fallback
    return this.#guarded(undefined, 'worstError', fallback, worse)
  }

  /** What `wait` rejects with; undefined for an end in order. */
  final(worst: unknown): unknown {
    const { filter } = this.#settings
    if (worst === undefined || filter === undefined) return worst
    return this.#guarded(undefined, 'filter', worst, () => filter(worst) ?? undefined)
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

    function settle(answered: unknown): void {
      try {
        const decision = decisionOf(answered)
        if (decision === undefined) fail('gave no decision')
        else question.settle(decision)
      } catch (cause) {
        fail('failed', cause)
      }
    }
  }

  #filtered(part: string, filter: Declaration['filter'], thrown: unknown): unknown {
    if (filter === undefined) return thrown
    const error = this.#guarded(part, 'filter', thrown, () => filter(thrown))
    return error === undefined || error === null ? undefined : thrownBy(part, error)
  }

  #isFatal(part: string, error: unknown): boolean {
    return this.#guarded(part, 'isFatal', false, () => this.#settings.isFatal(error)) === true
  }

  #guarded<T>(part: string | undefined, name: string, fallback: T, action: () => T): T {
    try {
      const answer = action()
      if (!isPromise(answer)) return answer
      whenRefused(answer, () => {})
      this.#failed(part, name, 'gave a promise, but must answer at once')
    } catch (cause) {
      this.#failed(part, name, `threw: ${messageOf(cause)}`, cause)
    }
    return fallback
  }

  #failed(part: string | undefined, hook: string, what: string, cause?: unknown): void {
    const options = { details: { hook }, ...(cause === undefined ? {} : { cause }) }
    this.#onFailure(part, new FlogError('FLOG_ENGINE_HOOK', `${hook} ${what}`, options))
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

/** A copy: what is asked twice may answer twice. */
function decisionOf(given: unknown): Decision | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { action, delayMs } = given as { readonly action?: unknown; readonly delayMs?: unknown }
  if (!isAction(action)) return undefined
  if (delayMs === undefined) return { action }
  return delayMs === 0 || isMs(delayMs) ? { action, delayMs } : undefined
}

function isAction(value: unknown): value is Action {
  return ACTIONS.has(value)
}

function undecided(part: string, why: string, cause: unknown): FlogError {
  const message = `onError ${why} for part "${part}", which is restarted`
  return new FlogError('FLOG_ENGINE_HOOK', message, {
    ...(cause === undefined ? {} : { cause }),
    details: { part, hook: 'onError' },
  })
}
