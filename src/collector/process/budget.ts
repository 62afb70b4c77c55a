import { FlogError, messageOf } from '../../base/errors'
import { PROCESS_ERROR_CHARS } from '../../base/limits'
import { storableText } from '../store/storable'

/** One error of an item, as it is stored. */
export interface NotedError {
  readonly item: string
  readonly message: string
  readonly code?: string
}

/** What a worker does after an error: go on with its item, or give it up. */
export type AfterError = 'continue' | 'abort'

/** Keeps the first errors and counts all of them; says when there were too many. */
export class ErrorBudget {
  readonly #limit: number
  readonly #first: NotedError[] = []
  #total = 0

  /** @param limit errors that are kept and gone on after; the next one is too many */
  constructor(limit: number) {
    this.#limit = limit
  }

  add(error: NotedError): AfterError {
    this.#total++
    if (this.#first.length < this.#limit) this.#first.push(error)
    return this.spent ? 'abort' : 'continue'
  }

  get spent(): boolean {
    return this.#total > this.#limit
  }

  get total(): number {
    return this.#total
  }

  get first(): readonly NotedError[] {
    return this.#first
  }
}

/** An error as it is stored: bounded, whatever was thrown. */
export function noted(item: string, error: unknown): NotedError {
  const message = storableText(messageOf(error).slice(0, PROCESS_ERROR_CHARS))
  return FlogError.is(error) ? { item, message, code: error.code } : { item, message }
}
