import type { Clock } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import {
  REMOTE_CREDIT,
  REMOTE_LARGE_REQUESTS,
  REMOTE_REQUEST_BYTES,
  REMOTE_REQUEST_VALUES,
  REMOTE_REQUESTS,
} from '../base/limits'
import type { IncidentSummary } from '../incident/header'
import type { MessageSocket } from './message-socket'
import { MAX_CREDIT, Outgoing } from './outgoing'
import { type AboutResult, CLOSE } from './protocol'
import { serveFetch } from './serve-fetch'
import { type SharedIncidents, serveIncidents, serveList } from './serve-incidents'
import { TailFeed, type TailPoller } from './serve-tail'
import type { About, EventSource, IncidentSource } from './source'
import { decodeMessage, type Fields, protocolError } from './wire'

/** What all sessions of a publisher share. */
export interface Served {
  readonly incidents: IncidentSource
  readonly shared: SharedIncidents
  readonly events?: EventSource | undefined
  readonly poller: TailPoller
  readonly capture?: ((reason: string) => Promise<IncidentSummary | undefined>) | undefined
  readonly about: () => About
  readonly clock: Clock
}

/** Why a session ended; `error` where the subscriber broke the protocol. */
export interface SessionEnd {
  readonly error?: FlogError
}

const MAX_REQUEST_ID = 2 ** 32 - 1
const MAX_REASON = 1000

/**
 * The publisher's end of an authenticated connection, whoever opened it.
 *
 * Requests run side by side, each until its result, its error, its `cancel`, or the end of the connection.
 */
export class PublisherSession {
  /** Settles when the connection is over. */
  readonly ended: Promise<SessionEnd>
  readonly #socket: MessageSocket
  readonly #served: Served
  readonly #allows: 'read' | 'control'
  readonly #requests = new Map<number, Outgoing>()
  readonly #turns = new Turns(REMOTE_LARGE_REQUESTS)
  /** Requests that are over for the subscriber, and for which something still works here. */
  #lingering = 0
  #error: FlogError | undefined

  constructor(socket: MessageSocket, served: Served, allows: 'read' | 'control') {
    this.#socket = socket
    this.#served = served
    this.#allows = allows
    this.ended = new Promise((resolve) => {
      socket.read({
        message: (bytes) => this.#onMessage(bytes),
        drained: () => this.#onDrained(),
        closed: () => {
          this.#endRequests()
          resolve(this.#error === undefined ? {} : { error: this.#error })
        },
      })
    })
  }

  /** Ends the connection with a reason. Idempotent. */
  close(code: number = CLOSE.goingAway, reason = 'the publisher is closing'): void {
    this.#endRequests()
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.#error !== undefined) return
    try {
      this.#take(decodeMessage(bytes, REMOTE_REQUEST_BYTES, REMOTE_REQUEST_VALUES))
    } catch (error) {
      this.#error = FlogError.is(error) ? error : protocolError(messageOf(error), error)
      this.close(CLOSE.malformed, this.#error.message)
    }
  }

  #take(message: Fields): void {
    const id = message.count('id', MAX_REQUEST_ID, 1)
    switch (message.text('type')) {
      case 'request':
        this.#onRequest(id, message)
        break
      case 'credit': {
        const messages = message.count('messages', MAX_CREDIT, 1)
        this.#requests.get(id)?.grant(messages)
        break
      }
      case 'cancel':
        this.#requests.get(id)?.end()
        break
      default:
        this.#answerTo(id).fail(unsupported('this kind of message'))
    }
  }

  #onRequest(id: number, message: Fields): void {
    if (this.#requests.has(id)) throw protocolError(`request ${id} is under way already`)
    const method = message.text('method')
    const params = message.inner('params')
    const credit = params.has('credit') ? params.count('credit', MAX_CREDIT) : REMOTE_CREDIT
    const out = this.#answerTo(id, credit)
    if (this.#requests.size + this.#lingering >= REMOTE_REQUESTS) {
      out.fail(busy())
      return
    }
    this.#requests.set(id, out)
    this.#carryOut(method, params.withCode('FLOG_REMOTE_REQUEST'), out)
  }

  #carryOut(method: string, params: Fields, out: Outgoing): void {
    try {
      const work = this.#run(method, params, out)
      if (work !== undefined) this.#watch(work, out)
    } catch (error) {
      out.fail(error)
    }
  }

