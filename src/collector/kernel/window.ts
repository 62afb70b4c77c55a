const PARTS = 60

/** How many happened in the last `ms` milliseconds, to a sixtieth of that, in memory that does not grow with the count. */
export class Window {
  readonly #ms: number
  /** Oldest first: when a part of the window began, and how many fell into it. */
  readonly #parts: { readonly since: number; count: number }[] = []

  constructor(ms: number) {
    this.#ms = ms
  }

  /** @param now monotonic milliseconds */
  add(now: number): void {
    const last = this.#parts.at(-1)
    if (last !== undefined && now - last.since < this.#ms / PARTS) last.count++
    else this.#parts.push({ since: now, count: 1 })
    this.count(now)
  }

  count(now: number): number {
    while (this.#parts[0] !== undefined && now - this.#parts[0].since >= this.#ms) this.#parts.shift()
    return this.#parts.reduce((sum, { count }) => sum + count, 0)
  }
}
