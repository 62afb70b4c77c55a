import { EventEmitter } from 'node:events'
import { type Clock, SystemClock } from '../base/clock'
import { type FlogError, invalidOption } from '../base/errors'
import { REMOTE_ANSWER_MS } from '../base/limits'
import { type Random, systemRandom } from '../base/random'
import { parseSeverity } from '../event/severity'
import type { IncidentSummary } from '../incident/header'
import type { BackoffOptions } from './backoff'
import { Connection, type ConnectionState, isLost, type Sessions } from './connection'
import { type FetchedIncident, type FetchProgress, fetchIncident } from './fetch'
import { type IncidentNews, incidentNews } from './incidents'
import { type Logport, parseLogport } from './logport'
import type { AboutResult, IncidentPage } from './protocol'
import { parseList, parseSummary } from './shapes'
import { type TailItem, tailEvents } from './tail'

export interface ConnectOptions {
  /** Gives up connecting, and closes the remote later on. */
  readonly signal?: AbortSignal
  /** Connect again when the connection is lost; default true. */
  readonly reconnect?: boolean
  /** Keep trying where nobody answers the first time; default false: `connect` then rejects. */
  readonly waitForPublisher?: boolean
  readonly backoff?: BackoffOptions
  /** Told of every change of the connection, from the first attempt on. Must not throw. */
  readonly onConnection?: (state: ConnectionState) => void
  /** Whether connection, and waiting for the next one, keep the process alive; default true. */
  readonly keepAlive?: boolean
  readonly clock?: Clock
  readonly random?: Random
}

export interface ListOptions {
  /** A cursor of an earlier list or subscription: only what was not delivered up to it. */
  readonly since?: string
  /** Finished incidents in one page, 1–1000; default 100. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

export interface FetchOptions {
  /** Directory that gets the file; made where it is not there. */
  readonly to: string
  readonly signal?: AbortSignal
  /** The largest file that is taken, in bytes; default 4 GiB, more than any incident has. */
  readonly maxBytes?: number
  /** Told after each piece. Must not throw. */
  readonly onProgress?: (progress: FetchProgress) => void
}

export interface SubscribeOptions {
  /** A cursor of an earlier list or subscription. */
  readonly since?: string
  /** Begin with all that is there; default false. A `since` always begins where it was. */
  readonly catchUp?: boolean
  readonly signal?: AbortSignal
}

export interface TailOptions {
  /** Name or number of the lowest severity; default trace. */
  readonly severity?: string | number
  /** Only this facility and what lies under it. */
  readonly facility?: string
  /** Only events with this text, in any case, in message, facility, a field's value or error. */
  readonly grep?: string
  /** Begin with what the rings hold; default false: with what comes. */
  readonly catchUp?: boolean
  readonly signal?: AbortSignal
}

/** One publisher, seen from here. Emits `connection` with a {@link ConnectionState}. */
export class Remote extends EventEmitter<{ connection: [ConnectionState] }> {
  readonly #sessions: Sessions
  #about: AboutResult

  /** @internal use {@link connect} */
  constructor(sessions: Sessions, about: AboutResult) {
    super()
    this.#sessions = sessions
    this.#about = about
  }

  /** Who publishes, as of the last connection; a process that restarted has another `incarnation`. */
  get about(): AboutResult {
    return this.#about
  }

  /** @internal */
  noteState(state: ConnectionState): void {
    if (state.kind === 'connected') this.#about = state.about
    this.emit('connection', state)
  }

  /**
   * A page of finished incidents, oldest first; and with the last page the open ones, which move no cursor.
   * For the next page, or for what is new later on, pass the page's `cursor` as `since`.
   * @throws FlogError FLOG_CURSOR_INVALID, FLOG_ABORTED, FLOG_CLOSED
   */
  async listIncidents({ signal, ...params }: ListOptions = {}): Promise<IncidentPage> {
    for (;;) {
      const { session } = await this.#sessions.next(signal)
      try {
        return parseList(await session.request('list', params, REMOTE_ANSWER_MS, signal))
      } catch (error) {
        if (!isLost(error)) throw error
      }
    }
  }

