import { FlogError, messageOf } from '../base/errors'
import { REMOTE_BUFFERED_BYTES } from '../base/limits'
import type { MessageSocket } from './message-socket'
import { ANSWER_CODES } from './protocol'
import { encodeMessage } from './wire'

/** No subscriber may be further behind than this many messages, whatever it grants. */
export const MAX_CREDIT = 1024

/**
 * The publisher's end of one request: items, as far as the subscriber granted credit and the socket has room,
 * then one result or error.
 */
export class Outgoing {
  readonly id: number
  /** Aborted when the request is over, in whatever way. */
  readonly signal: AbortSignal
  readonly #socket: MessageSocket
  readonly #over = new AbortController()
  readonly #onOver: () => void
  #credit: number
  #wake: () => void = () => undefined
  /** Called when items can be sent again. */
  onReady: () => void = () => undefined

  constructor(id: number, credit: number, socket: MessageSocket, onOver: () => void) {
    this.id = id
    this.signal = this.#over.signal
    this.#credit = credit
    this.#socket = socket
    this.#onOver = onOver
  }

  get ready(): boolean {
    return !this.signal.aborted && this.#credit > 0 && this.#hasRoom
  }

  /** Resolves when an item can be sent, to true; or when the request is over, to false. */
  whenReady(): Promise<boolean> {
    return this.#when(() => this.#credit > 0 && this.#hasRoom)
  }

  /** As {@link whenReady}, for a result, which takes no credit. */
  whenRoom(): Promise<boolean> {
    return this.#when(() => this.#hasRoom)
  }

  /** Only while it is ready. */
  item(item: object): void {
    if (this.signal.aborted) return
    this.#credit--
    this.#socket.send(encodeMessage({ type: 'item', id: this.id, item }))
  }

  result(result: unknown): void {
    if (this.signal.aborted) return
    this.#socket.send(encodeMessage({ type: 'result', id: this.id, result }))
    this.end()
  }

  /**
   * The error's code and message go out where they are meant for the other side, else only that it failed.
   */
  fail(error: unknown): void {
    if (this.signal.aborted) return
    const told = FlogError.is(error) && ANSWER_CODES.includes(error.code) ? error : internal(error)
    this.#socket.send(encodeMessage({ type: 'error', id: this.id, code: told.code, message: told.message }))
    this.end()
  }

  grant(messages: number): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + messages)
    this.drained()
  }

  /** Credit or room came. */
  drained(): void {
    this.#wake()
    if (this.ready) this.onReady()
  }

  /** Without a word to the subscriber. Idempotent. */
  end(): void {
    if (this.signal.aborted) return
    this.#over.abort()
    this.#wake()
    this.#onOver()
  }

  get #hasRoom(): boolean {
    return this.#socket.bufferedBytes < REMOTE_BUFFERED_BYTES
  }

  async #when(possible: () => boolean): Promise<boolean> {
    while (!this.signal.aborted && !possible()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return !this.signal.aborted
  }
}

function internal(error: unknown): FlogError {
  return new FlogError('FLOG_REMOTE_FAILED', `the publisher failed: ${messageOf(error)}`, { cause: error })
}
