import type { MessagePort } from 'node:worker_threads'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'

/** What one side does for the other. Arguments and results are cloned on the way. */
export type Service = { readonly [name: string]: (argument: never) => unknown }

type Argument<S extends Service, K extends keyof S> = Parameters<S[K]>[0]

type Message =
  | { readonly kind: 'ask'; readonly call: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'tell'; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'answer'; readonly call: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly call: number; readonly failure: Failure }

export interface Failure {
  readonly code: FlogErrorCode | undefined
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

interface Waiting {
  readonly settle: (answer: unknown) => void
  readonly fail: (error: Error) => void
}

/**
 * Questions and answers between two threads. `Theirs` is what the other thread does when it is asked, `ours` what this one
 * does. A FlogError thrown there is thrown here, with its code.
 *
 * The port keeps the process alive as long as an answer is waited for, and no longer.
 */
export class Calls<Theirs extends Service> {
  readonly #port: MessagePort
  readonly #ours: Service
  readonly #waiting = new Map<number, Waiting>()
  #next = 1
  #ended: FlogError | undefined

  constructor(port: MessagePort, ours: Service) {
    this.#port = port
    this.#ours = ours
    port.on('message', (message: Message) => this.#receive(message))
    // Listening to a port keeps the process alive.
    port.unref()
  }

  /**
   * @param signal of one who waits no longer; the other side is not told
   * @throws FlogError what the other side threw; FLOG_CLOSED where it ended before it answered; FLOG_ABORTED
   */
  ask<K extends keyof Theirs & string>(
    name: K,
    argument: Argument<Theirs, K>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    return new Promise((settle, fail) => {
      if (this.#ended !== undefined) {
        fail(this.#ended)
        return
      }
      const call = this.#next++
      this.#port.postMessage({ kind: 'ask', call, name, argument } satisfies Message)
      this.#waiting.set(call, { settle: settle as (answer: unknown) => void, fail })
      this.#port.ref()
      signal?.addEventListener('abort', () => this.#take(call)?.fail(givenUp()), { once: true })
    })
  }

  /** Without an answer. */
  tell<K extends keyof Theirs & string>(name: K, argument: Argument<Theirs, K>): void {
    if (this.#ended === undefined) this.#port.postMessage({ kind: 'tell', name, argument } satisfies Message)
  }

  /** The other side is gone: whoever waits for it is told. */
  end(): void {
    this.#ended ??= new FlogError('FLOG_CLOSED', 'the second thread ended before it answered')
    for (const { fail } of this.#waiting.values()) fail(this.#ended)
    this.#waiting.clear()
    this.#port.unref()
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'tell':
        this.#ours[message.name]?.(message.argument as never)
        return
      case 'ask':
        void this.#answer(message.call, message.name, message.argument)
        return
      case 'answer':
        this.#take(message.call)?.settle(message.answer)
        return
      case 'failure':
        this.#take(message.call)?.fail(errorOf(message.failure))
    }
  }

  async #answer(call: number, name: string, argument: unknown): Promise<void> {
    try {
      const answer = await this.#ours[name]?.(argument as never)
      this.#port.postMessage({ kind: 'answer', call, answer } satisfies Message)
    } catch (error) {
      this.#port.postMessage({ kind: 'failure', call, failure: failureOf(error) } satisfies Message)
    }
  }

  #take(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if (this.#waiting.size === 0) this.#port.unref()
    return waiting
  }
}

function givenUp(): FlogError {
  return new FlogError('FLOG_ABORTED', 'the second thread did not answer in time')
}

/** An error as it can be cloned: its cause may hold anything. */
export function failureOf(error: unknown): Failure {
  const message = messageOf(error)
  return FlogError.is(error)
    ? { code: error.code, message, ...detailsOf(error) }
    : { code: undefined, message }
}

export function errorOf({ code, message, details }: Failure): Error {
  if (code === undefined) return new Error(message)
  return new FlogError(code, message, details === undefined ? {} : { details })
}

function detailsOf({ details }: FlogError): Pick<Failure, 'details'> {
  try {
    return { details: structuredClone(details) }
  } catch {
    return {}
  }
}
