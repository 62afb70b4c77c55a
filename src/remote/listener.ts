import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import type { Clock, Timer } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import type { MessageSocket } from './message-socket'
import { WebSocketAcceptor } from './websocket'

export interface ListenerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls?: { readonly key: string; readonly certificate: string }
  readonly clock: Clock
  readonly maxMessageBytes: number
  /** Connections that may be unproved at once; the oldest gives way to a new one. */
  readonly maxUnauthenticated: number
  readonly authenticationMs: number
  /** Bytes that a connection may send before it is admitted. */
  readonly maxUnauthenticatedBytes: number
  /** Gets every connection that speaks the protocol; nothing is proved yet. */
  readonly onSocket: (socket: MessageSocket, guest: Guest) => void
}

/** A connection that has not proved anything yet. */
export interface Guest {
  /** Takes it from under the limits of the unproved. */
  admit(): void
}

/**
 * Listens, and keeps strangers small: few of them, for a few seconds, with a few bytes.
 *
 * TCP → TLS (optional) → HTTP upgrade → message socket. The listening socket and what it accepts do not keep
 * the process alive.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #http: HttpServer
  readonly #tcp: Server
  readonly #acceptor: WebSocketAcceptor
  readonly #secure: SecureContext | undefined
  readonly #guests = new Set<Unproved>()
  readonly #byStream = new WeakMap<Duplex, Unproved>()
  #turnedAway = 0

  private constructor(options: ListenerOptions) {
    this.#options = options
    this.#acceptor = new WebSocketAcceptor(options)
    this.#secure = options.tls && secureContext(options.tls)
    this.#http = createHttpServer(
      { maxHeaderSize: options.maxUnauthenticatedBytes },
      (_request, response) => {
        response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' })
        response.end('this is a flog logport: use flog tail, flog incidents or flog fetch\n')
      },
    )
    this.#http.on('upgrade', (request, stream, head) => this.#onUpgrade(request, stream, head))
    this.#http.on('clientError', (_error, stream) => stream.destroy())
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#onConnection(socket))
    this.#tcp.unref()
  }

  /** @throws FlogError FLOG_REMOTE_UNREACHABLE when the address cannot be listened at */
  static async listen(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options)
    const { host, port } = options
    await new Promise<void>((resolve, reject) => {
      listener.#tcp.once('error', (error) => {
        const message = `cannot listen at ${host} port ${port}: ${messageOf(error)}`
        reject(new FlogError('FLOG_REMOTE_UNREACHABLE', message, { cause: error }))
      })
      listener.#tcp.listen({ host, port }, resolve)
    })
    listener.#tcp.on('error', () => undefined)
    return listener
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port
  }

  /** Connections that ended before they had proved anything, since the start. */
  get turnedAway(): number {
    return this.#turnedAway
  }

  get unauthenticated(): number {
    return this.#guests.size
  }

  /** Accepts nothing more; ends those that are not admitted. Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()))
    for (const guest of this.#guests) guest.end()
    this.#http.close()
    // Admitted connections are their owner's to close: this waits only for the port to be free
    await Promise.race([closed, new Promise(setImmediate)])
  }

  #onConnection(socket: Socket): void {
    socket.unref()
    socket.on('error', () => undefined)
    const guest = new Unproved(socket, this.#options, () => {
      this.#guests.delete(guest)
      if (!guest.admitted) this.#turnedAway++
    })
    this.#guests.add(guest)
    if (this.#guests.size > this.#options.maxUnauthenticated) oldest(this.#guests)?.end()
    if (this.#secure === undefined) this.#serve(socket, guest)
    else this.#encrypt(socket, guest, this.#secure)
  }

  #encrypt(socket: Socket, guest: Unproved, secureContext: SecureContext): void {
    const encrypted = new TLSSocket(socket, { isServer: true, secureContext })
    encrypted.on('error', () => socket.destroy())
    encrypted.once('secure', () => this.#serve(encrypted, guest))
  }

  #serve(stream: Socket, guest: Unproved): void {
    this.#byStream.set(stream, guest)
    this.#http.emit('connection', stream)
  }

  #onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const guest = this.#byStream.get(stream)
    if (guest === undefined) return void stream.destroy()
    stream.on('error', () => undefined)
    guest.count(stream, head.length)
    this.#acceptor.accept(request, stream, head, (socket) => this.#options.onSocket(socket, guest))
  }
}

class Unproved implements Guest {
  admitted = false
  readonly #socket: Socket
  readonly #timer: Timer
  readonly #maxBytes: number
  readonly #ended: () => void
  #stopCounting = (): void => undefined

  constructor(socket: Socket, options: ListenerOptions, ended: () => void) {
    this.#socket = socket
    this.#maxBytes = options.maxUnauthenticatedBytes
    this.#ended = ended
    this.#timer = options.clock.after(options.authenticationMs, () => this.end())
    socket.once('close', () => {
      this.#timer.cancel()
      if (!this.admitted) ended()
    })
  }

  /** Counts what the peer sends from now on, until it is admitted. */
  count(stream: Duplex, already: number): void {
    let bytes = already
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > this.#maxBytes) this.end()
    }
    stream.on('data', onData)
    this.#stopCounting = () => void stream.off('data', onData)
  }

  admit(): void {
    this.admitted = true
    this.#timer.cancel()
    this.#stopCounting()
    this.#ended()
  }

  end(): void {
    this.#socket.destroy()
  }
}

function secureContext(tls: { readonly key: string; readonly certificate: string }): SecureContext {
  return createSecureContext({ key: tls.key, cert: tls.certificate, minVersion: 'TLSv1.3' })
}

function oldest<T>(set: ReadonlySet<T>): T | undefined {
  return set.values().next().value
}
