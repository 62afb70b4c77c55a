import TransportStream from 'winston-transport'
import { FlogError, messageOf } from '../../base/errors'
import { INFO, severityOf } from '../../event/severity'
import type { Capture } from '../../recorder/capture'
import { createRecorder, type Recorder } from '../../recorder/recorder'
import { LoggerFeed, type Note, type Receiver } from './feed'
import { FinishListeners } from './finish-listeners'
import { facilityOf, type Info, isInfo, levelOf, recordInfo } from './info'
import { leastSevereLevel, loggerOf, type WinstonLogger } from './logger'
import { type IncidentTransportOptions, parseTransportOptions, type TransportSettings } from './options'
import { Tap } from './tap'

/**
 * Records everything that a winston logger is told, down to its least severe level, and writes an incident file when
 * something goes wrong.
 *
 * ```ts
 * const transport = new IncidentTransport({ directory: './incidents' })
 * winston.createLogger({ transports: [new winston.transports.Console({ level: 'info' }), transport] })
 * ```
 *
 * Time, order and context of an event are those of the call that logged it, and it is recorded within that call, also
 * while another transport of the logger is slow or stuck. What other transports get does not change. With this transport
 * `logger.isLevelEnabled('debug')` is true, since somebody takes it; the option `level` asks for less.
 *
 * An event is what the logger's format, then the transport's own, made of the info; one that a format drops is not
 * recorded, and one on which a format throws is recorded as it was logged, with a field `formatFailed`. Where a sibling
 * is behind, the logger's format runs twice on an info, the first time on a copy.
 *
 * It may be given to several loggers, and be removed and added while they run. It is closed with the last of them.
 */
export class IncidentTransport extends TransportStream {
  readonly name = 'incident'
  readonly #settings: TransportSettings
  readonly #finishing: FinishListeners
  readonly #receiver: Receiver & { events: Capture }
  #recorder: Recorder
  #feeds: readonly LoggerFeed[] = []
  /** The level that was taken from the logger, and lets everything through. */
  #everything: string | undefined
  #closing: Promise<void> | undefined
  #warned = false
  /** Whether anybody ever listened for `logged`. */
  #tells = false

  /** @throws FlogError FLOG_OPTION_INVALID naming the option */
  constructor(options: IncidentTransportOptions = {}) {
    const settings = parseTransportOptions(options)
    super(settings.stream)
    this.#settings = settings
    this.#recorder = settings.recorder ?? createRecorder(settings.recorderOptions)
    this.#finishing = new FinishListeners(this)
    this.#receiver = this.#makeReceiver()
    // The base class knows one logger, the first, and closes for good when that one lets go.
    this.removeAllListeners('pipe').removeAllListeners('unpipe')
    this.on('pipe', (source: unknown) => this.#attach(source))
    this.on('unpipe', (source: unknown) => this.#detach(source))
    this.on('newListener', (event: string) => {
      if (event === 'logged') this.#tells = true
    })
    this.setMaxListeners(30)
  }

  /** What the events go into. Where the transport made it, and is added again after it was closed, it is a new one. */
  get recorder(): Recorder {
    return this.#recorder
  }

  /** Nothing is ever queued: the info is recorded, or not, when this returns true, which it always does. */
  override write(info: unknown, encodingOrDone?: unknown, done?: unknown): boolean {
    if (isInfo(info)) this.#arrive(info)
    this.#finishIfEnding()
    if (encodingOrDone !== undefined || done !== undefined) callSoon(encodingOrDone, done)
    return true
  }

  /** For who hands over an info past the stream, as winston's `exceptionHandlers` do. */
  override log(info: unknown, next?: () => void): void {
    if (isInfo(info)) this.#keep(info, this.#feeds[0], undefined)
    this.#finishIfEnding()
    next?.()
  }

  /** Settles when every incident whose window is over is finished on disk. An open window is not waited for. */
  flush(): Promise<void> {
    return this.#recorder.flush()
  }

  /**
   * Stops recording. Where the transport made its recorder, that one is closed too: an open window ends, and its file is
   * finished when the promise settles. Idempotent, until the transport is added to a logger again.
   */
  override close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Ends with the last logger that it is given to: one that ends while others go on is answered, and let go. */
  override end(...args: never[]): this {
    const goesOn = this.#feeds.some((feed) => feed.logger.writable !== false)
    const ends = this.#feeds.some((feed) => feed.logger.writable === false)
    if (goesOn && ends) this.#finishing.tellSoon()
    else super.end(...args)
    return this
  }

  override _final(done: (error?: Error | null) => void): void {
    const closed = this.close()
    // A recorder that was given goes on, and what it was told is with the system already.
    if (this.#settings.recorder === undefined) void closed.then(() => done(), done)
    else done()
  }

  #makeReceiver(): Receiver & { events: Capture } {
    return {
      events: this.#recorder.events,
      receive: (info, feed, note) => {
        try {
          this.#pass(info, feed, note)
        } catch (error) {
          this.#warn(error)
        }
      },
      receiveUnformatted: (info, feed, note, failure) => {
        try {
          if (this.#takes(info, feed)) this.#record(info, feed, note, { formatFailed: failure })
        } catch (error) {
          this.#recordUnreadable(note, error)
        }
      },
      done: () => this.#finishIfEnding(),
    }
  }

  #arrive(info: Info): void {
    const feeds = this.#feeds
    for (let i = 0; i < feeds.length; i++) {
      const note = feeds[i]?.take(info)
      if (note !== undefined) {
        this.#pass(info, feeds[i], note)
        return
      }
    }
    for (const feed of feeds) if (feed.skips(info)) return
    this.#pass(info, feeds[0], undefined)
  }

  /** Filters and formats as winston does for any transport. */
  #pass(info: Info, feed: LoggerFeed | undefined, note: Note | undefined): void {
    if (!this.#takes(info, feed)) return
    const result = this.format === undefined ? info : this.#formatted(info, feed, note)
    if (!isInfo(result)) return
    this.#keep(result, feed, note)
  }

  #keep(info: Info, feed: LoggerFeed | undefined, note: Note | undefined): void {
    this.#record(info, feed, note)
    if (this.#tells && this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info))
  }

  #formatted(info: Info, feed: LoggerFeed | undefined, note: Note | undefined): unknown {
    try {
      return this.format?.transform(Object.assign({}, info) as never, this.format.options)
    } catch (error) {
      this.#record(info, feed, note, { formatFailed: messageOf(error) })
      throw error
    }
  }

  #takes(info: Info, feed: LoggerFeed | undefined): boolean {
    if (this.silent === true) return false
    if (this.handleExceptions !== true && info['exception'] === true) return false
    const logger = feed?.logger
    const level = this.level ?? logger?.level
    if (level === this.#everything || level === undefined || logger === undefined) return true
    const rank = logger.levels[String(levelOf(info))]
    return rank !== undefined && Number(logger.levels[level]) >= rank
  }

  #record(
    info: Info,
    feed: LoggerFeed | undefined,
    note: Note | undefined,
    marks?: Readonly<Record<string, unknown>>,
  ): void {
    if (this.#closing !== undefined) return
    try {
      const severity = severityIn(feed, levelOf(info))
      recordInfo(
        this.#recorder.events,
        info,
        severity,
        facilityOf(info, this.#settings.facility),
        note,
        marks,
      )
    } catch (error) {
      this.#recordUnreadable(note, error)
    }
  }

  /** Where something was logged is worth knowing even if it cannot be said what. */
  #recordUnreadable(note: Note | undefined, error: unknown): void {
    this.#recorder.events.record(INFO, note?.message ?? UNREADABLE, '', undefined, undefined, note)
    this.#warn(error)
  }

  /** winston has seen an uncaught error, and ends the process when we are done with it. */
  #finishIfEnding(): void {
    const state = this as { _ending?: boolean }
    if (state._ending !== true) return
    state._ending = false
    this.#finishing.tellSoon()
  }

