import { setTimeout as after } from 'node:timers/promises'
import type { Logger } from 'winston'

/** Leases on a pretended database: as many at a time as it has, and a queue with little patience. */
export class Pool {
  open = 0
  readonly #waiting: (() => void)[] = []

  constructor(
    private readonly size: number,
    private readonly patienceMs: number,
    private readonly logger: Logger,
  ) {}

  /** @throws Error when there was no lease in time */
  async take(): Promise<Lease> {
    const start = performance.now()
    if (this.open >= this.size) {
      this.logger.debug('pool exhausted, {waiting} waiting', { waiting: this.#waiting.length + 1 })
      await this.#wait()
    }
    this.open++
    this.logger.silly('lease taken', { open: this.open, waitMs: performance.now() - start })
    return new Lease(this, this.logger)
  }

  giveBack(): void {
    this.open--
    this.#waiting.shift()?.()
  }

  async #wait(): Promise<void> {
    const patience = new AbortController()
    const turn = new Promise<'turn'>((resolve) => {
      this.#waiting.push(() => resolve('turn'))
    })
    const late = after(this.patienceMs, 'late' as const, { signal: patience.signal }).catch(
      () => 'late' as const,
    )
    const first = await Promise.race([turn, late])
    patience.abort()
    if (first === 'late') throw new Error(`no connection within ${this.patienceMs} ms`)
  }
}

export class Lease {
  constructor(
    private readonly pool: Pool,
    private readonly logger: Logger,
  ) {}

  async query(sql: string, ms: number): Promise<void> {
    this.logger.debug('query', { sql })
    await after(ms)
  }

  giveBack(): void {
    this.pool.giveBack()
    this.logger.silly('lease returned', { open: this.pool.open })
  }
}
