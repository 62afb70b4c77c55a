import type { Clock, Timer } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import {
  KERNEL_ACK_MS,
  KERNEL_BACKOFF_FIRST_MS,
  KERNEL_BACKOFF_MAX_MS,
  KERNEL_BATCH_ROWS,
  KERNEL_RETRIES,
} from '../../base/limits'
import type { Random } from '../../base/random'
import type { ErrorRow } from './event'
import { ForwardQueue } from './forward-queue'
import type { Metrics } from './metrics'
import type { Spool } from './spool'

/** The way to the central error log: over a socket, a pipe, or in the same process. */
export interface Forward {
  /**
   * Resolves to the ids of the rows that are safe on the other side; the others are sent again, the same ones maybe twice.
   * May reject; is given up, and `signal` aborted, after a minute.
   */
  send(batch: readonly ErrorRow[], signal: AbortSignal): Promise<readonly string[]>
}

export interface ForwarderOptions {
  readonly forward: Forward
  readonly node: string
  readonly spool?: Spool | undefined
  readonly capacity: number
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  /** Is told when forwarding begins to fail, when rows are dropped, and of what is wrong with the spool: once until it works again. */
  readonly onTrouble: (error: FlogError) => void
}

/** Rows under way, and what to do when some, all or none of them were acknowledged. */
interface Batch {
  readonly rows: readonly ErrorRow[]
  readonly done: (acknowledged: ReadonlySet<string>, isAll: boolean) => Promise<unknown>
}

const NONE: ReadonlySet<string> = new Set()

/**
 * Brings rows to the central error log, at least once and in order.
 *
 * ```
 *   push ──> queue (1,000, the oldest is dropped) ──────────────────────────> send ──> acknowledged: gone
 *              └── not acknowledged 11 times ──> spool file ──> replayed first ──┘
 * ```
 * While there is something in the spool it goes first, being older; the queue follows.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #queue: ForwardQueue
  readonly #told = new Set<string>()
  /** Sends that were not acknowledged, since the last that was. */
  #failures = 0
  #sending: AbortController | undefined
  #pause: Timer | undefined
  #wake: () => void = () => {}
  #isClosing = false
  #running: Promise<void> | undefined
  readonly #whenIdle = new Set<() => void>()

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#queue = new ForwardQueue(options)
  }

  push(row: ErrorRow): void {
    if (!this.#queue.push(row)) {
      this.#tell(
        'FLOG_KERNEL_DROPPED',
        'errors for the central error log are dropped: more come than it takes',
      )
    }
    if (this.#pause === undefined) this.#wake()
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Sends what is there, for `ms` milliseconds at most; puts the rest into the spool. */
  async close(ms: number): Promise<void> {
    this.start()
    await this.#idleWithin(ms)
    this.#isClosing = true
    this.#sending?.abort()
    this.#wake()
    await this.#running
    await this.#spill()
    this.#options.metrics.add('kernel_forward_dropped_total', {}, this.#queue.all().length)
    await this.#options.spool?.close()
  }

  /** Puts what is there into the spool, in this call. */
  flushSync(): void {
    const { spool } = this.#options
    if (spool === undefined || this.#queue.isEmpty) return
    try {
      this.#queue.remove(spool.appendSync(this.#queue.all()))
    } catch (cause) {
      this.#spoolFailed(cause)
    }
  }

  async #run(): Promise<void> {
    await this.#withSpool((spool) => spool.open(), undefined)
    while (!this.#isClosing) {
      const batch = await this.#next()
      if (batch === undefined) await this.#idle()
      else if (!(await this.#attempt(batch))) await this.#failed()
    }
  }

  async #next(): Promise<Batch | undefined> {
    const { spool } = this.#options
    if (spool !== undefined && !spool.isEmpty) {
      const read = await this.#withSpool((open) => open.read(), undefined)
      if (read !== undefined) {
        // What of a piece was acknowledged is sent again with the rest, and known there by its id.
        const { rows, end } = read
        return {
          rows,
          done: async (_ids, isAll) => isAll && this.#withSpool(async () => spool.discard(end), undefined),
        }
      }
    }
    const rows = this.#queue.take(KERNEL_BATCH_ROWS)
    if (rows.length === 0) return undefined
    return { rows, done: async (ids) => this.#queue.release(ids) }
  }

  /** @returns whether all was acknowledged */
  async #attempt({ rows, done }: Batch): Promise<boolean> {
    const acknowledged = rows.length === 0 ? NONE : await this.#send(rows)
    const known = rows.filter(({ id }) => acknowledged.has(id)).length
    const isAll = known === rows.length
    await done(acknowledged, isAll)
    this.#options.metrics.add('kernel_forwarded_total', {}, known)
    if (isAll || known > 0) this.#failures = 0
    if (isAll) this.#told.clear()
    else if (!this.#isClosing) {
      const count = `${known} of ${rows.length}`
      this.#tell('FLOG_KERNEL_FORWARD_FAILED', `errors are not forwarded: ${count} were acknowledged`)
    }
    return isAll
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
        this.#tell('FLOG_KERNEL_FORWARD_FAILED', `errors are not forwarded: ${messageOf(cause)}`, cause)
      return NONE
    } finally {
      timer.cancel()
      this.#sending = undefined
    }
  }

  async #failed(): Promise<void> {
    this.#failures++
    if (this.#failures > KERNEL_RETRIES) await this.#spill()
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

  async #spill(): Promise<void> {
    const rows = this.#queue.all()
    if (rows.length === 0) return
    const kept = await this.#withSpool((spool) => spool.append(rows), 0)
    this.#queue.remove(kept)
  }

  /** Until there is something to send. */
  async #idle(): Promise<void> {
    for (const tell of this.#whenIdle) tell()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (this.#isClosing || !this.#queue.isEmpty) resolve()
    })
  }

  /** Where the other side did not answer the last time, and there is a file for the rest, there is nothing to wait for. */
  async #idleWithin(ms: number): Promise<void> {
    const { clock, spool } = this.#options
    if (spool !== undefined && this.#failures > 0) return
    await new Promise<void>((resolve) => {
      const timer = clock.after(ms, resolve, { keepAlive: true })
      this.#whenIdle.add(() => {
        timer.cancel()
        resolve()
      })
      this.#wake()
    })
  }

  async #withSpool<T>(use: (spool: Spool) => Promise<T>, otherwise: T): Promise<T> {
    const { spool } = this.#options
    if (spool === undefined) return otherwise
    try {
      return await use(spool)
    } catch (cause) {
      this.#spoolFailed(cause)
      return otherwise
    }
  }

  #spoolFailed(cause: unknown): void {
    this.#tell('FLOG_KERNEL_SPOOL_FAILED', `errors cannot be put into the spool: ${messageOf(cause)}`, cause)
  }

  #tell(code: FlogError['code'], message: string, cause?: unknown): void {
    if (this.#told.has(code)) return
    this.#told.add(code)
    this.#options.onTrouble(new FlogError(code, message, { cause }))
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
