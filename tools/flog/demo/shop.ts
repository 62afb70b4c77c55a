import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../src/base/clock'
import { type Random, systemRandom } from '../../../src/base/random'
import type { Logger } from '../../../src/recorder/logger'
import type { Recorder } from '../../../src/recorder/recorder'
import { type Lease, Pool } from './pool'

const POOL_SIZE = 8
const ACQUIRE_TIMEOUT_MS = 150

/** A shop with one page: `GET /orders/ID?coupon=CODE`. It can be broken in the way that shops are. */
export class Shop {
  /** Orders with a coupon keep their connection. */
  broken = false
  /** Milliseconds that the slowest error took to log: the one that wrote an incident. */
  slowestErrorMs = 0
  readonly pool: Pool
  readonly #http: Logger
  readonly #orders: Logger
  readonly #clock: Clock
  readonly #random: Random = systemRandom

  constructor(recorder: Recorder, clock: Clock) {
    this.#clock = clock
    this.#http = recorder.child({ facility: 'http.server' })
    this.#orders = recorder.child({ facility: 'shop.orders' })
    const log = recorder.child({ facility: 'db.pool' })
    this.pool = new Pool(log, clock, { size: POOL_SIZE, timeoutMs: ACQUIRE_TIMEOUT_MS })
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = this.#clock.monotonic()
    const url = new URL(request.url ?? '/', 'http://shop')
    this.#http.trace('{method} {path} begins', { method: request.method, path: url.pathname })
    try {
      const total = await this.#order(url.pathname.slice('/orders/'.length), url.searchParams.get('coupon'))
      response.end(JSON.stringify({ total }))
    } catch (error) {
      response.statusCode = 500
      response.end()
      this.#fail(url.pathname, error)
    }
    const ms = Math.round(this.#clock.monotonic() - began)
    this.#http.info('{method} {path} {status}', {
      method: request.method,
      path: url.pathname,
      status: response.statusCode,
      ms,
    })
  }

  async #order(id: string, coupon: string | null): Promise<number> {
    const lease = await this.pool.acquire()
    try {
      await this.#query('select total from orders where id = {id}', { id: Number(id), lease: lease.number })
      if (coupon !== null && this.broken) throw new RangeError(`coupon ${coupon} has expired`)
    } catch (error) {
      // The fault of the demo: this way out forgets the connection.
      this.#orders.info('order {id} is charged without its coupon', { id: Number(id), error })
      return this.#charge()
    }
    this.#return(lease)
    return this.#charge()
  }

  async #query(sql: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const ms = 2 + this.#random.fraction() * 6
    await new Promise<void>((resolve) => this.#clock.after(ms, resolve))
    this.#orders.trace(sql, { ...fields, ms: Math.round(ms) })
  }

  #charge(): number {
    return Math.round(this.#random.fraction() * 10_000) / 100
  }

  #return(lease: Lease): void {
    lease.release()
  }

  #fail(path: string, error: unknown): void {
    const began = this.#clock.monotonic()
    this.#http.error('GET {path} failed', { path, error })
    this.slowestErrorMs = Math.max(this.slowestErrorMs, this.#clock.monotonic() - began)
  }
}
