/**
 * Exact percentiles of the newest numbers.
 *
 * The numbers are held twice: in the order they came (a ring, to know which one goes) and sorted (to find a
 * rank at once). For 1000 numbers adding one takes about as long as reading a field.
 */
export class SlidingPercentile {
  readonly #arrived: Float64Array
  readonly #sorted: Float64Array
  #next = 0
  #size = 0

  /** @param capacity numbers that are held, at least 1 */
  constructor(capacity: number) {
    this.#arrived = new Float64Array(capacity)
    this.#sorted = new Float64Array(capacity)
  }

  /** Numbers held. */
  get size(): number {
    return this.#size
  }

  /** Takes a finite number in; the oldest one goes where there is no more room. */
  add(value: number): void {
    if (this.#size === this.#arrived.length) this.#remove(this.#arrived[this.#next] ?? 0)
    this.#arrived[this.#next] = value
    this.#next = (this.#next + 1) % this.#arrived.length
    const at = this.#rankOf(value)
    this.#sorted.copyWithin(at + 1, at, this.#size)
    this.#sorted[at] = value
    this.#size++
  }

  /**
   * The number that `percentile` per cent of those held do not exceed (nearest rank); 0 where none is held.
   */
  at(percentile: number): number {
    return this.#sorted[Math.max(0, Math.ceil((percentile / 100) * this.#size) - 1)] ?? 0
  }

  #remove(value: number): void {
    const at = this.#rankOf(value)
    this.#sorted.copyWithin(at, at + 1, this.#size)
    this.#size--
  }

  /** How many of the numbers held are smaller. */
  #rankOf(value: number): number {
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sorted[middle] ?? 0) < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
