import { FlogError } from '../../base/errors'
import type { Manifold } from './part'
import { type Deferred, deferred, untilKilled } from './workers'

/**
 * A place that is visited while it is open. Whoever guards it locks it, and knows when the last visitor has left:
 *
 *     locked ── open ──▶ open ── lock ──▶ locking, visitors leave ──▶ locked
 */
export class Fortress {
  #opened: Deferred | undefined = deferred()
  #emptied: Deferred | undefined
  #visitors = 0

  get open(): boolean {
    return this.#opened === undefined
  }

  get visitors(): number {
    return this.#visitors
  }

  unlock(): void {
    this.#opened?.resolve()
    this.#opened = undefined
  }

  /** Nobody comes in from now on; resolves when everybody has left. */
  async lock(): Promise<void> {
    this.#opened ??= deferred()
    if (this.#visitors === 0) return
    this.#emptied ??= deferred()
    await this.#emptied.promise
  }

  /**
   * Resolves when the visit has begun; what it gives ends the visit, and may be called more than once.
   * @throws FLOG_ABORTED when the signal aborts first
   */
  async visit(signal?: AbortSignal): Promise<() => void> {
    while (this.#opened !== undefined) await unlessAborted(this.#opened.promise, signal)
    if (signal?.aborted === true) throw aborted(signal)
    this.#visitors++
    let inside = true
    return () => {
      if (inside) this.#leave()
      inside = false
    }
  }

  #leave(): void {
    this.#visitors--
    if (this.#visitors > 0) return
    this.#emptied?.resolve()
    this.#emptied = undefined
  }
}

/** A part that offers a fortress, to whoever guards it and whoever visits. */
export function fortressManifold(fortress: Fortress): Manifold<Fortress> {
  return {
    start: () => ({
      ...untilKilled(),
      output: fortress,
      report: () => ({ open: fortress.open, visitors: fortress.visitors }),
    }),
  }
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise
  if (signal.aborted) throw aborted(signal)
  let listener = () => {}
  const abort = new Promise<never>((_, reject) => {
    listener = () => reject(aborted(signal))
    signal.addEventListener('abort', listener)
  })
  await Promise.race([promise, abort]).finally(() => signal.removeEventListener('abort', listener))
}

function aborted(signal: AbortSignal): FlogError {
  return new FlogError('FLOG_ABORTED', 'the visit was given up', { cause: signal.reason })
}
