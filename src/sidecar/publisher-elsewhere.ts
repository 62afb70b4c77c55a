import { FlogError } from '../base/errors'
import type { DialOutOptions } from '../remote/dial-out'
import type { PublishOptions } from '../remote/publish-process'
import type { DialledOut, Publisher, PublisherStats } from '../remote/publisher'
import { type Calls, errorOf, type Failure } from './calls'
import type { DialledState, Published, SidecarService } from './setup'

export interface ElsewhereOptions {
  readonly stats: (publisher: number) => PublisherStats | undefined
  readonly onClose: () => void
}

const NO_STATS: PublisherStats = {
  connections: 0,
  unauthenticated: 0,
  tails: 0,
  accepted: 0,
  turnedAway: 0,
  refused: 0,
  malformed: 0,
}

/** A publisher that runs in the second thread, as the app sees it. Started again in a new thread, it has the same logports. */
export class PublisherElsewhere implements Publisher {
  #options: PublishOptions
  readonly #elsewhere: ElsewhereOptions
  #calls: Calls<SidecarService> | undefined
  #published: Published | undefined
  readonly #dialled = new Map<number, Dialled>()
  #closing: Promise<void> | undefined

  constructor(options: PublishOptions, elsewhere: ElsewhereOptions) {
    this.#options = options
    this.#elsewhere = elsewhere
  }

  /** @throws FlogError as `createPublisher` */
  async start(calls: Calls<SidecarService>): Promise<void> {
    this.#calls = calls
    this.#published = await calls.ask('publish', this.#options)
    this.#options = { ...this.#options, port: this.#published.port }
    for (const [dialled, to] of this.#dialled) this.#dial(dialled, to)
  }

  get url(): string {
    return this.#made.url
  }

  get controlUrl(): string {
    return this.#made.controlUrl
  }

  get port(): number {
    return this.#made.port
  }

  get logportFile(): string {
    return this.#made.logportFile
  }

  get controlLogportFile(): string {
    return this.#made.controlLogportFile
  }

  /** As of a second ago at most. */
  stats(): PublisherStats {
    return this.#elsewhere.stats(this.#made.publisher) ?? NO_STATS
  }

  dialOut(logport: string, options: DialOutOptions = {}): DialledOut {
    if (this.#closing !== undefined) throw new FlogError('FLOG_CLOSED', 'the publisher is closed')
    const { checkDialled, parseLogport } = require('../remote/logport') as typeof import('../remote/logport')
    checkDialled(parseLogport(logport))
    const dialled = nextDialled++
    this.#dialled.set(dialled, { logport, options })
    this.#dial(dialled, { logport, options })
    return {
      close: async () => {
        this.#dialled.delete(dialled)
        await this.#ask((calls) => calls.ask('hangUp', dialled))
      },
    }
  }

  /** What became of a connection, which may be another publisher's. */
  noteState(dialled: number, state: DialledState): void {
    const onState = this.#dialled.get(dialled)?.options.onState
    if (state.kind === 'connected') onState?.(state)
    else {
      const { kind, ms, failure } = state
      onState?.({ kind, ms, error: toFlogError(failure) })
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  get #made(): Published {
    if (this.#published === undefined)
      throw new FlogError('FLOG_CLOSED', 'the publisher has not been started')
    return this.#published
  }

  async #close(): Promise<void> {
    this.#elsewhere.onClose()
    await this.#ask((calls) => calls.ask('unpublish', this.#made.publisher))
  }

  #dial(dialled: number, { logport, options: { allow = 'read' } }: Dialled): void {
    this.#calls?.tell('dialOut', { publisher: this.#made.publisher, dialled, logport, allow })
  }

  /** A thread that ended has closed everything that it had. */
  async #ask(action: (calls: Calls<SidecarService>) => Promise<unknown>): Promise<void> {
    try {
      if (this.#calls !== undefined) await action(this.#calls)
    } catch (error) {
      if (!FlogError.is(error, 'FLOG_CLOSED')) throw error
    }
  }
}

interface Dialled {
  readonly logport: string
  readonly options: DialOutOptions
}

/** Of this thread: each publisher is told of all connections. */
let nextDialled = 1

function toFlogError(failure: Failure): FlogError {
  const error = errorOf(failure)
  return FlogError.is(error) ? error : new FlogError('FLOG_REMOTE_FAILED', error.message)
}
