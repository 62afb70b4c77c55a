import { ERROR_CODES, FlogError, systemCode } from '../base/errors'
import { REMOTE_BUFFERED_BYTES, REMOTE_CHUNK_BYTES } from '../base/limits'
import type { MessageSocket } from './message-socket'
import { ANSWER_CODES, MAX_MESSAGE_CHARS } from './protocol'
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
  readonly #ending = new AbortController()
  readonly #onOver: () => void
  #credit: number
  #wake: () => void = () => undefined
  /** Bytes that were sent in this turn of the event loop, as far as its end was waited for. */
  #inTurn = 0
  /** Called when items can be sent again. */
  onReady: () => void = () => undefined

  constructor(id: number, credit: number, socket: MessageSocket, onOver: () => void) {
    this.id = id
    this.signal = this.#ending.signal
    this.#credit = credit
    this.#socket = socket
    this.#onOver = onOver
  }

  get ready(): boolean {
    return !this.signal.aborted && this.#credit > 0 && this.#hasRoom
  }

  /**
   * Resolves when an item can be sent, to true; or when the request is over, to false. After a piece of work it first lets
   * others have their turn.
   */
  async whenReady(): Promise<boolean> {
    if (this.#inTurn >= REMOTE_CHUNK_BYTES) {
      await new Promise(setImmediate)
      this.#inTurn = 0
    }
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
    const message = encodeMessage({ type: 'item', id: this.id, item })
    this.#inTurn += message.length
    this.#socket.send(message)
  }

  result(result: unknown): void {
    if (this.signal.aborted) return
    this.#socket.send(encodeMessage({ type: 'result', id: this.id, result }))
    this.end()
  }

  /**
   * The error's code and message go out where they are meant for the other side, else only what kind it is: its message
   * may name what is nobody else's business.
   */
  fail(error: unknown): void {
    if (this.signal.aborted) return
    const told = FlogError.is(error) && ANSWER_CODES.includes(error.code) ? error : internal(error)
    const message = told.message.slice(0, MAX_MESSAGE_CHARS)
    this.#socket.send(encodeMessage({ type: 'error', id: this.id, code: told.code, message }))
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
    this.#ending.abort()
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
  const kind = FlogError.is(error) ? ERROR_CODES[error.code] : systemCode(error)
  const message = kind === undefined ? 'the publisher failed' : `the publisher failed: ${kind}`
  return new FlogError('FLOG_REMOTE_FAILED', message, { cause: error })
}
