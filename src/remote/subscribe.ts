import type { Clock } from '../base/clock'
import { ERROR_CODES, FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { REMOTE_ANSWER_BYTES, REMOTE_CREDIT } from '../base/limits'
import type { Plain } from '../event/event'
import { endError } from './authenticate'
import type { MessageSocket, SocketEnd } from './message-socket'
import { ANSWER_CODES, type Ask, CLOSE, MAX_MESSAGE_CHARS } from './protocol'
import { decodeMessage, encodeMessage, type Fields, protocolError } from './wire'

/** What a request in flight does with what comes for it. */
interface Pending {
  item(item: Fields): void
  result(result: Plain): void
  fail(error: FlogError): void
}

/**
 * The subscriber's end of an authenticated connection, whoever opened it: requests with one answer, and
 * streams.
 */
export class SubscriberSession {
  /** Settles when the connection is over, with what that was. */
  readonly ended: Promise<FlogError>
  readonly #socket: MessageSocket
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #end: FlogError | undefined
  /** Set where this side ended it, and more telling then than the close code that comes back. */
  #ownReason: FlogError | undefined

  constructor(socket: MessageSocket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.ended = new Promise((resolve) => {
      socket.read({
        message: (bytes) => this.#onMessage(bytes),
        closed: (end) => resolve(this.#onClosed(end)),
      })
    })
  }

  /**
   * One request, one answer.
   * @throws FlogError what the publisher answered; FLOG_REMOTE_LOST, FLOG_REMOTE_UNREACHABLE after
   * `timeoutMs`, FLOG_ABORTED
   */
  request(method: string, params: object, timeoutMs: number, signal?: AbortSignal): Promise<Plain> {
    return new Promise((resolve, reject) => {
      let id = 0
      const onAbort = (): void => this.#cancel(id, aborted())
      const timer = this.#clock.after(timeoutMs, () => this.#cancel(id, late(method)))
      const settled = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      id = this.#begin(method, params, {
        item: () => this.#breakOff(protocolError(`an item where ${method} has one result`)),
        result: (value) => {
          settled()
          resolve(value)
        },
        fail: (error) => {
          settled()
          reject(error)
        },
      })
      if (!this.#pending.has(id)) return
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted === true) onAbort()
    })
  }

  /** A request that is answered by many items. Leaving the loop cancels it. */
  stream(method: string, params: object, signal?: AbortSignal): ItemStream {
    const stream: ItemStream = new ItemStream({
      begin: (pending) => this.#begin(method, { ...params, credit: REMOTE_CREDIT }, pending),
      grant: (id, messages) => this.#send({ type: 'credit', id, messages }),
      cancel: (id, error) => this.#cancel(id, error),
      breakOff: (error) => this.#breakOff(error),
      ...(signal !== undefined && { signal }),
    })
    return stream
  }

  /** Ends the connection. Idempotent. */
  close(reason = 'the subscriber is closing'): void {
    this.#ownReason ??= new FlogError('FLOG_CLOSED', 'the connection was closed')
    this.#socket.close(CLOSE.normal, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #begin(method: string, params: object, pending: Pending): number {
    const id = ++this.#lastId
    if (this.#end !== undefined) {
      pending.fail(this.#end)
      return id
    }
    this.#pending.set(id, pending)
    this.#send({ type: 'request', id, method, params })
    return id
  }

  #cancel(id: number, error: FlogError): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    this.#send({ type: 'cancel', id })
    pending.fail(error)
  }

  #send(message: Ask): void {
    this.#socket.send(encodeMessage(message))
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.#ownReason !== undefined) return
    try {
      this.#take(decodeMessage(bytes, REMOTE_ANSWER_BYTES))
    } catch (error) {
      this.#breakOff(FlogError.is(error) ? error : protocolError(messageOf(error), error))
    }
  }

  #take(message: Fields): void {
    const id = message.count('id', this.#lastId, 1)
    const type = message.oneOf('type', ['item', 'result', 'error'])
    const pending = this.#pending.get(id)
    // An answer may cross our cancel
    if (pending === undefined) return
    if (type === 'item') pending.item(message.inner('item'))
    else this.#settle(id, pending, type === 'error' ? answered(message) : undefined, message)
  }

  #settle(id: number, pending: Pending, error: FlogError | undefined, message: Fields): void {
    this.#pending.delete(id)
    if (error === undefined) pending.result(message.map['result'] ?? null)
    else pending.fail(error)
  }

  /** The publisher does not keep to the protocol: nothing more is taken from it. */
  #breakOff(error: FlogError): void {
    this.#ownReason ??= error
    this.#socket.close(CLOSE.malformed, error.message)
  }

  #onClosed(end: SocketEnd): FlogError {
    this.#end = this.#ownReason ?? endError(end)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const one of pending) one.fail(this.#end)
    return this.#end
  }
}

