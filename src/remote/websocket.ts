import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import WebSocket, { WebSocketServer } from 'ws'
import type { Clock, Timer } from '../base/clock'
import { REMOTE_BUFFERED_BYTES, REMOTE_FRAGMENTS, REMOTE_HOLD_BYTES, REMOTE_PING_MS } from '../base/limits'
import type { MessageSocket, SocketEnd, SocketReader } from './message-socket'
import { CLOSE, KEYING_BYTES, KEYING_LABEL, SUBPROTOCOL } from './protocol'

/** WebSockets (RFC 6455) as message sockets. The only file that knows the library. */
export interface WebSocketOptions {
  readonly clock: Clock
  /** A longer message closes the connection before it is buffered. */
  readonly maxMessageBytes: number
}

/** A peer that does not answer a close is given this long, in ms. */
const CLOSE_TIMEOUT_MS = 1000
const DRAINED_BYTES = REMOTE_BUFFERED_BYTES / 2

const COMMON = {
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
  autoPong: false,
  maxFragments: REMOTE_FRAGMENTS,
} as const

/** Makes the opener's end of a WebSocket of a connected, and where need be verified, socket. */
export function openWebSocket(
  socket: Socket,
  host: string,
  options: WebSocketOptions,
): Promise<MessageSocket> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://${host}/`, [SUBPROTOCOL], {
      ...COMMON,
      maxPayload: options.maxMessageBytes,
      createConnection: () => socket,
    })
    const message = new WebSocketMessages(ws, keyingMaterialOf(socket), options.clock)
    ws.once('open', () => resolve(message))
    ws.once('error', reject)
  })
}

/** Turns upgrade requests into the acceptor's end of WebSockets. */
export class WebSocketAcceptor {
  readonly #server: WebSocketServer
  readonly #clock: Clock

  constructor(options: WebSocketOptions) {
    this.#clock = options.clock
    this.#server = new WebSocketServer({
      ...COMMON,
      noServer: true,
      clientTracking: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: () => SUBPROTOCOL,
    })
  }

  /** Refuses what is not this protocol, and whatever a web page of another origin might have sent. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    accepted: (messages: MessageSocket) => void,
  ): void {
    const refusal = reasonToRefuse(request)
    if (refusal !== undefined) {
      refuse(socket, refusal)
      return
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      accepted(new WebSocketMessages(ws, keyingMaterialOf(socket), this.#clock))
    })
  }
}

class WebSocketMessages implements MessageSocket {
  readonly keyingMaterial: Uint8Array
  readonly #ws: WebSocket
  readonly #ping: Timer
  #reader: SocketReader | undefined
  /**
   * Messages that came while there was no reader; no more than one read of the socket holds, since it is
   * paused then.
   */
  #waiting: Uint8Array[] = []
  #ended: SocketEnd | undefined
  #unanswered = 0
  /** Nothing is read until the peer has taken more of what waits for it. */
  #held = false
  /** Bytes that were sent, and how many of them had gone out at the last ping. */
  #sent = 0
  #gone = 0

  constructor(ws: WebSocket, keyingMaterial: Uint8Array, clock: Clock) {
    this.#ws = ws
    this.keyingMaterial = keyingMaterial
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary))
    ws.on('pong', () => this.#isAlive())
    ws.on('ping', (data) => {
      this.#isAlive()
      if (this.#ws.readyState === WebSocket.OPEN) this.#ws.pong(data)
      this.#holdWhereFull()
    })
    // What goes wrong on the socket shows in its close code
    ws.on('error', () => undefined)
    ws.on('close', (code, reason) => this.#onClose({ code, reason: reason.toString() }))
    this.#ping = clock.every(REMOTE_PING_MS, () => this.#onPing())
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount
  }

  send(message: Uint8Array): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return
    this.#sent += message.length
    this.#ws.send(message, () => {
      this.#release()
      if (this.#ended === undefined && this.bufferedBytes <= DRAINED_BYTES) this.#reader?.drained?.()
    })
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return
    // A paused socket would not see the answer to its close
    this.#ws.resume()
    this.#ws.close(code, cutToBytes(reason, 120))
  }

  terminate(): void {
    this.#ws.terminate()
  }

  read(reader: SocketReader | undefined): void {
    this.#reader = reader
    while (this.#reader !== undefined && this.#waiting.length > 0) {
      const message = this.#waiting.shift()
      if (message !== undefined) this.#reader.message(message)
    }
    if (this.#reader === undefined) return
    if (this.#ended !== undefined) this.#reader.closed(this.#ended)
    else if (!this.#held) this.#ws.resume()
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#isAlive()
    if (this.#ws.readyState !== WebSocket.OPEN) return
    if (!isBinary) this.close(CLOSE.malformed, 'messages are binary')
    else if (this.#reader !== undefined) this.#reader.message(data)
    else {
      this.#waiting.push(data)
      this.#ws.pause()
    }
    this.#holdWhereFull()
  }

  /** A peer that asks and asks, and takes no answer, must not fill the memory here. */
  #holdWhereFull(): void {
    if (this.#held || this.bufferedBytes <= REMOTE_HOLD_BYTES) return
    this.#held = true
    this.#ws.pause()
  }

  #release(): void {
    if (!this.#held || this.bufferedBytes > DRAINED_BYTES) return
    this.#held = false
    if (this.#reader !== undefined) this.#ws.resume()
  }

  #isAlive(): void {
    this.#unanswered = 0
  }

  #onClose(end: SocketEnd): void {
    this.#ping.cancel()
    this.#ended = end
    if (this.#waiting.length === 0) this.#reader?.closed(end)
  }

  /** On a slow line a pong comes late, behind all that waits: as long as bytes go out, somebody is there. */
  #onPing(): void {
    const gone = this.#sent - this.bufferedBytes
    if (gone > this.#gone) this.#isAlive()
    this.#gone = gone
    if (this.#unanswered >= 2) this.#ws.terminate()
    this.#unanswered++
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping()
  }
}

function keyingMaterialOf(socket: Duplex): Uint8Array {
  if (!(socket instanceof TLSSocket)) return new Uint8Array()
  return socket.exportKeyingMaterial(KEYING_BYTES, KEYING_LABEL, Buffer.alloc(0))
}

function reasonToRefuse({ headers, url }: IncomingMessage): string | undefined {
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (headers.origin !== undefined) return '403 Forbidden'
  return url === '/' && protocols.includes(SUBPROTOCOL) ? undefined : '400 Bad Request'
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.once('finish', () => socket.destroy())
}

/** A close reason has at most 123 bytes. */
function cutToBytes(text: string, limit: number): string {
  let end = Math.min(text.length, limit)
  while (Buffer.byteLength(text.slice(0, end)) > limit) end--
  return text.slice(0, end)
}
