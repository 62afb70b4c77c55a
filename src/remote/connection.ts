import type { Clock } from '../base/clock'
import { FlogError } from '../base/errors'
import { REMOTE_ANSWER_BYTES, REMOTE_ANSWER_MS, REMOTE_AUTHENTICATION_MS } from '../base/limits'
import { pause } from '../base/pause'
import type { Random } from '../base/random'
import { authenticate } from './authenticate'
import { Backoff, type BackoffOptions } from './backoff'
import { dial } from './dial'
import { OpenerHandshake } from './handshake'
import type { Logport } from './logport'
import type { AboutResult } from './protocol'
import { parseAbout } from './shapes'
import { SubscriberSession } from './subscribe'

/** A session, and who is at its other end. */
export interface Connected {
  readonly session: SubscriberSession
  readonly about: AboutResult
}

/**
 * Where a remote gets its sessions from: a connection that it makes again and again, or one that was made to
 * us.
 */
export interface Sessions {
  /**
   * The session that stands, or the next one.
   * @throws FlogError FLOG_ABORTED, or why there will be none any more
   */
  next(signal?: AbortSignal): Promise<Connected>
  /** Idempotent. */
  close(): Promise<void>
}

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly about: AboutResult }
  | { readonly kind: 'waiting'; readonly ms: number; readonly error: FlogError }
  /** It will not be connected again: closed, or refused for good. */
  | { readonly kind: 'closed'; readonly error?: FlogError }

export interface ConnectionOptions {
  readonly clock: Clock
  readonly random: Random
  readonly backoff?: BackoffOptions
  /** Whether it connects again, and keeps trying where the first attempt found nobody; default both. */
  readonly reconnect: boolean
  readonly keepAlive: boolean
  readonly onState: (state: ConnectionState) => void
}

const DIAL_MS = 10_000
/**
 * A connection that lasted this long was a success: the next one is not kept waiting for the failures before
 * it.
 */
const LASTED_MS = 5000
/** Trying again does not help against these. */
const FINAL = ['FLOG_REMOTE_UNTRUSTED', 'FLOG_REMOTE_REFUSED', 'FLOG_REMOTE_VERSION', 'FLOG_CLOSED'] as const

/**
 * Keeps one connection to a logport:
 *
 * ```
 * connecting → connected → waiting → connecting → …
 *      └────────────┴────────┴─→ closed
 * ```
 */
export class Connection implements Sessions {
  readonly #logport: Logport
  readonly #options: ConnectionOptions
  readonly #closing = new AbortController()
  /** Settles when it will not be connected again. */
  readonly closed: Promise<void>
  #current: Connected | undefined
  #end: FlogError | undefined
  #waiters = new Set<() => void>()

  constructor(logport: Logport, options: ConnectionOptions) {
    if (logport.role === 'publish') {
      throw new FlogError('FLOG_LOGPORT_INVALID', 'that is a logport for publishers to dial, not for clients')
    }
    this.#logport = logport
    this.#options = options
    this.closed = this.#run()
  }

  async next(signal?: AbortSignal): Promise<Connected> {
    for (;;) {
      if (signal?.aborted === true)
        throw new FlogError('FLOG_ABORTED', 'the wait for a connection was cancelled')
      if (this.#current !== undefined) return this.#current
      if (this.#end !== undefined) throw this.#end
      await this.#changed(signal)
    }
  }

  async close(): Promise<void> {
    this.#end ??= closed()
    this.#closing.abort()
    await this.closed
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(this.#options.random, this.#options.backoff)
    const { signal } = this.#closing
    while (!signal.aborted) {
      this.#options.onState({ kind: 'connecting' })
      const start = this.#options.clock.monotonic()
      const error = await this.#once()
      if (signal.aborted || isFinal(error) || !this.#options.reconnect) {
        this.#end ??= error
        break
      }
      if (this.#options.clock.monotonic() - start >= LASTED_MS) backoff.reset()
      const ms = backoff.next()
      this.#options.onState({ kind: 'waiting', ms, error })
      await pause(this.#options.clock, ms, signal, this.#options.keepAlive)
    }
    this.#end ??= closed()
    this.#options.onState({ kind: 'closed', ...(this.#end.code !== 'FLOG_CLOSED' && { error: this.#end }) })
    this.#tellWaiters()
  }

  /** One connection from its making to its end, which is what it returns. */
  async #once(): Promise<FlogError> {
    const { signal } = this.#closing
    try {
      const session = await this.#connect(signal)
      const close = (): void => session.close()
      signal.addEventListener('abort', close, { once: true })
      if (signal.aborted) close()
      try {
        const about = parseAbout(await session.request('about', {}, REMOTE_ANSWER_MS))
        this.#current = { session, about }
        this.#options.onState({ kind: 'connected', about })
        this.#tellWaiters()
        return await session.ended
      } finally {
        this.#current = undefined
        session.close()
        signal.removeEventListener('abort', close)
      }
    } catch (error) {
      return FlogError.is(error)
        ? error
        : new FlogError('FLOG_REMOTE_LOST', 'the connection failed', { cause: error })
    }
  }

  async #connect(signal: AbortSignal): Promise<SubscriberSession> {
    const { clock, random, keepAlive } = this.#options
    const { role, secret } = this.#logport
    const maxMessageBytes = REMOTE_ANSWER_BYTES
    const socket = await dial(this.#logport, {
      clock,
      maxMessageBytes,
      timeoutMs: DIAL_MS,
      signal,
      keepAlive,
    })
    const handshake = new OpenerHandshake(role, secret, { keyingMaterial: socket.keyingMaterial, random })
    await authenticate(socket, handshake, clock, REMOTE_AUTHENTICATION_MS, signal)
    return new SubscriberSession(socket, clock)
  }

  #changed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#waiters.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  #tellWaiters(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }
}

/** A session over a connection that was made to us: when it ends, that is the end. */
export class SingleSession implements Sessions {
  readonly #connected: Connected
  #end: FlogError | undefined

  constructor(connected: Connected) {
    this.#connected = connected
    void connected.session.ended.then((error) => {
      this.#end = error
    })
  }

  async next(signal?: AbortSignal): Promise<Connected> {
    if (signal?.aborted === true)
      throw new FlogError('FLOG_ABORTED', 'the wait for a connection was cancelled')
    if (this.#end !== undefined) throw this.#end
    return this.#connected
  }

  async close(): Promise<void> {
    this.#connected.session.close()
    await this.#connected.session.ended
  }
}

/** Whether the connection ended meanwhile, so that the next one may do better. */
export function isLost(error: unknown): boolean {
  return FlogError.is(error, 'FLOG_REMOTE_LOST')
}

function isFinal(error: FlogError): boolean {
  return FINAL.some((code) => code === error.code)
}

function closed(): FlogError {
  return new FlogError('FLOG_CLOSED', 'the remote is closed')
}
