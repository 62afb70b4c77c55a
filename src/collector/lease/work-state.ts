import { FlogError } from '../../base/errors'

/**
 * What a handle on work is allowed to do.
 *
 * ```
 *          settle            settled
 *  held ───────────▶ settling ───────▶ done      finish, fail or cancel reached the database
 *   ▲                  │  │
 *   └────── failed ────┘  └── lost ──▶ lost      the database says that somebody else has it by now
 *   └─────────────────────── lost ──▶ lost
 * ```
 * A failure of the database leaves the work held, so that it can be tried again or given back.
 */
export type WorkPhase = 'held' | 'settling' | 'done' | 'lost'

export class WorkState {
  #phase: WorkPhase = 'held'
  #settled: Promise<unknown> = Promise.resolve()

  get phase(): WorkPhase {
    return this.#phase
  }

  /**
   * Runs what settles the work; while it runs nothing else may.
   * @param endOf what an error says of this work: that it is lost, or had ended before; undefined where it is held as before
   * @throws FlogError FLOG_WORK_FINISHED, FLOG_WORK_LOST; and what `run` throws
   */
  async settle<T>(
    what: string,
    run: () => Promise<T>,
    endOf: (error: unknown) => 'lost' | 'done' | undefined = () => undefined,
  ): Promise<T> {
    this.assertHeld(what)
    this.#phase = 'settling'
    const settling = this.#settle(run, endOf)
    this.#settled = settling.catch(() => {})
    return settling
  }

  /** Resolves when nothing is being settled. */
  async settled(): Promise<void> {
    await this.#settled
  }

  /** @throws FlogError FLOG_WORK_FINISHED, FLOG_WORK_LOST */
  assertHeld(what: string): void {
    if (this.#phase === 'held') return
    if (this.#phase === 'lost') throw workLost(`cannot ${what} work that was lost`)
    throw new FlogError('FLOG_WORK_FINISHED', `cannot ${what} work that is ${PHASES[this.#phase]}`)
  }

  /** What was only held is lost; what is being settled finds out for itself. */
  lose(): boolean {
    if (this.#phase !== 'held') return false
    this.#phase = 'lost'
    return true
  }

  async #settle<T>(
    run: () => Promise<T>,
    endOf: (error: unknown) => 'lost' | 'done' | undefined,
  ): Promise<T> {
    try {
      const result = await run()
      this.#phase = 'done'
      return result
    } catch (error) {
      this.#phase = endOf(error) ?? 'held'
      throw error
    }
  }
}

const PHASES = {
  settling: 'just being finished, failed or cancelled',
  done: 'finished, failed or cancelled already',
}

export function workLost(message: string, details: Readonly<Record<string, unknown>> = {}): FlogError {
  return new FlogError('FLOG_WORK_LOST', message, { details })
}
