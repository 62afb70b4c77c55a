import type { Transaction } from '../store/database'

/**
 * Whose runs they are: a session that is kept alive in the database. A process may be taken from an owner whose session
 * ended, never from one that lives and goes on.
 */
export interface Owner {
  readonly id: string
  /** Aborts before the database may take the session for dead: from then on nothing is written. */
  readonly signal: AbortSignal
  /** Checks in the transaction that the session lives. `run` may run several times. */
  transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
}
