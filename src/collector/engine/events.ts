import { ENGINE_EVENTS } from '../../base/limits'

/** What happened to a part, or to the engine where none is named. Times are wall-clock microseconds. */
export interface EngineEvent {
  readonly at: number
  readonly type:
    | 'installed'
    | 'uninstalled'
    | 'replaced'
    | 'waiting'
    | 'starting'
    | 'started'
    | 'stopping'
    | 'stopped'
    | 'abandoned'
    | 'decided'
    | 'killed'
    | 'failed'
    | 'dying'
    | 'dead'
    /** Whoever reads was too slow for `count` events. */
    | 'missed'
  readonly part?: string
  readonly error?: unknown
  readonly delayMs?: number
  readonly action?: string
  /** Of `dying`: what `kill` was given. */
  readonly reason?: unknown
  readonly count?: number
}

/** Hands each reader every event from when it begins to read, and holds a bounded number for each. */
export class EventStream implements AsyncIterable<EngineEvent> {
  readonly #readers = new Set<EventReader>()
  #closed = false

  get readers(): number {
    return this.#readers.size
  }

  emit(event: EngineEvent): void {
    for (const reader of this.#readers) reader.push(event)
  }

  /** Readers get what is left, and come to an end. */
  close(): void {
    this.#closed = true
    for (const reader of this.#readers) reader.close()
    this.#readers.clear()
  }

  [Symbol.asyncIterator](): AsyncIterator<EngineEvent> {
    const reader: EventReader = new EventReader(() => this.#readers.delete(reader))
    if (this.#closed) reader.close()
    else this.#readers.add(reader)
    return reader
  }
}

type Result = IteratorResult<EngineEvent>

const DONE: Result = { done: true, value: undefined }

class EventReader implements AsyncIterator<EngineEvent> {
  readonly #leave: () => void
  readonly #held: EngineEvent[] = []
  #waiting: Array<(result: Result) => void> = []
  #missed = 0
  #closed = false

  constructor(leave: () => void) {
    this.#leave = leave
  }

  push(event: EngineEvent): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ done: false, value: event })
      return
    }
    this.#held.push(event)
    if (this.#held.length <= ENGINE_EVENTS) return
    this.#held.shift()
    this.#missed++
  }

  close(): void {
    this.#closed = true
    for (const waiting of this.#waiting) waiting(DONE)
    this.#waiting = []
  }

  next(): Promise<Result> {
    const oldest = this.#held[0]
    if (oldest !== undefined && this.#missed > 0) {
      const value = { at: oldest.at, type: 'missed', count: this.#missed } as const
      this.#missed = 0
      return Promise.resolve({ done: false, value })
    }
    const value = this.#held.shift()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (this.#closed) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<Result> {
    this.#held.length = 0
    this.#leave()
    this.close()
    return Promise.resolve(DONE)
  }
}
