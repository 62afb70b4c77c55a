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
  /** What resolves when a visitor leaves. */
  readonly #inside = new Set<Deferred>()

  get open(): boolean {
    return this.#opened === undefined
  }

  get visitors(): number {
    return this.#inside.size
  }

  unlock(): void {
    this.#opened?.resolve()
    this.#opened = undefined
  }

  /**
   * Nobody comes in from now on; resolves when everybody who was inside has left.
   * @throws FLOG_ABORTED when the signal aborts first; it stays locked
   */
  async lock(signal?: AbortSignal): Promise<void> {
    this.#opened ??= deferred()
    const left = Promise.all([...this.#inside].map(({ promise }) => promise))
    await unlessAborted(left, signal, 'who locks the fortress gave up waiting for those inside')
  }

  /**
   * Resolves when the visit has begun; what it gives ends the visit, and may be called more than once.
   * @throws FLOG_ABORTED when the signal aborts first
   */
  async visit(signal?: AbortSignal): Promise<() => void> {
    while (this.#opened !== undefined) await unlessAborted(this.#opened.promise, signal, GIVEN_UP)
    if (signal?.aborted === true) throw aborted(signal, GIVEN_UP)
    const visit = deferred()
    this.#inside.add(visit)
    return () => {
      this.#inside.delete(visit)
      visit.resolve()
    }
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

const GIVEN_UP = 'the visit was given up'

async function unlessAborted(
  promise: Promise<unknown>,
  signal: AbortSignal | undefined,
  message: string,
): Promise<void> {
  if (signal === undefined) return void (await promise)
  if (signal.aborted) throw aborted(signal, message)
  let listener = () => {}
  const abort = new Promise<never>((_, reject) => {
    listener = () => reject(aborted(signal, message))
    signal.addEventListener('abort', listener)
  })
  await Promise.race([promise, abort]).finally(() => signal.removeEventListener('abort', listener))
}

function aborted(signal: AbortSignal, message: string): FlogError {
  return new FlogError('FLOG_ABORTED', message, { cause: signal.reason })
}
