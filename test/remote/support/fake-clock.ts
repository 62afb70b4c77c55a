import type { Clock, Timer } from '../../../src/base/clock'

/** A clock that is turned by hand. */
export class FakeClock implements Clock {
  #ms = 1000
  readonly #timers = new Set<{ due: number; every: number | undefined; action: () => void }>()

  now(): number {
    return this.#ms * 1000
  }

  monotonic(): number {
    return this.#ms
  }

  after(ms: number, action: () => void): Timer {
    return this.#add(ms, undefined, action)
  }

  every(ms: number, action: () => void): Timer {
    return this.#add(ms, ms, action)
  }

  /** Time goes by, and nobody looks at the clock meanwhile. */
  pass(ms: number): void {
    this.#ms += ms
  }

  get pending(): number {
    return this.#timers.size
  }

  /** Fires what is due, in order. */
  advance(ms: number): void {
    const until = this.#ms + ms
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0]
      if (next === undefined) break
      this.#ms = Math.max(this.#ms, next.due)
      if (next.every === undefined) this.#timers.delete(next)
      else next.due += next.every
      next.action()
    }
    this.#ms = Math.max(this.#ms, until)
  }

  #add(ms: number, every: number | undefined, action: () => void): Timer {
    const timer = { due: this.#ms + ms, every, action }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }
}
