import { systemRandom } from '../../../src/base/random'
import { authenticate } from '../../../src/remote/authenticate'
import { AcceptorHandshake } from '../../../src/remote/handshake'
import { Listener } from '../../../src/remote/listener'
import { formatLogport } from '../../../src/remote/logport'
import type { MessageSocket } from '../../../src/remote/message-socket'
import { decodeMessage, encodeMessage } from '../../../src/remote/wire'
import { systemClock } from './raw'
import type { Rig } from './rig'
import { aboutTest } from './sources'

export const SECRET = new Uint8Array(32).fill(5)
const about = { ...aboutTest(), allows: 'read', tail: true }

/** What a publisher does with the request `id`, once it knows the secret and may say what it likes. */
export type Says = (method: string, id: number, send: (bytes: Uint8Array) => void) => void

/** A publisher that answers `about` well, and everything else as it likes. */
export async function hostilePublisher(rig: Rig, says: Says): Promise<string> {
  const serve = async (socket: MessageSocket): Promise<void> => {
    const handshake = new AcceptorHandshake(() => SECRET, {
      keyingMaterial: new Uint8Array(),
      random: systemRandom,
    })
    await authenticate(socket, handshake, systemClock, 5000)
    const message = (bytes: Uint8Array): void => {
      const { type, method, id } = decodeMessage(bytes, 1e6).map as {
        type: string
        method: string
        id: number
      }
      if (type !== 'request') return
      if (method === 'about') socket.send(encodeMessage({ type: 'result', id, result: about }))
      else says(method, id, (answer) => socket.send(answer))
    }
    socket.read({ message, closed: () => undefined })
  }
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    maxMessageBytes: 1e6,
    maxUnauthenticated: 8,
    authenticationMs: 5000,
    maxUnauthenticatedBytes: 8192,
    onSocket: (socket, guest) => {
      guest.admit()
      rig.onEnd(() => socket.terminate())
      void serve(socket).catch(() => undefined)
    },
  })
  rig.onEnd(() => listener.close())
  return formatLogport({ host: '127.0.0.1', port: listener.port, role: 'read', secret: SECRET })
}
