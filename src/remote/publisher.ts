import { unlink } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { type Clock, SystemClock } from '../base/clock'
import { FlogError, invalidOption } from '../base/errors'
import {
  REMOTE_AUTHENTICATION_MS,
  REMOTE_CONNECTIONS,
  REMOTE_REQUEST_BYTES,
  REMOTE_UNAUTHENTICATED,
  REMOTE_UNAUTHENTICATED_BYTES,
} from '../base/limits'
import { type Random, systemRandom } from '../base/random'
import type { IncidentSummary } from '../incident/header'
import { authenticate } from './authenticate'
import { DialOut, type DialOutOptions } from './dial-out'
import { AcceptorHandshake } from './handshake'
import { type Keys, loadKeys } from './keys'
import { type Guest, Listener } from './listener'
import { CONTROL_LOGPORT_FILE, formatLogport, isLoopback, LOGPORT_FILE, parseLogport } from './logport'
import type { MessageSocket } from './message-socket'
import { readPrivate, replacePrivate } from './private-file'
import { CLOSE, type Role } from './protocol'
import { PublisherSession, type Served } from './serve'
import { SharedIncidents } from './serve-incidents'
import { TailPoller } from './serve-tail'
import type { About, EventSource, IncidentSource } from './source'

export interface PublisherOptions {
  readonly incidents: IncidentSource
  /** Rings to tail; a published directory has none. */
  readonly events?: EventSource | undefined
  /**
   * Called for the control role only; resolves to the incident, or to undefined where limits held it back.
   */
  readonly capture?: ((reason: string) => Promise<IncidentSummary | undefined>) | undefined
  readonly about: () => About
  /**
   * Where the secrets, the certificate and the logport files are kept, so that logports stay the same; made
   * 0700.
   */
  readonly keys: string
  /** Default 127.0.0.1. Beyond loopback TLS has to be on. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** Default: off on loopback. The certificate is made by itself, and named by the logport. */
  readonly tls?: boolean
  /** Host that the logports name, where clients know this machine by another one. */
  readonly publicHost?: string
  readonly limits?: PublisherLimits
  readonly clock?: Clock
  readonly random?: Random
}

export interface PublisherLimits {
  /** Authenticated connections; default 32. */
  readonly connections?: number
  /** Connections that have not proved the secret yet; default 8. */
  readonly unauthenticated?: number
  /** Milliseconds that a connection has to prove the secret; default 5000. */
  readonly authenticationMs?: number
}

export interface PublisherStats {
  readonly connections: number
  readonly unauthenticated: number
  readonly tails: number
  /**
   * Since the start: connections that proved the secret; that ended before; that were refused for their
   * number.
   */
  readonly accepted: number
  readonly turnedAway: number
  readonly refused: number
  /** Connections that were closed because of what they sent. */
  readonly malformed: number
}

/** A connection that the publisher makes, and makes again, to a collector. */
export interface DialledOut {
  /** Idempotent. */
  close(): Promise<void>
}

export interface Publisher {
  /** Logport for reading: list, fetch, subscribe, tail. A secret: whoever has it may do so. */
  readonly url: string
  /** Logport for reading and capturing. */
  readonly controlUrl: string
  readonly port: number
  /** Files that hold the two logports, readable by their owner alone. */
  readonly logportFile: string
  readonly controlLogportFile: string
  stats(): PublisherStats
  /** Serves a collector at its `publish` logport, over connections made from here. */
  dialOut(logport: string, options?: DialOutOptions): DialledOut
  /** Idempotent. */
  close(): Promise<void>
}

const HOST_NAME = /^[A-Za-z0-9._-]+$/
/** Peers are given this long, in ms, to answer the close. */
const CLOSE_MS = 500

/**
 * Serves incidents and events to whoever proves a secret. It keeps no process alive.
 * @throws FlogError FLOG_OPTION_INVALID, FLOG_KEYS_UNUSABLE, FLOG_REMOTE_UNREACHABLE when the address is
 * taken
 */
export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const { host = '127.0.0.1' } = options
  checkAddress(options)
  const random = options.random ?? systemRandom
  const keys = await loadKeys(options.keys, random)
  const publisher = new ListeningPublisher(options, keys, host, random)
  try {
    await publisher.start()
  } catch (error) {
    await publisher.close()
    throw error
  }
  return publisher
}

class ListeningPublisher implements Publisher {
  readonly logportFile: string
  readonly controlLogportFile: string
  readonly #options: PublisherOptions
  readonly #keys: Keys
  readonly #host: string
  readonly #random: Random
  readonly #clock: Clock
  readonly #served: Served
  readonly #maxConnections: number
  readonly #sessions = new Set<PublisherSession>()
  readonly #dialled = new Set<DialOut>()
  readonly #counts = { accepted: 0, refused: 0, malformed: 0 }
  #listener: Listener | undefined
  #port = 0
  #closing: Promise<void> | undefined

