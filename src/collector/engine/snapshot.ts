import { FlogError } from '../../base/errors'
import { MissingError } from './errors'
import type { PartRef, StartContext } from './part'

/** What a start may see of others. */
export interface Inputs {
  readonly declared: ReadonlySet<string>
  /** Outputs of those that ran when the start was decided; undefined for one that offers nothing. */
  readonly running: ReadonlyMap<string, unknown>
}

/**
 * The context of one start. Its inputs are those of the moment in which the start was decided: were they looked up later, a
 * part might be given an input on whose account it is about to be started anew.
 */
export class Snapshot implements StartContext {
  readonly name: string
  readonly attempt: number
  readonly signal: AbortSignal
  #inputs: Inputs | undefined

  // Functions of their own, so that a start may take its context apart.
  readonly get = <T>(part: PartRef<T>): T => {
    const { running } = this.#declaring(part)
    if (!running.has(part.name)) throw missing(part, 'not running')
    return this.#accepted(part, running.get(part.name))
  }

  readonly maybe = <T>(part: PartRef<T>): T | undefined => {
    const output = this.#declaring(part).running.get(part.name)
    return output === undefined ? undefined : this.#accepted(part, output)
  }

  constructor(name: string, attempt: number, signal: AbortSignal, inputs: Inputs) {
    this.name = name
    this.attempt = attempt
    this.signal = signal
    this.#inputs = inputs
  }

  /** From now on nothing can be got: an output must not be used without the engine knowing. */
  expire(): void {
    this.#inputs = undefined
  }

  #declaring(part: PartRef): Inputs {
    if (this.#inputs === undefined) {
      const message = `part "${this.name}" asked for "${part.name}" with the expired context of a start that is over`
      throw new FlogError('FLOG_ENGINE_EXPIRED', message, { details: { part: this.name, input: part.name } })
    }
    if (!this.#inputs.declared.has(part.name)) throw missing(part, 'not declared')
    return this.#inputs
  }

  #accepted<T>(part: PartRef<T>, output: unknown): T {
    if (part.accepts === undefined) return output as T
    if (output === undefined) throw missing(part, 'not exposed')
    if (part.accepts(output)) return output
    const message = `"${part.name}" offers something else than part "${this.name}" takes`
    throw new FlogError('FLOG_ENGINE_OUTPUT', message, { details: { part: this.name, input: part.name } })
  }
}

function missing(part: PartRef, why: string): MissingError {
  return new MissingError(`"${part.name}" ${why}: dependency not available`, {
    details: { input: part.name },
  })
}
