import { type ConnectOptions, connect, type Remote } from '../../src/remote/client'
import type { ConnectionState } from '../../src/remote/connection'
import { addressOf, type Logport } from '../../src/remote/logport'
import { duration } from './show/time'
import { escapeLine } from './terminal'
import type { Surroundings } from './verb'

/**
 * Connects for one command, and says on standard error when the connection is lost and when it is back.
 * @throws FlogError of `connect`
 */
export async function connectRemote(
  logport: Logport,
  io: Surroundings,
  options: ConnectOptions = {},
): Promise<Remote> {
  const watch = new ConnectionTalk(addressOf(logport), io)
  return connect(logport, {
    signal: io.signal,
    clock: io.clock,
    ...options,
    onConnection: (state) => watch.tell(state),
  })
}

/** The first connection is not worth a word, except to the verb itself. */
class ConnectionTalk {
  readonly #address: string
  readonly #io: Surroundings
  #state: 'new' | 'connected' | 'lost' = 'new'

  constructor(address: string, io: Surroundings) {
    this.#address = address
    this.#io = io
  }

  tell(state: ConnectionState): void {
    if (state.kind === 'connected') {
      if (this.#state === 'lost') this.#io.talk(`flog: connected again to ${this.#address}`)
      this.#state = 'connected'
    } else if (state.kind === 'waiting' && this.#state !== 'new') {
      const reason = escapeLine(state.error.message)
      if (this.#state === 'connected') this.#io.talk(`flog: connection to ${this.#address} lost (${reason})`)
      this.#state = 'lost'
      if (state.ms >= 1000) this.#io.talk(`flog: trying again in ${duration(state.ms * 1000)}`)
    }
  }
}

/** `shop 1.4.2 on web-1, pid 4711`. */
export function publisherText({ about }: Remote): string {
  const name = about.version === '' ? about.service : `${about.service} ${about.version}`
  return escapeLine(`${name} on ${about.host}, pid ${about.pid}`)
}
