import { SystemClock } from '../../../src/base/clock'
import { systemRandom } from '../../../src/base/random'
import { authenticate } from '../../../src/remote/authenticate'
import { dial } from '../../../src/remote/dial'
import { OpenerHandshake } from '../../../src/remote/handshake'
import { parseLogport } from '../../../src/remote/logport'
import type { MessageSocket, SocketEnd } from '../../../src/remote/message-socket'
import { decodeMessage, encodeMessage, type Fields } from '../../../src/remote/wire'

export const systemClock = new SystemClock()

/** A connected socket on which nothing was said. */
export function dialRaw(url: string): Promise<MessageSocket> {
  const signal = new AbortController().signal
  const options = { clock: systemClock, maxMessageBytes: 8e6, timeoutMs: 5000, signal, keepAlive: true }
  return dial(parseLogport(url), options)
}

/** A peer that proved the secret, and then says whatever it likes. */
export class RawPeer {
  readonly received: Fields[] = []
  readonly ended: Promise<SocketEnd>
  #wake: () => void = () => undefined

  private constructor(readonly socket: MessageSocket) {
    this.ended = new Promise((resolve) => {
      socket.read({ message: (bytes) => this.take(bytes), closed: resolve })
    })
  }

  take(bytes: Uint8Array): void {
    this.received.push(decodeMessage(bytes, 8e6))
    this.#wake()
  }

  static async connect(url: string): Promise<RawPeer> {
    const socket = await dialRaw(url)
    const { role, secret } = parseLogport(url)
    const handshake = new OpenerHandshake(role, secret, {
      keyingMaterial: socket.keyingMaterial,
      random: systemRandom,
    })
    await authenticate(socket, handshake, systemClock, 5000)
    return new RawPeer(socket)
  }

  request(id: number, method: string, params: object = {}): void {
    this.socket.send(encodeMessage({ type: 'request', id, method, params }))
  }

  /** The first received message, from `from` on, that fits. */
  async until(fits: (message: Fields) => boolean): Promise<Fields> {
    for (;;) {
      const found = this.received.find(fits)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  answerTo(id: number): Promise<Fields> {
    return this.until((message) => message.map['id'] === id && message.map['type'] !== 'item')
  }
}