  #attach(source: unknown): void {
    this.#finishing.piped()
    this.#reopen()
    const logger = loggerOf(source)
    if (logger === undefined) return
    const feed = new LoggerFeed(logger, this.#receiver, this.#settings.severities)
    if (this.level === undefined) this.#takeEverythingOf(logger)
    this.#feeds = [...this.#feeds, feed]
    Tap.of(logger).attach(feed)
  }

  /** `logger.configure()` lets go of its transports and takes them again at once: that is no end. */
  #detach(source: unknown): void {
    const logger = loggerOf(source)
    const feed = this.#feeds.find((candidate) => candidate.logger === logger)
    if (feed === undefined) return
    Tap.of(feed.logger).detach(feed)
    this.#feeds = this.#feeds.filter((other) => other !== feed)
    queueMicrotask(() => {
      if (this.#feeds.length === 0) void this.close()
    })
  }

  #takeEverythingOf(logger: WinstonLogger): void {
    const level = leastSevereLevel(logger.levels)
    if (level === undefined) return
    this.level = level
    this.#everything = level
  }

  #reopen(): void {
    if (this.#closing === undefined) return
    this.#closing = undefined
    if (this.#settings.recorder !== undefined) return
    this.#recorder = createRecorder(this.#settings.recorderOptions)
    this.#receiver.events = this.#recorder.events
  }

  async #close(): Promise<void> {
    if (this.#settings.recorder === undefined) await this.#recorder.close()
  }

  /** Trouble of our own is told once, as winston's transports do, and never as `error`, which would end the program. */
  #warn(cause: unknown): void {
    if (this.#warned) return
    this.#warned = true
    const message = `what was logged could not be read: ${messageOf(cause)}`
    try {
      this.emit('warn', new FlogError('FLOG_EVENT_LOST', message, { cause }))
    } catch {
      // Whoever listens and throws has been told as well as can be.
    }
  }
}

const UNREADABLE = 'an event that could not be read'

function severityIn(feed: LoggerFeed | undefined, level: unknown): number {
  if (feed !== undefined) return feed.severity(level)
  return (typeof level === 'string' ? severityOf(level) : undefined) ?? INFO
}

function callSoon(...callbacks: readonly unknown[]): void {
  const callback = callbacks.find((candidate) => typeof candidate === 'function')
  if (callback !== undefined) process.nextTick(callback as () => void)
}
