import type { Clock } from '../base/clock'
import { FlogError } from '../base/errors'
import { REMOTE_AUTHENTICATION_MS } from '../base/limits'
import { pause } from '../base/pause'
import type { Random } from '../base/random'
import { authenticate } from './authenticate'
import { Backoff } from './backoff'
import { dial } from './dial'
import { OpenerHandshake } from './handshake'
import { checkDialled, type Logport } from './logport'
import type { MessageSocket } from './message-socket'
import type { PublisherSession } from './serve'

export interface DialOutOptions {
  /** What the collector may do here; default `read`. */
  readonly allow?: 'read' | 'control'
  /** Told when a connection stands, and of each one that failed or ended. Must not throw. */
  readonly onState?: (state: DialOutState) => void
}

export type DialOutState =
  | { readonly kind: 'connected' }
  | { readonly kind: 'waiting'; readonly ms: number; readonly error: FlogError }

interface DialOutParts {
  readonly clock: Clock
  readonly random: Random
  readonly maxMessageBytes: number
  readonly serve: (socket: MessageSocket) => PublisherSession
}

/** Short: while it is connecting, and only then, it keeps the process from ending. */
const DIAL_MS = 5000
/** A connection that lasted this long was a success. */
const LASTED_MS = 10_000

/**
 * Publishes over connections that are made from here, for processes that nobody can reach. One at a time,
 * made again with backoff for as long as it is not closed: what keeps it from connecting now may be over
 * tomorrow.
 */
export class DialOut {
  readonly closed: Promise<void>
  readonly #logport: Logport
  readonly #options: DialOutOptions
  readonly #parts: DialOutParts
  readonly #closing = new AbortController()

  constructor(logport: Logport, options: DialOutOptions, parts: DialOutParts) {
    checkDialled(logport)
    this.#logport = logport
    this.#options = options
    this.#parts = parts
    this.closed = this.#keepConnected()
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing.abort()
    return this.closed
  }

  async #keepConnected(): Promise<void> {
    const { clock, random } = this.#parts
    const backoff = new Backoff(random)
    const { signal } = this.#closing
    while (!signal.aborted) {
      const start = clock.monotonic()
      const error = await this.#once()
      if (signal.aborted) return
      if (clock.monotonic() - start >= LASTED_MS) backoff.reset()
      const ms = backoff.next()
      this.#options.onState?.({ kind: 'waiting', ms, error })
      await pause(clock, ms, signal)
    }
  }

  /** One connection from its making to its end. */
  async #once(): Promise<FlogError> {
    try {
      const session = this.#parts.serve(await this.#connect())
      this.#options.onState?.({ kind: 'connected' })
      const onAbort = (): void => session.close()
      this.#closing.signal.addEventListener('abort', onAbort, { once: true })
      if (this.#closing.signal.aborted) onAbort()
      const { error } = await session.ended
      this.#closing.signal.removeEventListener('abort', onAbort)
      return error ?? new FlogError('FLOG_REMOTE_LOST', 'the collector closed the connection')
    } catch (error) {
      return FlogError.is(error)
        ? error
        : new FlogError('FLOG_REMOTE_FAILED', 'dialling out failed', { cause: error })
    }
  }

  async #connect(): Promise<MessageSocket> {
    const { clock, random, maxMessageBytes } = this.#parts
    const { role, secret } = this.#logport
    const { signal } = this.#closing
    const options = { clock, maxMessageBytes, timeoutMs: DIAL_MS, signal, keepAlive: false }
    const socket = await dial(this.#logport, options)
    const handshake = new OpenerHandshake(role, secret, { keyingMaterial: socket.keyingMaterial, random })
    await authenticate(socket, handshake, clock, REMOTE_AUTHENTICATION_MS, signal)
    return socket
  }
}
