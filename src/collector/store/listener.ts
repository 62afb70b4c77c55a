import type { ClientConfig } from 'pg'
import type { Clock, Timer } from '../../base/clock'
import { FlogError } from '../../base/errors'
import { DATABASE_LISTEN_PING_MS, DATABASE_RECONNECT_MAX_MS, DATABASE_RECONNECT_MS } from '../../base/limits'
import type { Random } from '../../base/random'
import { Channels, listenTo, type Notice, stopListening } from './channels'
import type { Listening } from './database'
import { cutOff, driver } from './driver'
import { databaseFailure } from './failures'

export interface ListenerOptions {
  readonly config: ClientConfig
  readonly where: string
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds for a connection to be made, to give a sign of life, and to say goodbye. */
  readonly connectMs: number
}

/** A connection, and what it was told to listen to. */
interface Line {
  readonly client: import('pg').Client
  readonly told: Map<string, Promise<void>>
  /** Settles when it has answered all that it was told until now. */
  last: Promise<void>
}

/**
 * One connection for all that is listened to, apart from the pool, made with the first channel.
 *
 * ```
 *   idle ──listen()──> connecting ──> listening ──lost──> waiting ──> connecting …
 * ```
 * A connection that is cut off somewhere in between tells nobody: it is asked for a sign of life now and then.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #channels = new Channels()
  #line: Line | undefined
  #connecting: Promise<Line> | undefined
  /** Until the next attempt to connect, or until the next question for a sign of life. */
  #timer: Timer | undefined
  #failures = 0
  #hasMissed = false
  #closed = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** @throws FlogError FLOG_CLOSED, FLOG_DATABASE_UNREACHABLE, … where it cannot be listened to now */
  async listen(channel: string, onNotice: Notice): Promise<Listening> {
    this.#refuseClosed()
    this.#channels.add(channel, onNotice)
    try {
      await told(this.#line ?? (await this.#connect()), channel)
    } catch (error) {
      this.#channels.remove(channel, onNotice)
      throw databaseFailure(error, { where: this.#options.where, statement: listenTo(channel) })
    }
    return { close: async () => this.#stop(channel, onNotice) }
  }

  /** Idempotent. A database that does not take its leave is left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    const line = this.#line ?? (await this.#connecting?.catch(() => undefined))
    this.#line = undefined
    if (line === undefined) return
    const late = this.#options.clock.after(this.#options.connectMs, () => cutOff(line.client))
    await line.client.end().catch(() => {})
    late.cancel()
  }

  #refuseClosed(): void {
    if (this.#closed) throw new FlogError('FLOG_CLOSED', `the database ${this.#options.where} was closed`)
  }

  async #stop(channel: string, onNotice: Notice): Promise<void> {
    const isLast = this.#channels.remove(channel, onNotice)
    if (!isLast || this.#line?.told.delete(channel) !== true) return
    // Where it fails the connection is lost, and the next one does not listen to it.
    await say(this.#line, stopListening(channel)).catch(() => {})
  }

  /** Whoever else waits for a connection waits for this one; where it fails, for the next. */
  #connect(): Promise<Line> {
    this.#timer?.cancel()
    this.#connecting ??= this.#open()
      .catch((error: unknown) => {
        if (this.#hasMissed) this.#later()
        throw error
      })
      .finally(() => {
        this.#connecting = undefined
      })
    return this.#connecting
  }

  async #open(): Promise<Line> {
    const { Client } = driver()
    const client = new Client(this.#options.config)
    const line: Line = { client, told: new Map(), last: Promise.resolve() }
    client.on('error', () => this.#lost(line))
    client.on('end', () => this.#lost(line))
    client.on('notification', ({ channel, payload }) => this.#channels.tell(channel, payload ?? ''))
    try {
      await client.connect()
      await Promise.all(this.#channels.names().map((channel) => told(line, channel)))
      this.#refuseClosed()
    } catch (error) {
      cutOff(client)
      throw error
    }
    this.#line = line
    this.#failures = 0
    this.#askLater(line)
    if (this.#hasMissed) this.#channels.tellAll()
    this.#hasMissed = false
    return line
  }

  #lost(line: Line): void {
    if (this.#line !== line) return
    this.#line = undefined
    this.#hasMissed = true
    cutOff(line.client)
    this.#later()
  }

  #later(): void {
    this.#timer?.cancel()
    if (this.#closed) return
    const { clock, random } = this.#options
    const bound = Math.min(DATABASE_RECONNECT_MAX_MS, DATABASE_RECONNECT_MS * 2 ** this.#failures++)
    this.#timer = clock.after(bound * (0.5 + random.fraction() / 2), () => {
      // Where it fails the next attempt is due already.
      this.#connect().catch(() => {})
    })
  }

  #askLater(line: Line): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(DATABASE_LISTEN_PING_MS, () => this.#ask(line))
  }

  #ask(line: Line): void {
    const silent = this.#options.clock.after(this.#options.connectMs, () => this.#lost(line))
    this.#timer = silent
    say(line, 'SELECT 1').then(
      () => {
        silent.cancel()
        if (this.#line === line) this.#askLater(line)
      },
      () => this.#lost(line),
    )
  }
}

/** Resolves when the database listens to the channel for us. */
function told(line: Line, channel: string): Promise<void> {
  const known = line.told.get(channel)
  if (known !== undefined) return known
  const telling = say(line, listenTo(channel))
  line.told.set(channel, telling)
  telling.catch(() => line.told.delete(channel))
  return telling
}

/** One after the other: pg takes no second statement while it is at the first. */
function say(line: Line, text: string): Promise<void> {
  const said = line.last.then(async () => {
    await line.client.query(text)
  })
  line.last = said.catch(() => {})
  return said
}
