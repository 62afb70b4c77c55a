import type { EventEmitter } from 'node:events'

/**
 * Who waits for a stream to finish, except for the pipes that lead to it.
 *
 * After an uncaught error winston ends the process when every transport has said `finish`, or after three seconds; and a
 * logger that is ended waits for the same word. Either may leave the transport in use, but a pipe that hears `finish` lets
 * go. So those who wait are told, and the pipes are not.
 */
export class FinishListeners {
  readonly #stream: EventEmitter
  readonly #pipes = new WeakSet<object>()

  constructor(stream: EventEmitter) {
    this.#stream = stream
  }

  /** To be called when `pipe` is emitted: the pipe has just begun to listen for `finish`. */
  piped(): void {
    const listener = this.#stream.rawListeners('finish').at(-1)
    if (listener !== undefined) this.#pipes.add(listener)
  }

  /** Tells everybody else, once the call that runs is over. */
  tellSoon(): void {
    process.nextTick(() => {
      for (const listener of this.#stream.rawListeners('finish')) {
        if (!this.#pipes.has(listener)) Reflect.apply(listener, this.#stream, [])
      }
    })
  }
}