  /** What still works for a request that is over, because it was cancelled, counts until it has let go. */
  #watch(work: Promise<void>, out: Outgoing): void {
    let state: 'working' | 'lingering' | 'settled' = 'working'
    const onOver = (): void => {
      if (state !== 'working') return
      state = 'lingering'
      this.#lingering++
    }
    const onSettled = (): void => {
      if (state === 'lingering') this.#lingering--
      state = 'settled'
    }
    out.signal.addEventListener('abort', onOver, { once: true })
    void work.then(onSettled, (error: unknown) => {
      onSettled()
      out.fail(error)
    })
  }

  #answerTo(id: number, credit = 0): Outgoing {
    const out = new Outgoing(id, credit, this.#socket, () => {
      if (this.#requests.get(id) === out) this.#requests.delete(id)
    })
    return out
  }

  /** @returns what to wait for, where it is not over or running by itself at once */
  #run(method: string, params: Fields, out: Outgoing): Promise<void> | undefined {
    switch (method) {
      case 'about':
        out.result(this.#about())
        return undefined
      case 'list':
        return this.#turns.run(out.signal, () => this.#list(params, out))
      case 'fetch':
        return this.#turns.run(out.signal, () => serveFetch(this.#served.incidents, params, out))
      case 'incidents':
        return serveIncidents(this.#served.shared, params, out)
      case 'tail':
        this.#tail(params, out)
        return undefined
      case 'capture':
        return this.#capture(params, out)
      default:
        throw unsupported('this request')
    }
  }

  #about(): AboutResult {
    const { about, events } = this.#served
    return { ...about(), allows: this.#allows, tail: events !== undefined }
  }

  async #list(params: Fields, out: Outgoing): Promise<void> {
    const page = await serveList(this.#served.shared, params, out.signal)
    if (page !== undefined && (await out.whenRoom())) out.result(page)
  }

  #tail(params: Fields, out: Outgoing): void {
    const { events, about, clock, poller } = this.#served
    if (events === undefined) throw unsupported('a tail: what it publishes is a directory, not a process')
    const feed = new TailFeed(events, about().incarnation, params, out, clock)
    out.signal.addEventListener('abort', () => poller.remove(feed), { once: true })
    out.onReady = () => poller.hurry()
    poller.add(feed)
  }

  async #capture(params: Fields, out: Outgoing): Promise<void> {
    if (this.#allows !== 'control') {
      throw new FlogError(
        'FLOG_REMOTE_FORBIDDEN',
        'this logport is for reading: capturing takes the control logport',
      )
    }
    if (this.#served.capture === undefined) throw unsupported('a capture')
    out.result((await this.#served.capture(params.text('reason', MAX_REASON))) ?? null)
  }

  #onDrained(): void {
    for (const request of this.#requests.values()) request.drained()
  }

  #endRequests(): void {
    for (const request of [...this.#requests.values()]) request.end()
  }
}

function unsupported(what: string): FlogError {
  return new FlogError('FLOG_REMOTE_UNSUPPORTED', `the publisher does not know or offer ${what}`)
}

function busy(): FlogError {
  return new FlogError(
    'FLOG_REMOTE_BUSY',
    `there are ${REMOTE_REQUESTS} requests under way on this connection already`,
  )
}

/** Lets a few run at once; the others wait. */
class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** What was cancelled before its turn came is not begun. */
  async run(signal: AbortSignal, action: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      if (!signal.aborted) await action()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
