import type { Clock } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import type { SeenEvent } from './event'

/** Takes events somewhere else: into a table, into a recorder. */
export interface Sink {
  readonly name: string
  /** Default true: gets one event for all occurrences of a trouble within some seconds. False: each event, at once. */
  readonly folded?: boolean
  /** The next batch comes when this one is through. What it rejects is reported and not tried again. */
  write(batch: readonly SeenEvent[]): Promise<void>
}

export interface SinkQueueOptions {
  readonly sink: Sink
  readonly capacity: number
  readonly clock: Clock
  readonly onFailure: (failure: FlogError) => void
}

/** What waits for one sink. Bounded: of more events than it may hold the oldest are dropped, and the sink's failure says so. */
export class SinkQueue {
  readonly #options: SinkQueueOptions
  #waiting: SeenEvent[] = []
  #dropped = 0
  #isInCall = false
  #writing: Promise<void> | undefined

  constructor(options: SinkQueueOptions) {
    this.#options = options
  }

  get isFolded(): boolean {
    return this.#options.sink.folded !== false
  }

  /** While the sink is called: what it reports in the call would come back to it. */
  get isInCall(): boolean {
    return this.#isInCall
  }

  push(event: SeenEvent): void {
    this.#waiting.push(event)
    this.#writing ??= this.#writeAll()
    if (this.#waiting.length <= this.#options.capacity) return
    this.#waiting.shift()
    this.#dropped++
    // It may hang for good.
    if (this.#dropped === 1) this.#fail('events are dropped, since it is too slow')
  }

  /** Resolves when everything was written, or after `ms` milliseconds. */
  async close(ms: number): Promise<void> {
    const { clock } = this.#options
    await new Promise<void>((resolve) => {
      const timer = clock.after(ms, resolve, { keepAlive: true })
      void Promise.resolve(this.#writing).then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  async #writeAll(): Promise<void> {
    // Not in the call that reports: a sink may take its time.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#call(batch)
      } catch (cause) {
        this.#fail(`${batch.length} events were not taken: ${messageOf(cause)}`, cause)
      }
      if (this.#dropped > 0) this.#fail(`${this.#dropped} events were dropped, since it was too slow`)
      this.#dropped = 0
      // A sink whose failures are reported would get them at once, for ever: others have their turn.
      if (this.#waiting.length > 0) await new Promise((resolve) => setImmediate(resolve))
    }
    this.#writing = undefined
  }

  #call(batch: readonly SeenEvent[]): Promise<void> {
    this.#isInCall = true
    try {
      return this.#options.sink.write(batch)
    } finally {
      this.#isInCall = false
    }
  }

  #fail(what: string, cause?: unknown): void {
    const { sink, onFailure } = this.#options
    onFailure(new FlogError('FLOG_KERNEL_SINK_FAILED', `sink ${sink.name}: ${what}`, { cause }))
  }
}
