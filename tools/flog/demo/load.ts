import { Agent, get } from 'node:http'
import type { Clock } from '../../../src/base/clock'
import { systemRandom } from '../../../src/base/random'

const COUPON_SHARE = 0.1

/** Customers: so many requests a second, one in ten with a coupon, until it is stopped. */
export class Load {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #port: number
  readonly #timer: { cancel(): void }
  sent = 0

  constructor(port: number, perSecond: number, clock: Clock) {
    this.#port = port
    this.#timer = clock.every(1000 / perSecond, () => this.#request(), { keepAlive: true })
  }

  stop(): void {
    this.#timer.cancel()
    this.#agent.destroy()
  }

  #request(): void {
    this.sent++
    const order = 1000 + Math.floor(systemRandom.fraction() * 9000)
    const coupon = systemRandom.fraction() < COUPON_SHARE ? '?coupon=SUMMER25' : ''
    const request = get({
      host: '127.0.0.1',
      port: this.#port,
      agent: this.#agent,
      path: `/orders/${order}${coupon}`,
    })
    request.on('response', (response) => response.resume())
    request.on('error', () => undefined)
  }
}
