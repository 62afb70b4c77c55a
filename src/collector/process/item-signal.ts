import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'

/** When one item is to end: its time is over, or one of several signals says so. */
export class ItemSignal {
  readonly #controller = new AbortController()
  readonly #unlink: (() => void)[] = []

  constructor(parents: readonly AbortSignal[]) {
    for (const parent of parents) this.#follow(parent)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Aborts after a time. */
  limit(clock: Clock, ms: number, item: string): void {
    const timer = clock.after(ms, () =>
      this.#controller.abort(
        new FlogError('FLOG_PROCESS_TIMEOUT', `item ${JSON.stringify(item)} took longer than ${ms} ms`, {
          details: { item, ms },
        }),
      ),
    )
    this.#unlink.push(() => timer.cancel())
  }

  /**
   * What `work` comes to; rejects with the signal's reason where it has not ended `graceMs` after the signal. It is not
   * waited for any longer then: nothing that it still writes is accepted.
   */
  async race(work: Promise<void>, clock: Clock, graceMs: number): Promise<void> {
    const over = new Promise<never>((_, reject) => {
      const onAbort = (): void => {
        const timer = clock.after(graceMs, () => reject(this.signal.reason))
        this.#unlink.push(() => timer.cancel())
      }
      if (this.signal.aborted) onAbort()
      else this.signal.addEventListener('abort', onAbort, { once: true })
    })
    await Promise.race([work, over])
  }

  /** Ends timers and listeners. */
  release(): void {
    for (const unlink of this.#unlink.splice(0)) unlink()
  }

  #follow(parent: AbortSignal): void {
    const onAbort = (): void => this.#controller.abort(parent.reason)
    if (parent.aborted) onAbort()
    parent.addEventListener('abort', onAbort, { once: true })
    this.#unlink.push(() => parent.removeEventListener('abort', onAbort))
  }
}
