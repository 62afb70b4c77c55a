import type { Clock } from '../../../src/base/clock'
import type { Logger } from '../../../src/recorder/logger'

/** A connection that was lent. */
export interface Lease {
  readonly number: number
  release(): void
}

interface Waiter {
  readonly since: number
  readonly take: (lease: Lease) => void
}

/** A pool of database connections, as small services have one: who gets none in time gives up. */
export class Pool {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #size: number
  readonly #timeoutMs: number
  readonly #waiters: Waiter[] = []
  #used = 0
  #lastNumber = 0

  constructor(log: Logger, clock: Clock, options: { readonly size: number; readonly timeoutMs: number }) {
    this.#log = log
    this.#clock = clock
    this.#size = options.size
    this.#timeoutMs = options.timeoutMs
  }

  async acquire(): Promise<Lease> {
    if (this.#used < this.#size) return this.#lend(0)
    this.#log.warn('all {size} connections are in use', {
      size: this.#size,
      waiting: this.#waiters.length + 1,
    })
    return new Promise((resolve, reject) => {
      const waiter = { since: this.#clock.monotonic(), take: resolve }
      this.#waiters.push(waiter)
      this.#clock.after(this.#timeoutMs, () => {
        if (this.#forget(waiter)) reject(new Error(`no connection within ${this.#timeoutMs} ms`))
      })
    })
  }

  /** As restarting the service would: connections that were never returned are free again. */
  reset(): void {
    this.#used = 0
    this.#log.info('the pool was reset', { waiting: this.#waiters.length })
    while (this.#used < this.#size && this.#waiters.length > 0) this.#serveNext()
  }

  #lend(waitMs: number): Lease {
    const number = ++this.#lastNumber
    this.#used++
    this.#log.debug('lease {lease} taken', {
      lease: number,
      waitMs: Math.round(waitMs),
      free: this.#size - this.#used,
    })
    return { number, release: () => this.#release(number) }
  }

  #release(number: number): void {
    this.#used = Math.max(0, this.#used - 1)
    this.#log.debug('lease {lease} returned', { lease: number, free: this.#size - this.#used })
    this.#serveNext()
  }

  #serveNext(): void {
    const waiter = this.#waiters.shift()
    waiter?.take(this.#lend(this.#clock.monotonic() - waiter.since))
  }

  #forget(waiter: Waiter): boolean {
    const at = this.#waiters.indexOf(waiter)
    if (at !== -1) this.#waiters.splice(at, 1)
    return at !== -1
  }
}
