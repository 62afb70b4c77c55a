import { type Clock, SystemClock } from '../base/clock'
import {
  REMOTE_ANSWER_BYTES,
  REMOTE_ANSWER_MS,
  REMOTE_AUTHENTICATION_MS,
  REMOTE_CONNECTIONS,
  REMOTE_UNAUTHENTICATED,
  REMOTE_UNAUTHENTICATED_BYTES,
} from '../base/limits'
import { type Random, systemRandom } from '../base/random'
import { authenticate } from './authenticate'
import { Remote } from './client'
import { SingleSession } from './connection'
import { AcceptorHandshake } from './handshake'
import { loadKeys } from './keys'
import { type Guest, Listener } from './listener'
import { formatLogport } from './logport'
import type { MessageSocket } from './message-socket'
import { CLOSE } from './protocol'
import { checkAddress, type PublisherLimits } from './publisher'
import { parseAbout } from './shapes'
import { SubscriberSession } from './subscribe'

export interface PublisherPortOptions {
  /**
   * Gets each publisher that dialled in. The remote ends with its connection; the same publisher comes as
   * another one.
   */
  readonly onPublisher: (remote: Remote) => void
  /** Where the secret and the certificate are kept. */
  readonly keys: string
  readonly host?: string
  readonly port?: number
  readonly tls?: boolean
  readonly publicHost?: string
  readonly limits?: PublisherLimits
  readonly clock?: Clock
  readonly random?: Random
}

export interface PublisherPort {
  /** Logport for `Publisher.dialOut`. */
  readonly url: string
  readonly port: number
  /** Ends all connections. Idempotent. */
  close(): Promise<void>
}

/**
 * Listens for publishers that dial out: the subscriber's end of connections that were opened by the other
 * side.
 * @throws FlogError FLOG_OPTION_INVALID, FLOG_KEYS_UNUSABLE, FLOG_REMOTE_UNREACHABLE when the address is
 * taken
 */
export async function acceptPublishers(options: PublisherPortOptions): Promise<PublisherPort> {
  const { host = '127.0.0.1', tls = false, limits = {} } = options
  checkAddress(options)
  const clock = options.clock ?? new SystemClock()
  const random = options.random ?? systemRandom
  const keys = await loadKeys(options.keys, random)
  const remotes = new Publishers(options, keys.secrets.publish, clock, random)
  const listener = await Listener.listen({
    host,
    port: options.port ?? 0,
    ...(tls && { tls: keys.tls }),
    clock,
    maxMessageBytes: REMOTE_ANSWER_BYTES,
    maxUnauthenticated: limits.unauthenticated ?? REMOTE_UNAUTHENTICATED,
    authenticationMs: limits.authenticationMs ?? REMOTE_AUTHENTICATION_MS,
    maxUnauthenticatedBytes: REMOTE_UNAUTHENTICATED_BYTES,
    onSocket: (socket, guest) => void remotes.welcome(socket, guest),
  })
  const { port } = listener
  return {
    port,
    url: formatLogport({
      host: options.publicHost ?? host,
      port,
      role: 'publish',
      secret: keys.secrets.publish,
      ...(tls && { fingerprint: keys.tls.fingerprint }),
    }),
    close: async () => {
      await remotes.close()
      await listener.close()
    },
  }
}

class Publishers {
  readonly #options: PublisherPortOptions
  readonly #secret: Uint8Array
  readonly #clock: Clock
  readonly #random: Random
  readonly #sessions = new Set<SubscriberSession>()
  #closed = false

  constructor(options: PublisherPortOptions, secret: Uint8Array, clock: Clock, random: Random) {
    this.#options = options
    this.#secret = secret
    this.#clock = clock
    this.#random = random
  }

  async welcome(socket: MessageSocket, guest: Guest): Promise<void> {
    const { connections = REMOTE_CONNECTIONS, authenticationMs = REMOTE_AUTHENTICATION_MS } =
      this.#options.limits ?? {}
    const handshake = new AcceptorHandshake((role) => (role === 'publish' ? this.#secret : undefined), {
      keyingMaterial: socket.keyingMaterial,
      random: this.#random,
    })
    try {
      await authenticate(socket, handshake, this.#clock, authenticationMs)
      guest.admit()
      if (this.#closed) return socket.close(CLOSE.goingAway, 'the collector is closing')
      if (this.#sessions.size >= connections)
        return socket.close(CLOSE.busy, 'the collector has as many connections as it takes')
      await this.#take(new SubscriberSession(socket, this.#clock))
    } catch {
      // The publisher was told why, and tries again
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const sessions = [...this.#sessions]
    for (const session of sessions) session.close('the collector is closing')
    await Promise.all(sessions.map((session) => session.ended))
  }

  async #take(session: SubscriberSession): Promise<void> {
    this.#sessions.add(session)
    void session.ended.then(() => this.#sessions.delete(session))
    try {
      const about = parseAbout(await session.request('about', {}, REMOTE_ANSWER_MS))
      const remote = new Remote(new SingleSession({ session, about }), about)
      void session.ended.then((error) => remote.noteState({ kind: 'closed', error }))
      this.#options.onPublisher(remote)
    } catch (error) {
      session.close('the publisher did not say who it is')
      throw error
    }
  }
}
