import { FlogError } from '../base/errors'
import type { LogEvent } from '../event/event'
import type { Remote } from '../remote/client'
import type { ConnectionState } from '../remote/connection'
import { isTailNotice, type TailItem } from '../remote/tail'
import { pack } from '../remote/wire'
import type { LiveItem, ViewerSource } from './source'

/** Events that one message takes. */
const BATCH = 500
/** Each of a process's events is small; what waits for a page that is behind is not to grow without end. */
const MAX_WAITING = 20_000

/** The events of a process that publishes them, each page with all that is held in memory first. */
export function liveSource(remote: Remote, name: string): ViewerSource {
  return {
    describe: async () => ({ kind: 'live', name, incidents: [], unreadable: [] }),
    open: async () => {
      throw new FlogError('FLOG_INCIDENT_UNKNOWN', 'a process is followed here; its incidents are not listed')
    },
    follow: (signal) => follow(remote, signal),
  }
}

async function* follow(remote: Remote, signal: AbortSignal): AsyncGenerator<LiveItem, void> {
  const queue = new Queue()
  const onState = (state: ConnectionState): void => {
    if (state.kind === 'connected') queue.put({ kind: 'connected', to: state.about.service })
    else if (state.kind === 'waiting') queue.put({ kind: 'lost', reason: state.error.message })
  }
  remote.on('connection', onState)
  const reading = readInto(queue, remote, signal)
  try {
    yield* queue.items()
    await reading
  } finally {
    remote.off('connection', onState)
  }
}

async function readInto(queue: Queue, remote: Remote, signal: AbortSignal): Promise<void> {
  try {
    for await (const item of remote.tail({ catchUp: true, signal })) {
      queue.take(item)
      if (queue.isFull) await queue.emptied()
    }
  } catch (error) {
    if (!FlogError.is(error, 'FLOG_ABORTED') && !FlogError.is(error, 'FLOG_CLOSED')) throw error
  } finally {
    queue.end()
  }
}

/** What came and was not passed on yet: events in batches, in between what happened to the connection. */
class Queue {
  #events: LogEvent[] = []
  #items: LiveItem[] = []
  #isEnded = false
  #wake: (() => void) | undefined
  #onEmpty: (() => void) | undefined

  get isFull(): boolean {
    return this.#events.length + this.#items.length * BATCH > MAX_WAITING
  }

  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }

  take(item: TailItem): void {
    if (!isTailNotice(item)) {
      this.#events.push(item)
      if (this.#events.length >= BATCH) this.#close()
      this.#wake?.()
      return
    }
    if (item.restarted !== undefined) this.put({ kind: 'restarted' })
    if (item.missed > 0) this.put({ kind: 'missed', count: item.missed })
  }

  put(item: LiveItem): void {
    this.#close()
    this.#items.push(item)
    this.#wake?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
    this.#onEmpty?.()
  }

  async *items(): AsyncGenerator<LiveItem, void> {
    for (;;) {
      this.#close()
      const items = this.#items
      this.#items = []
      yield* items
      if (this.#items.length > 0 || this.#events.length > 0) continue
      if (this.#isEnded) return
      this.#onEmpty?.()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
      // What comes with the same message of the publisher goes into one batch.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Makes a batch of the events that came so far. */
  #close(): void {
    if (this.#events.length === 0) return
    this.#items.push({ kind: 'events', bytes: pack(this.#events) })
    this.#events = []
  }
}
