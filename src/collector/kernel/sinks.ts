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
  #writing: Promise<void> | undefined

  constructor(options: SinkQueueOptions) {
    this.#options = options
  }

  get isFolded(): boolean {
    return this.#options.sink.folded !== false
  }

  push(event: SeenEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > this.#options.capacity) {
      this.#waiting.shift()
      this.#dropped++
    }
    this.#writing ??= this.#writeAll()
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
        await this.#options.sink.write(batch)
      } catch (cause) {
        this.#fail(`${batch.length} events were not taken: ${messageOf(cause)}`, cause)
      }
      if (this.#dropped > 0) this.#fail(`${this.#dropped} events were dropped, since it is too slow`)
      this.#dropped = 0
    }
    this.#writing = undefined
  }

  #fail(what: string, cause?: unknown): void {
    const { sink, onFailure } = this.#options
    onFailure(new FlogError('FLOG_KERNEL_SINK_FAILED', `sink ${sink.name}: ${what}`, { cause }))
  }
}