  constructor(options: PublisherOptions, keys: Keys, host: string, random: Random) {
    this.#options = options
    this.#keys = keys
    this.#host = host
    this.#random = random
    this.#clock = options.clock ?? new SystemClock()
    this.#maxConnections = options.limits?.connections ?? REMOTE_CONNECTIONS
    this.logportFile = join(options.keys, LOGPORT_FILE)
    this.controlLogportFile = join(options.keys, CONTROL_LOGPORT_FILE)
    this.#served = {
      incidents: options.incidents,
      shared: new SharedIncidents(options.incidents, this.#clock),
      events: options.events,
      poller: new TailPoller(this.#clock),
      capture: options.capture,
      about: options.about,
      clock: this.#clock,
    }
  }

  async start(): Promise<void> {
    const limits = this.#options.limits ?? {}
    this.#listener = await Listener.listen({
      host: this.#host,
      port: this.#options.port ?? 0,
      ...(this.#options.tls === true && { tls: this.#keys.tls }),
      clock: this.#clock,
      maxMessageBytes: REMOTE_REQUEST_BYTES,
      maxUnauthenticated: limits.unauthenticated ?? REMOTE_UNAUTHENTICATED,
      authenticationMs: limits.authenticationMs ?? REMOTE_AUTHENTICATION_MS,
      maxUnauthenticatedBytes: REMOTE_UNAUTHENTICATED_BYTES,
      onSocket: (socket, guest) => void this.#welcome(socket, guest),
    })
    this.#port = this.#listener.port
    await replacePrivate(this.logportFile, `${this.url}\n`, this.#random)
    await replacePrivate(this.controlLogportFile, `${this.controlUrl}\n`, this.#random)
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return this.#logport('read')
  }

  get controlUrl(): string {
    return this.#logport('control')
  }

  stats(): PublisherStats {
    return {
      ...this.#counts,
      connections: this.#sessions.size,
      tails: this.#served.poller.size,
      unauthenticated: this.#listener?.unauthenticated ?? 0,
      turnedAway: this.#listener?.turnedAway ?? 0,
    }
  }

  dialOut(logport: string, options: DialOutOptions = {}): DialledOut {
    if (this.#closing !== undefined) throw new FlogError('FLOG_CLOSED', 'the publisher is closed')
    const dialOut = new DialOut(parseLogport(logport), options, {
      clock: this.#clock,
      random: this.#random,
      maxMessageBytes: REMOTE_REQUEST_BYTES,
      serve: (socket) => this.#serve(socket, options.allow ?? 'read'),
    })
    this.#dialled.add(dialOut)
    void dialOut.closed.then(() => this.#dialled.delete(dialOut))
    return dialOut
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#dialled].map((dialOut) => dialOut.close()))
    const sessions = [...this.#sessions]
    for (const session of sessions) session.close()
    const late = this.#clock.after(CLOSE_MS, () => sessions.forEach(terminate), { keepAlive: true })
    await Promise.all(sessions.map((session) => session.ended))
    late.cancel()
    await this.#listener?.close()
    await removeIfOurs(this.logportFile, this.url)
    await removeIfOurs(this.controlLogportFile, this.controlUrl)
  }

  async #welcome(socket: MessageSocket, guest: Guest): Promise<void> {
    const handshake = new AcceptorHandshake((role) => this.#secretOf(role), {
      keyingMaterial: socket.keyingMaterial,
      random: this.#random,
    })
    try {
      const { role } = await authenticate(
        socket,
        handshake,
        this.#clock,
        this.#options.limits?.authenticationMs ?? REMOTE_AUTHENTICATION_MS,
      )
      guest.admit()
      if (this.#closing !== undefined) return socket.close(CLOSE.goingAway, 'the publisher is closing')
      if (this.#sessions.size >= this.#maxConnections) return this.#refuse(socket)
      this.#counts.accepted++
      this.#serve(socket, role === 'control' ? 'control' : 'read')
    } catch {
      // The connection was told why and is counted by the listener; there is nobody here whom it would
      // interest
    }
  }

  #refuse(socket: MessageSocket): void {
    this.#counts.refused++
    socket.close(CLOSE.busy, 'the publisher has as many connections as it takes')
  }

  #serve(socket: MessageSocket, allows: 'read' | 'control'): PublisherSession {
    const session = new PublisherSession(socket, this.#served, allows)
    this.#sessions.add(session)
    void session.ended.then(({ error }) => {
      this.#sessions.delete(session)
      if (error !== undefined) this.#counts.malformed++
    })
    return session
  }

  #secretOf(role: Role): Uint8Array | undefined {
    return role === 'publish' ? undefined : this.#keys.secrets[role]
  }

  #logport(role: Role): string {
    const secret = this.#keys.secrets[role]
    const host = this.#options.publicHost ?? this.#host
    const tls = this.#options.tls === true && { fingerprint: this.#keys.tls.fingerprint }
    return formatLogport({ host, port: this.#port, role, secret, ...tls })
  }
}

type Address = Pick<PublisherOptions, 'host' | 'port' | 'tls' | 'publicHost' | 'limits'>

/**
 * @throws FlogError FLOG_OPTION_INVALID for what cannot be listened at, and beyond this machine without TLS
 */
export function checkAddress(options: Address): void {
  const { host = '127.0.0.1', port = 0, tls = false, publicHost = host, limits = {} } = options
  for (const [option, name] of Object.entries({ host, publicHost })) {
    if (typeof name !== 'string' || !(HOST_NAME.test(name) || isIPv6(name)))
      throw invalidOption(option, 'a host name or address', name)
  }
  if (!isWhole(port, 0, 65_535)) throw invalidOption('port', 'a number from 0 to 65535', port)
  for (const [option, limit] of Object.entries(limits)) {
    if (!isWhole(limit, 1)) throw invalidOption(`limits.${option}`, 'a whole number above 0', limit)
  }
  if (typeof tls !== 'boolean') throw invalidOption('tls', 'true or false', tls)
  if (tls || (isLoopback(host) && isLoopback(publicHost))) return
  throw invalidOption(
    'tls',
    `true for a host beyond this machine (${host}), so that nobody can listen in`,
    tls,
  )
}

function isWhole(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
}

function terminate(session: PublisherSession): void {
  session.terminate()
}

/** Another process that shares the directory may have put its own there meanwhile. */
async function removeIfOurs(path: string, url: string): Promise<void> {
  const text = await readPrivate(path).catch(() => undefined)
  if (text?.trim() === url) await unlink(path).catch(() => undefined)
}
