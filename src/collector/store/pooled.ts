import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../base/clock'
import { FlogError } from '../../base/errors'
import type { Random } from '../../base/random'
import type { Connections } from './connections'
import type {
  Database,
  Dialect,
  Executor,
  Listening,
  Param,
  Rows,
  Transaction,
  TransactionOptions,
} from './database'
import { inTransaction } from './transaction'

export interface PooledOptions {
  readonly dialect: Dialect
  readonly connections: Connections
  /** A connection of its own for what is urgent; where there is none, that waits for one of the others. */
  readonly urgent?: Connections
  readonly clock: Clock
  readonly random: Random
  readonly transactionTimeoutMs: number
  /** Who waits inside of a transaction for a connection beside it waits for ever: there is only one. */
  readonly isSingle: boolean
  readonly listen: Database['listen']
  /** Called once, before the connections are closed, and once after. */
  readonly onClose?: () => Promise<void>
  readonly onClosed?: () => Promise<void>
}

/** A database behind a pool of connections, whichever it is. */
export class PooledDatabase implements Database {
  readonly urgent: Executor
  readonly #options: PooledOptions
  readonly #inside = new AsyncLocalStorage<() => boolean>()
  #closed: Promise<void> | undefined

  constructor(options: PooledOptions) {
    this.#options = options
    const { urgent } = options
    this.urgent =
      urgent === undefined
        ? { query: (text, params) => this.query(text, params) }
        : { query: (text, params) => over(urgent, text, params) }
  }

  get dialect(): Dialect {
    return this.#options.dialect
  }

  get where(): string {
    return this.#options.connections.where
  }

  async query<Row = Record<string, unknown>>(text: string, params?: readonly Param[]): Promise<Rows<Row>> {
    this.#refuseNested(text)
    return over<Row>(this.#options.connections, text, params)
  }

  async transaction<T>(run: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    this.#refuseNested('BEGIN')
    const { connections, clock, random, transactionTimeoutMs } = this.#options
    const inside = <R>(isOpen: () => boolean, action: () => Promise<R>) => this.#inside.run(isOpen, action)
    return inTransaction(
      { connections, clock, random, timeoutMs: transactionTimeoutMs, inside },
      run,
      options,
    )
  }

  async listen(channel: string, onNotice: (payload: string | undefined) => void): Promise<Listening> {
    this.#refuseNested('LISTEN')
    return this.#options.listen(channel, onNotice)
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close()
    await this.#closed
  }

  async #close(): Promise<void> {
    await this.#options.onClose?.()
    await this.#options.urgent?.close()
    await this.#options.connections.close()
    await this.#options.onClosed?.()
  }

  #refuseNested(statement: string): void {
    if (!this.#options.isSingle || this.#inside.getStore()?.() !== true) return
    throw new FlogError(
      'FLOG_DATABASE_NESTED',
      `a query outside of the current transaction of ${this.where}: use the transaction's own query`,
      { details: { where: this.where, statement: statement.slice(0, 200) } },
    )
  }
}

async function over<Row>(
  connections: Connections,
  text: string,
  params: readonly Param[] | undefined,
): Promise<Rows<Row>> {
  const connection = await connections.take()
  try {
    return await connection.run<Row>(text, params)
  } finally {
    connection.release()
  }
}
