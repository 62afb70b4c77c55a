import { type Clock, SystemClock, type Timer } from '../../src/base/clock'

/** A clock whose monotonic time is turned by hand. */
export class HandClock implements Clock {
  readonly #real = new SystemClock()
  #elapsed = 0
  /** Called whenever somebody asks for the time. */
  onNow = (): void => {}

  advance(ms: number): void {
    this.#elapsed += ms
  }

  now(): number {
    this.onNow()
    return this.#real.now()
  }

  monotonic(): number {
    return this.#elapsed
  }

  after(ms: number, action: () => void): Timer {
    return this.#real.after(ms, action)
  }

  every(ms: number, action: () => void): Timer {
    return this.#real.every(ms, action)
  }
}
