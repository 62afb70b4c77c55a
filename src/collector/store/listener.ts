import type { ClientConfig } from 'pg'
import type { Clock, Timer } from '../../base/clock'
import { FlogError } from '../../base/errors'
import {
  DATABASE_CONNECT_MS,
  DATABASE_LISTEN_PING_MS,
  DATABASE_RECONNECT_MAX_MS,
  DATABASE_RECONNECT_MS,
} from '../../base/limits'
import type { Random } from '../../base/random'
import { Channels, type Notice } from './channels'
import type { Listening } from './database'
import { cutOff, driver } from './driver'
import { databaseFailure } from './failures'

export interface ListenerOptions {
  readonly config: ClientConfig
  readonly where: string
  readonly clock: Clock
  readonly random: Random
}

/**
 * One connection for all that is listened to, apart from the pool, made with the first channel.
 *
 * ```
 *   idle ──listen()──> connecting ──> listening ──lost──> waiting ──> connecting …
 *     ^                                   │
 *     └─────────── last close() ──────────┘
 * ```
 * A connection that is cut off somewhere in between tells nobody: it is asked for a sign of life now and then.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #channels = new Channels()
  #client: import('pg').Client | undefined
  #connecting: Promise<void> | undefined
  #waiting: Timer | undefined
  #failures = 0
  #closed = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** @throws FlogError FLOG_CLOSED, FLOG_DATABASE_UNREACHABLE, … where it cannot be listened to now */
  async listen(channel: string, onNotice: Notice): Promise<Listening> {
    if (this.#closed) throw new FlogError('FLOG_CLOSED', `the database ${this.#options.where} was closed`)
    const isNew = this.#channels.add(channel, onNotice)
    try {
      if (this.#client !== undefined) {
        if (isNew) await run(this.#client, listenTo(channel))
      } else {
        await this.#connect()
      }
    } catch (error) {
      this.#channels.remove(channel, onNotice)
      throw databaseFailure(error, { where: this.#options.where, statement: listenTo(channel) })
    }
    return { close: async () => this.#stop(channel, onNotice) }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waiting?.cancel()
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  async #stop(channel: string, onNotice: Notice): Promise<void> {
    const isLast = this.#channels.remove(channel, onNotice)
    if (!isLast || this.#client === undefined) return
    // Where it fails the connection is lost, and the next one does not listen to it.
    await run(this.#client, `UNLISTEN ${quoted(channel)}`).catch(() => {})
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<void> {
    this.#waiting?.cancel()
    const { Client } = driver()
    const client = new Client({ connectionTimeoutMillis: DATABASE_CONNECT_MS, ...this.#options.config })
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    client.on('notification', ({ channel, payload }) => this.#channels.tell(channel, payload ?? ''))
    try {
      await client.connect()
      for (const channel of this.#channels.names()) await run(client, listenTo(channel))
    } catch (error) {
      cutOff(client)
      throw error
    }
    if (this.#closed) await client.end().catch(() => {})
    else this.#client = client
    this.#failures = 0
    this.#watch(client)
  }

  #lost(client: import('pg').Client): void {
    if (this.#client !== client) return
    this.#client = undefined
    cutOff(client)
    this.#later()
  }

  #later(): void {
    if (this.#closed) return
    const { clock, random } = this.#options
    const bound = Math.min(DATABASE_RECONNECT_MAX_MS, DATABASE_RECONNECT_MS * 2 ** this.#failures++)
    this.#waiting = clock.after(bound * (0.5 + random.fraction() / 2), () => {
      this.#connect().then(
        () => this.#channels.tellAll(),
        () => this.#later(),
      )
    })
  }

  #watch(client: import('pg').Client): void {
    const { clock } = this.#options
    const ask = () => {
      if (this.#client !== client) return
      const silent = clock.after(DATABASE_CONNECT_MS, () => this.#lost(client))
      run(client, 'SELECT 1').then(
        () => {
          silent.cancel()
          clock.after(DATABASE_LISTEN_PING_MS, ask)
        },
        () => {
          silent.cancel()
          this.#lost(client)
        },
      )
    }
    clock.after(DATABASE_LISTEN_PING_MS, ask)
  }
}

async function run(client: import('pg').Client, text: string): Promise<void> {
  await client.query(text)
}

function listenTo(channel: string): string {
  return `LISTEN ${quoted(channel)}`
}

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
