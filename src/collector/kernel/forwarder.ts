import type { Timer } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import {
  KERNEL_ACK_MS,
  KERNEL_BACKOFF_FIRST_MS,
  KERNEL_BACKOFF_MAX_MS,
  KERNEL_BATCH_ROWS,
  KERNEL_RETRIES,
  KERNEL_SPOOL_AGAIN_MS,
} from '../../base/kernel-limits'
import type { ErrorRow } from './event'
import { ForwardQueue, type ForwardQueueOptions } from './forward-queue'

/** The way to the central error log: over a socket, a pipe, or in the same process. */
export interface Forward {
  /**
   * Resolves to the ids of the rows that are safe on the other side; the others are sent again, the same ones maybe twice.
   * May reject; is given up, and `signal` aborted, after a minute.
   */
  send(batch: readonly ErrorRow[], signal: AbortSignal): Promise<readonly string[]>
}

export interface ForwarderOptions extends Omit<ForwardQueueOptions, 'onSpoolWorks'> {
  readonly forward: Forward
  /** Is told when forwarding begins to fail, when rows are dropped, and of what is wrong with the spool: once until it works again. */
  readonly onTrouble: (error: FlogError) => void
}

const FORWARDING = ['FLOG_KERNEL_FORWARD_FAILED', 'FLOG_KERNEL_DROPPED'] as const
const SPOOLING = ['FLOG_KERNEL_SPOOL_FAILED', 'FLOG_KERNEL_SPOOL_LOCKED'] as const

/**
 * Brings rows to the central error log, at least once and in order.
 *
 * ```
 *   begin, push ──> spool ──> queue (1,000 in memory, the rest is read from the spool) ──> send ──> acknowledged: gone
 *                                └──────────────── again, after a pause that grows ─────────┘
 * ```
 * What earlier processes left in the spool goes first.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #queue: ForwardQueue
  readonly #told = new Set<FlogError['code']>()
  /** Sends that were not acknowledged, since the last that was. */
  #failures = 0
  #sending: AbortController | undefined
  #pause: Timer | undefined
  #wake: () => void = () => {}
  #isClosing = false
  #opening: Promise<void> | undefined
  #openAgain: Timer | undefined
  #running: Promise<void> | undefined
  readonly #whenIdle = new Set<() => void>()

  constructor(options: ForwarderOptions) {
    this.#options = options
    const onTrouble = (error: FlogError): void => this.#tell(error)
    this.#queue = new ForwardQueue({ ...options, onTrouble, onSpoolWorks: () => this.#works(SPOOLING) })
  }

  /** A row that others may yet be counted with, or that is decided about: kept, and not sent before it is pushed. */
  begin(row: ErrorRow): void {
    this.#queue.begin(row)
  }

  /** A row that was begun counts the event `event` as well. */
  grow(id: string, event: string, repeat: number, changed: () => ErrorRow): void {
    this.#queue.grow(id, event, repeat, changed)
  }

  push(row: ErrorRow): void {
    this.#queue.push(row)
    if (this.#pause === undefined) this.#wake()
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Sends what is there, for `ms` milliseconds at most; the rest stays in the spool. */
  async close(ms: number): Promise<void> {
    this.start()
    await this.#idleWithin(ms)
    this.#isClosing = true
    this.#openAgain?.cancel()
    this.#sending?.abort()
    this.#wake()
    await this.#running
    await this.#opening
    await this.#queue.close()
  }

  /** Has what is there on the disk when the call is through. */
  flushSync(): void {
    this.#queue.syncSync()
  }

  async #run(): Promise<void> {
    this.#opening = this.#open()
    await this.#opening
    while (!this.#isClosing) {
      const rows = await this.#queue.take(KERNEL_BATCH_ROWS)
      if (rows.length > 0) await this.#attempt(rows)
      else if (this.#queue.isEmpty) await this.#idle()
    }
  }

  async #open(): Promise<void> {
    if ((await this.#queue.openSpool()) || this.#isClosing) return this.#wake()
    this.#openAgain = this.#options.clock.after(KERNEL_SPOOL_AGAIN_MS, () => {
      this.#opening = this.#open()
    })
  }

  async #attempt(rows: readonly ErrorRow[]): Promise<void> {
    const acknowledged = await this.#send(rows)
    const known = rows.filter(({ id }) => acknowledged.has(id)).length
    this.#queue.release(acknowledged)
    this.#options.metrics.add('kernel_forwarded_total', {}, known)
    if (known > 0) this.#failures = 0
    if (known === rows.length) return this.#works(FORWARDING)
    if (!this.#isClosing) {
      const what = `errors are not forwarded: ${known} of ${rows.length} were acknowledged`
      this.#tell(new FlogError('FLOG_KERNEL_FORWARD_FAILED', what))
    }
    await this.#failed()
  }

  async #send(rows: readonly ErrorRow[]): Promise<ReadonlySet<string>> {
    const { forward, clock } = this.#options
    const sending = new AbortController()
    this.#sending = sending
    const timer = clock.after(KERNEL_ACK_MS, () =>
      sending.abort(new Error('it was not acknowledged in time')),
    )
    try {
      return new Set(await Promise.race([forward.send(rows, sending.signal), rejection(sending.signal)]))
    } catch (cause) {
      if (!this.#isClosing)
        this.#tell(
          new FlogError('FLOG_KERNEL_FORWARD_FAILED', `errors are not forwarded: ${messageOf(cause)}`, {
            cause,
          }),
        )
      return new Set()
    } finally {
      timer.cancel()
      this.#sending = undefined
    }
  }

  async #failed(): Promise<void> {
    this.#failures++
    if (this.#failures > KERNEL_RETRIES) this.#queue.save()
    if (this.#isClosing) return
    const { clock, random } = this.#options
    const bound = Math.min(
      KERNEL_BACKOFF_MAX_MS,
      KERNEL_BACKOFF_FIRST_MS * 2 ** Math.min(20, this.#failures - 1),
    )
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#pause = clock.after(random.fraction() * bound, resolve)
    })
    this.#pause?.cancel()
    this.#pause = undefined
  }

  /** Until there is something to send. */
  async #idle(): Promise<void> {
    for (const tell of this.#whenIdle) tell()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (this.#isClosing || !this.#queue.isEmpty) resolve()
    })
  }

  /** Where the other side did not answer the last time, and all of it is in the spool, there is nothing to wait for. */
  async #idleWithin(ms: number): Promise<void> {
    const { clock } = this.#options
    if (this.#failures > 0 && this.#queue.unsaved === 0) return
    await new Promise<void>((resolve) => {
      const timer = clock.after(ms, resolve, { keepAlive: true })
      this.#whenIdle.add(() => {
        timer.cancel()
        resolve()
      })
      this.#wake()
    })
  }

  #tell(error: FlogError): void {
    if (this.#told.has(error.code)) return
    this.#told.add(error.code)
    this.#options.onTrouble(error)
  }

  #works(codes: readonly FlogError['code'][]): void {
    for (const code of codes) this.#told.delete(code)
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
