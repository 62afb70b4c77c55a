/**
 * Does one thing after the other, in the order in which they were posted: all state of the engine is changed in here. What is
 * posted while nothing runs runs at once; what is posted from within runs after what runs now.
 */
export class TicketLoop {
  readonly #waiting: Array<() => void> = []
  readonly #onFailure: (error: unknown) => void
  #running = false

  /** @param onFailure called for a ticket that threw; must not throw */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  post(ticket: () => void): void {
    this.#waiting.push(ticket)
    if (this.#running) return
    this.#running = true
    // By index: shifting a long array would cost its length each time.
    for (let i = 0; i < this.#waiting.length; i++) this.#run(this.#waiting[i])
    this.#waiting.length = 0
    this.#running = false
  }

  #run(ticket: (() => void) | undefined): void {
    try {
      ticket?.()
    } catch (error) {
      this.#onFailure(error)
    }
  }
}
