import type { PoolClient, PoolConfig } from 'pg'
import type { Clock } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import type { Param, Rows } from './database'
import { driver } from './driver'
import { databaseFailure } from './failures'
import { valueTypes } from './values'

export interface ConnectionsOptions {
  /** The database, for messages. */
  readonly where: string
  readonly clock: Clock
  /** Milliseconds after which a database that does not answer a statement is given up. */
  readonly answerMs: number
  /** Milliseconds that whoever wants a connection waits for one. */
  readonly connectMs: number
  /** What every new connection is told first. */
  readonly greeting: () => string
  readonly onNotification?: (channel: string, payload: string | undefined) => void
  /** A connection was made that is not the first. */
  readonly onReconnected?: () => void
}

export interface Answer<Row> extends Rows<Row> {
  /** The first word of what the database says that it did: `COMMIT`, `ROLLBACK`, … */
  readonly command: string
}

/** The pool: connections are made when they are needed, and those that fail are replaced by new ones. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #pool: import('pg').Pool
  readonly #size: number
  readonly #greeted = new WeakSet<PoolClient>()
  #hasGreeted = false
  #taken = 0
  #closing: Promise<void> | undefined

  constructor(config: PoolConfig & { readonly max: number }, options: ConnectionsOptions) {
    this.#options = options
    const { Pool } = driver()
    this.#size = config.max
    this.#pool = new Pool({ connectionTimeoutMillis: options.connectMs, ...config, types: valueTypes() })
    // One that is lost while nobody uses it: the pool has dropped it by now, and the next caller gets another.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => {
      client.on('error', () => {})
      client.on('notification', ({ channel, payload }) => options.onNotification?.(channel, payload))
    })
  }

  get where(): string {
    return this.#options.where
  }

  /** @throws FlogError FLOG_CLOSED, FLOG_DATABASE_UNREACHABLE, …, or what the signal's reason is */
  async take(signal?: AbortSignal): Promise<Connection> {
    if (this.#closing !== undefined)
      throw new FlogError('FLOG_CLOSED', `the database ${this.where} was closed`)
    signal?.throwIfAborted()
    const connection = await unlessAborted(this.#connect(), signal, (late) => late.release())
    try {
      await this.#greet(connection)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** Idempotent; waits for those that were taken. */
  async close(): Promise<void> {
    this.#closing ??= this.#pool.end()
    await this.#closing
  }

  async #connect(): Promise<Connection> {
    try {
      const client = await this.#pool.connect()
      this.#taken++
      return new Connection(client, this.#options, () => this.#taken--)
    } catch (error) {
      throw this.#exhausted(error) ?? databaseFailure(error, { where: this.where })
    }
  }

  /** The pool says the same where it is the database that does not answer. */
  #exhausted(cause: unknown): FlogError | undefined {
    if (this.#taken < this.#size || !/^timeout exceeded/.test(messageOf(cause))) return undefined
    const { where, connectMs: ms } = this.#options
    const message = `the database ${where} has no connection to spare: each of its ${this.#size} was in use for ${ms} ms`
    return new FlogError('FLOG_DATABASE_TIMEOUT', message, {
      cause,
      details: { where, ms, connections: this.#size },
    })
  }

  async #greet(connection: Connection): Promise<void> {
    if (this.#greeted.has(connection.client)) return
    await connection.run(this.#options.greeting())
    this.#greeted.add(connection.client)
    if (this.#hasGreeted) this.#options.onReconnected?.()
    this.#hasGreeted = true
  }
}

/**
 * One connection, in the hands of one caller.
 *
 * ```
 *   taken ──release()──> back in the pool
 *     └──destroy(), interrupt(reason)──> gone; what was under way, and comes later, throws the reason
 * ```
 */
export class Connection {
  readonly client: PoolClient
  /** Milliseconds after which a database that does not answer is given up, for whoever has the connection. */
  answerMs: number
  readonly #options: ConnectionsOptions
  readonly #onEnd: () => void
  #isTaken = true
  #reason: FlogError | undefined

  constructor(client: PoolClient, options: ConnectionsOptions, onEnd: () => void) {
    this.client = client
    this.answerMs = options.answerMs
    this.#options = options
    this.#onEnd = onEnd
  }

  /** False once it was given back, or is gone. */
  get isTaken(): boolean {
    return this.#isTaken
  }

  /** @throws FlogError FLOG_DATABASE_…, or the reason of the interruption */
  async run<Row>(text: string, params: readonly Param[] = []): Promise<Answer<Row>> {
    const { where, clock } = this.#options
    const ms = this.answerMs
    if (this.#reason !== undefined) throw this.#reason
    const late = clock.after(ms, () => this.interrupt(silent(where, text, ms)))
    try {
      const result: unknown = await this.client.query(text, params.length === 0 ? undefined : [...params])
      return answerOf<Row>(result)
    } catch (error) {
      throw this.#reason ?? databaseFailure(error, { where, statement: text })
    } finally {
      late.cancel()
    }
  }

  /** Ends what is under way, and the connection with it: the database rolls back. */
  interrupt(reason: FlogError): void {
    this.#reason ??= reason
    this.destroy()
  }

  release(): void {
    this.#end(false)
  }

  /** For one that may be in the middle of something. */
  destroy(): void {
    this.#end(true)
  }

  #end(isBroken: boolean): void {
    if (!this.#isTaken) return
    this.#isTaken = false
    this.#onEnd()
    this.client.release(isBroken)
  }
}

function silent(where: string, text: string, ms: number): FlogError {
  const statement = text.replace(/\s+/g, ' ').trim().slice(0, 200)
  return new FlogError('FLOG_DATABASE_TIMEOUT', `the database ${where} did not answer for ${ms} ms`, {
    details: { where, statement, ms },
  })
}

/** Several statements in one text give several results: the last one counts. */
function answerOf<Row>(result: unknown): Answer<Row> {
  const last = (Array.isArray(result) ? result.at(-1) : result) as {
    readonly rows?: readonly Row[]
    readonly rowCount?: number | null
    readonly command?: string
  }
  return { rows: last.rows ?? [], count: last.rowCount ?? 0, command: last.command ?? '' }
}

/** `promise`, or the signal's reason as soon as it is aborted; what comes later is given to `late`. */
async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  late: (value: T) => void,
): Promise<T> {
  if (signal === undefined) return promise
  let isLate = false
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      isLate = true
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise
      .then((value) => (isLate ? late(value) : resolve(value)), reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