interface StreamHost {
  begin(pending: Pending): number
  grant(id: number, messages: number): void
  cancel(id: number, error: FlogError): void
  breakOff(error: FlogError): void
  readonly signal?: AbortSignal
}

/**
 * Items of one stream, in order. The publisher gets new credit only for what was taken, so that what waits
 * here is bounded however slow the consumer is; a publisher that sends more breaks the protocol.
 */
export class ItemStream implements AsyncIterable<Fields> {
  readonly #host: StreamHost
  readonly #id: number
  readonly #items: Fields[] = []
  #outstanding = REMOTE_CREDIT
  #taken = 0
  #over: { readonly error?: FlogError } | undefined
  #wake: () => void = () => undefined

  constructor(host: StreamHost) {
    this.#host = host
    this.#id = host.begin({
      item: (item) => this.#onItem(item),
      result: () => this.#finish({}),
      fail: (error) => this.#finish({ error }),
    })
    if (this.#over !== undefined) return
    host.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (host.signal?.aborted === true) this.#onAbort()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Fields, void, void> {
    try {
      for (let item = await this.next(); item !== undefined; item = await this.next()) yield item
    } finally {
      this.cancel()
    }
  }

  /**
   * The next item; undefined after the last.
   * @throws FlogError what ended the stream, once everything that came before was taken
   */
  async next(): Promise<Fields | undefined> {
    while (this.#items.length === 0 && this.#over === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const item = this.#items.shift()
    if (item !== undefined) this.#onTaken()
    else if (this.#over?.error !== undefined) throw this.#over.error
    return item
  }

  /** Idempotent. */
  cancel(): void {
    this.#host.cancel(this.#id, aborted())
  }

  readonly #onAbort = (): void => {
    this.#items.length = 0
    this.cancel()
  }

  #onItem(item: Fields): void {
    if (this.#outstanding === 0) {
      this.#host.breakOff(protocolError('more items than there was credit for'))
      return
    }
    this.#outstanding--
    this.#items.push(item)
    this.#wake()
  }

  #onTaken(): void {
    this.#taken++
    if (this.#taken < REMOTE_CREDIT / 2 || this.#over !== undefined) return
    this.#host.grant(this.#id, this.#taken)
    this.#outstanding += this.#taken
    this.#taken = 0
  }

  #finish(over: { readonly error?: FlogError }): void {
    this.#over ??= over
    this.#host.signal?.removeEventListener('abort', this.#onAbort)
    this.#wake()
  }
}

function answered(message: Fields): FlogError {
  const code = message.text('code')
  const text = message.text('message', MAX_MESSAGE_CHARS)
  return new FlogError(isAnswerCode(code) ? code : 'FLOG_REMOTE_FAILED', text)
}

function isAnswerCode(code: string): code is FlogErrorCode {
  return code in ERROR_CODES && ANSWER_CODES.some((one) => one === code)
}

function aborted(): FlogError {
  return new FlogError('FLOG_ABORTED', 'the request was cancelled')
}

function late(method: string): FlogError {
  return new FlogError('FLOG_REMOTE_UNREACHABLE', `the publisher did not answer ${method} in time`)
}
