import { messageOf } from '../../base/errors'
import { aborted, isAbort, thrownBy } from './errors'
import type { Worker } from './part'
import { isPromise, whenRefused } from './promised'

/** What the work of a catacomb has at hand. */
export interface CatacombSite {
  /** Aborted when the catacomb is told to stop, when a child failed, and when the work is done. */
  readonly signal: AbortSignal
  /**
   * From now on the child belongs to the catacomb. Where that stops already the child is told to stop at once, and is waited
   * for like the others.
   * @returns the child
   */
  add<T extends Worker>(child: T): T
}

/**
 * A worker with others below it, tied together: told to stop, all of them are, the youngest first; when one fails the others are
 * told to stop, and that is what the whole ends with; when the work is done, so are they. It ends when all have ended. A child
 * that ends in order is forgotten.
 * @param work begins at once; an error that only says that it was told to stop is an end in order
 * @param report what is shown beside the reports of the children
 */
export function catacomb(work: (site: CatacombSite) => Promise<void>, report?: () => unknown): Worker {
  const site = new Catacomb()
  const done = site.run(work)
  // Whoever waits is told; that nobody waits yet is no unhandled rejection.
  done.catch(() => {})
  return {
    kill: (reason) => site.stop(reason),
    wait: () => done,
    report: () => ({
      ...(report === undefined ? {} : { work: report() }),
      children: site.reports(),
    }),
  }
}

class Catacomb implements CatacombSite {
  readonly #abort = new AbortController()
  readonly #children = new Map<Worker, Promise<void>>()
  /** The first failure. */
  #failure: { readonly error: unknown } | undefined

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  readonly add = <T extends Worker>(child: T): T => {
    if (this.#children.has(child)) return child
    const end = this.#endOf(child).then(
      () => {},
      (error: unknown) => this.#fail(error),
    )
    this.#children.set(
      child,
      end.then(() => void this.#children.delete(child)),
    )
    if (this.signal.aborted) this.#kill(child)
    return child
  }

  async run(work: (site: CatacombSite) => Promise<void>): Promise<void> {
    try {
      await work(this)
    } catch (error) {
      this.#fail(error)
    }
    this.stop('the work is done')
    // Children may be added by whoever ends late.
    while (this.#children.size > 0) await Promise.all(this.#children.values())
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Idempotent. */
  stop(reason: unknown): void {
    if (this.signal.aborted) return
    this.#abort.abort(aborted('what belongs together was told to stop', reason))
    for (const child of [...this.#children.keys()].reverse()) this.#kill(child)
  }

  reports(): readonly unknown[] {
    return [...this.#children.keys()].map((child) => {
      try {
        const report = child.report?.()
        return isPromise(report) ? undefined : report
      } catch (error) {
        return { error: messageOf(error) }
      }
    })
  }

  async #endOf(child: Worker): Promise<void> {
    try {
      await child.wait()
    } catch (error) {
      // Also of a child whose `wait` itself fails: nobody will ever know whether that one ended.
      this.#kill(child)
      throw error
    }
  }

  #fail(thrown: unknown): void {
    const error = thrownBy('catacomb', thrown)
    if (this.signal.aborted && (error === this.signal.reason || isAbort(error))) return
    this.#failure ??= { error }
    this.stop(error)
  }

  #kill(child: Worker): void {
    try {
      whenRefused(child.kill(this.signal.reason), (error) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }
}