  /**
   * Brings an incident's file here, resuming what an earlier fetch left; an open incident comes as a
   * snapshot.
   * @throws FlogError FLOG_INCIDENT_UNKNOWN, FLOG_FETCH_TOO_LARGE, FLOG_FETCH_MISMATCH, FLOG_FETCH_FAILED, FLOG_ABORTED
   * (the part stays)
   */
  fetchIncident(id: string, { to, maxBytes, signal, onProgress }: FetchOptions): Promise<FetchedIncident> {
    return fetchIncident(this.#sessions, { id, to, maxBytes, signal, onProgress })
  }

  /**
   * Incidents as they are finished, each once, without a gap, across connections. Ends with FLOG_ABORTED at
   * the signal.
   */
  subscribeToIncidents({
    signal,
    ...request
  }: SubscribeOptions = {}): AsyncGenerator<IncidentNews, void, void> {
    return incidentNews(this.#sessions, request, signal)
  }

  /**
   * Events as they are logged, without gap or repeat across connections; between them notices of what was
   * missed. Ends with FLOG_ABORTED at the signal.
   * @throws FlogError FLOG_OPTION_INVALID at once for a severity that is none
   */
  tail({
    severity,
    facility,
    grep,
    catchUp,
    signal,
  }: TailOptions = {}): AsyncGenerator<TailItem, void, void> {
    const request = {
      from: catchUp === true ? 'oldest' : 'now',
      ...(severity !== undefined && { severity: parseSeverity('severity', severity) }),
      ...(facility !== undefined && { facility }),
      ...(grep !== undefined && { text: grep }),
    }
    return tailEvents(this.#sessions, request, signal)
  }

  /**
   * Asks for an incident now; takes the control logport.
   * @returns its summary, or undefined where the publisher's limits held it back
   * @throws FlogError FLOG_REMOTE_FORBIDDEN; FLOG_REMOTE_LOST where it is not known whether it was made
   */
  async capture(
    reason: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<IncidentSummary | undefined> {
    const { session } = await this.#sessions.next(signal)
    const result = await session.request('capture', { reason }, REMOTE_ANSWER_MS, signal)
    return result === null ? undefined : parseSummary(result)
  }

  /** Ends the connection and everything under way with FLOG_CLOSED. Idempotent. */
  close(): Promise<void> {
    return this.#sessions.close()
  }
}

/**
 * Connects to a publisher.
 * @param logport a logport URL, or what {@link parseLogport} made of one
 * @throws FlogError FLOG_LOGPORT_INVALID, FLOG_REMOTE_UNREACHABLE, FLOG_REMOTE_UNTRUSTED,
 * FLOG_REMOTE_REFUSED, FLOG_ABORTED
 */
export async function connect(logport: string | Logport, options: ConnectOptions = {}): Promise<Remote> {
  if (typeof logport !== 'string' && typeof logport !== 'object')
    throw invalidOption('logport', 'a logport URL', logport)
  const parsed = typeof logport === 'string' ? parseLogport(logport) : logport
  let remote: Remote | undefined
  let firstFailure: (error: FlogError) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    firstFailure = reject
  })
  const connection = new Connection(parsed, {
    clock: options.clock ?? new SystemClock(),
    random: options.random ?? systemRandom,
    ...(options.backoff !== undefined && { backoff: options.backoff }),
    reconnect: options.reconnect ?? true,
    keepAlive: options.keepAlive ?? true,
    onState: (state) => {
      options.onConnection?.(state)
      remote?.noteState(state)
      if (state.kind === 'waiting' && options.waitForPublisher !== true) firstFailure(state.error)
    },
  })
  const close = (): void => void connection.close()
  options.signal?.addEventListener('abort', close, { once: true })
  void connection.closed.then(() => options.signal?.removeEventListener('abort', close))
  try {
    const { about } = await Promise.race([connection.next(options.signal), failed])
    remote = new Remote(connection, about)
    return remote
  } catch (error) {
    await connection.close()
    throw error
  } finally {
    failed.catch(() => undefined)
  }
}
