import { CAPTURE_WAIT_MS } from '../base/limits'
import type { DialOutState } from '../remote/dial-out'
import { type PublishedProcess, type PublishOptions, publishProcess } from '../remote/publish-process'
import type { DialledOut, Publisher, PublisherStats } from '../remote/publisher'
import { failureOf } from './calls'
import type { DialledState, DialledTo, Published } from './setup'

export interface HostedOptions extends Omit<PublishedProcess, 'capture'> {
  /** Asks the app thread, which may be stuck. */
  readonly ask: (wish: {
    readonly reason: string
    readonly ticket: SharedArrayBuffer
  }) => Promise<string | undefined>
  readonly captureHere: (reason: string) => string | undefined
  readonly onDialled: (dialled: number, state: DialledState) => void
}

const UNTAKEN = 0
const TAKEN_HERE = 2

/** Publishers that answer from this thread, also while the app's is in a loop. */
export class HostedPublishers {
  readonly #options: HostedOptions
  readonly #publishers = new Map<number, Publisher>()
  readonly #dialled = new Map<number, DialledOut>()
  #next = 1

  constructor(options: HostedOptions) {
    this.#options = options
  }

  async publish(options: PublishOptions): Promise<Published> {
    const capture = (reason: string): Promise<string | undefined> => this.#capture(reason)
    const made = await publishProcess(options, { ...this.#options, capture })
    const publisher = this.#next++
    this.#publishers.set(publisher, made)
    const { url, controlUrl, port, logportFile, controlLogportFile } = made
    return { publisher, url, controlUrl, port, logportFile, controlLogportFile }
  }

  dialOut({ publisher, dialled, logport, allow = 'read' }: DialledTo): void {
    const made = this.#publishers.get(publisher)?.dialOut(logport, {
      allow,
      onState: (state) => this.#options.onDialled(dialled, clonable(state)),
    })
    if (made !== undefined) this.#dialled.set(dialled, made)
  }

  async hangUp(dialled: number): Promise<void> {
    const made = this.#dialled.get(dialled)
    this.#dialled.delete(dialled)
    await made?.close()
  }

  async unpublish(publisher: number): Promise<void> {
    const made = this.#publishers.get(publisher)
    this.#publishers.delete(publisher)
    await made?.close()
  }

  stats(): Readonly<Record<number, PublisherStats>> {
    return Object.fromEntries([...this.#publishers].map(([id, publisher]) => [id, publisher.stats()]))
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#publishers.keys()].map((publisher) => this.unpublish(publisher)))
  }

  /**
   * The app thread is asked first: its reporter may be the program's own. Where it does not take the wish in time, it is
   * stuck, and this thread reports. The ticket sees to it that one of them does.
   */
  async #capture(reason: string): Promise<string | undefined> {
    const ticket = new Int32Array(new SharedArrayBuffer(4))
    const answer = this.#options.ask({ reason, ticket: ticket.buffer as SharedArrayBuffer })
    answer.catch(() => {})
    const { clock, captureHere } = this.#options
    await new Promise<void>((resolve) => {
      const timer = clock.after(CAPTURE_WAIT_MS, resolve, { keepAlive: true })
      const done = (): void => {
        timer.cancel()
        resolve()
      }
      void answer.then(done, done)
    })
    return Atomics.compareExchange(ticket, 0, UNTAKEN, TAKEN_HERE) === UNTAKEN ? captureHere(reason) : answer
  }
}

function clonable(state: DialOutState): DialledState {
  if (state.kind === 'connected') return state
  const { kind, ms, error } = state
  return { kind, ms, failure: failureOf(error) }
}
