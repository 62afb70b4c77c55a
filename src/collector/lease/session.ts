import type { Clock } from '../../base/clock'
import { SystemClock } from '../../base/clock'
import { FlogError, invalidOption } from '../../base/errors'
import {
  LEASE_CLOSE_MS,
  LEASE_INTERVAL_MAX_MS,
  LEASE_INTERVAL_MIN_MS,
  LEASE_INTERVAL_MS,
} from '../../base/limits'
import { parseWhole } from '../../base/numbers'
import { type Random, systemRandom } from '../../base/random'
import type { Database, Listening, Transaction, TransactionOptions } from '../store/database'
import { TRAITS } from '../store/dialect'
import { type Claimed, claim, type Retrieve } from './claim'
import { Heartbeat } from './heartbeat'
import { type LeaseMetrics, NO_METRICS } from './metrics'
import { announce, announceLoss, hearOfLoss } from './notifier'
import type { Processes } from './processes'
import { endSession, type HeldRow, insertSession, isSessionAlive, pokeSession } from './session-row'
import { lost, release } from './settle'
import { Strays } from './strays'
import { timeout } from './timeout'
import { Work } from './work'

export interface SessionOptions {
  /** What part of the program this is, for people and for metrics: `claims`, `scheduler`. */
  readonly component: string
  /** Host, process id, version: for people. */
  readonly runtimeInfo?: string
  /** Milliseconds after which a session that is not heard of is dead; 1,000 to an hour, default 15,000. Poked at a third. */
  readonly intervalMs?: number
  readonly processes: Processes
  readonly metrics?: LeaseMetrics
  readonly clock?: Clock
  readonly random?: Random
  /** What went wrong where nobody is there to be told: the failures of `cancel`, and a missing backoff. */
  readonly onTrouble?: (error: unknown) => void
}

export interface WorkOptions {
  /** Takes also what is to be left alone for a while after a failure; never what is on the dead list. */
  readonly ignoreBackoff?: boolean
}

/**
 * A lease on the right to work, kept alive in the background. Once expired or closed it stays so: begin a new one.
 * @throws FlogError FLOG_OPTION_INVALID, and what the database throws
 */
export async function startSession(database: Database, options: SessionOptions): Promise<Session> {
  const { component, runtimeInfo = '', processes, metrics = NO_METRICS } = options
  const { clock = new SystemClock(), random = systemRandom, onTrouble = () => {} } = options
  if (component === '') throw invalidOption('component', 'a name', component)
  const wanted = options.intervalMs ?? LEASE_INTERVAL_MS
  const intervalMs = parseWhole('intervalMs', wanted, LEASE_INTERVAL_MIN_MS, LEASE_INTERVAL_MAX_MS)
  const sentAt = clock.monotonic()
  const id = await insertSession(database, { component, runtimeInfo, intervalMs })
  metrics.count('session_started', { processor: component })
  const parts = { database, processes, metrics, clock, random, onTrouble }
  return new Session(id, component, intervalMs, parts, sentAt)
}

interface Parts {
  readonly database: Database
  readonly processes: Processes
  readonly metrics: LeaseMetrics
  readonly clock: Clock
  readonly random: Random
  readonly onTrouble: (error: unknown) => void
}

export class Session {
  readonly id: string
  readonly #component: string
  readonly #parts: Parts
  readonly #heartbeat: Heartbeat
  /** Tells those who work under the session to stop: at once when it is closed. */
  readonly #ended = new AbortController()
  /** Breaks off transactions: those that are under way when the session is closed may still end. */
  readonly #broken = new AbortController()
  readonly #held = new Set<Work>()
  /** Still ours in the database, and nobody's here. */
  readonly #abandoned = new Set<Work>()
  readonly #strays = new Strays()
  readonly #running = new Set<Promise<unknown>>()
  readonly #listening: Promise<Listening | undefined>
  #end: FlogError | undefined
  #closing: Promise<void> | undefined

  /** Use {@link startSession}. */
  constructor(id: string, component: string, intervalMs: number, parts: Parts, sentAt: number) {
    this.id = id
    this.#component = component
    this.#parts = parts
    const { clock, random } = parts
    const onLost = (why: string, cause: unknown) => this.#expire(why, cause)
    this.#heartbeat = new Heartbeat({ clock, random, intervalMs, poke: () => this.#poke(), onLost }, sentAt)
    // Without it the next heartbeat tells.
    this.#listening = hearOfLoss(parts.database, id, () => this.#heartbeat.beatNow()).catch(() => undefined)
  }

  /** Aborts when the session expires, which is before the database lets others have its work, or is closed. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get expired(): boolean {
    this.#heartbeat.check()
    return this.#end !== undefined
  }

  /** Milliseconds for which the session can still be counted on without hearing from the database. */
  get remainingMs(): number {
    if (this.expired) return 0
    return Math.max(0, this.#heartbeat.confirmedUntil - this.#parts.clock.monotonic())
  }

  /**
   * Runs `run` in a transaction that holds only while the session does. It may run several times, so it must have no
   * effects outside of the database.
   * @throws FlogError FLOG_SESSION_EXPIRED, without asking the database when that is known already; and what `run` throws
   */
  async transact<T>(run: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    this.#assertLive()
    const { metrics } = this.#parts
    const labels = { processor: this.#component }
    const broken = this.#broken.signal
    let attempt = 0
    const transaction = this.#parts.database.transaction(
      async (tx) => {
        metrics.count(attempt++ === 0 ? 'transaction_executed' : 'transaction_retried', labels)
        await this.#assertAlive(tx)
        const value = await run(tx)
        // Where a session cannot be held on to without holding up its heartbeat it is looked at twice.
        if (!this.#holds) await this.#assertAlive(tx)
        return value
      },
      {
        ...options,
        signal: options.signal === undefined ? broken : AbortSignal.any([broken, options.signal]),
      },
    )
    try {
      return await this.#track(transaction)
    } catch (error) {
      if (!FlogError.is(error, 'FLOG_WORK_NOTHING')) metrics.count('transaction_failed', labels)
      throw FlogError.is(error, 'FLOG_ABORTED') && broken.aborted && this.#end !== undefined
        ? this.#end
        : error
    }
  }

  /**
   * Takes one subject that the process may work on now. Finish, fail or cancel what is returned.
   * @returns undefined where there is nothing to do
   * @throws FlogError FLOG_SESSION_EXPIRED; FLOG_WORK_CONFLICT when `retrieve` names subjects that are all taken
   */
  async work(process: string, retrieve: Retrieve, options: WorkOptions = {}): Promise<Work | undefined> {
    this.#assertLive()
    this.#parts.processes.get(process)
    const claimed = this.#strays.claiming()
    try {
      return await this.#track(this.#claim(process, retrieve, options.ignoreBackoff ?? false))
    } finally {
      claimed()
    }
  }

  async #claim(process: string, retrieve: Retrieve, ignoreBackoff: boolean): Promise<Work | undefined> {
    const { database, processes, random, clock, onTrouble } = this.#parts
    const context = {
      database,
      clock,
      random,
      sessionId: this.id,
      excluded: processes.excludedBy(process),
      signal: this.#broken.signal,
      transact: <T>(run: (tx: Transaction) => Promise<T>) => this.transact(run),
    }
    const claimed = await claim(context, process, retrieve, ignoreBackoff)
    if (claimed === 'session expired') throw this.#expire('its row is gone, has ended or has expired')
    if (claimed === undefined) return undefined
    if (claimed.takenFrom !== null) announceLoss(database, [claimed.takenFrom]).catch(onTrouble)
    return this.#hold(claimed)
  }

  #hold(claimed: Claimed): Work {
    const { database, metrics, random, clock, onTrouble } = this.#parts
    const labels = { processor: this.#component, process: claimed.process }
    metrics.count('work_started', labels)
    const work: Work = new Work(claimed, {
      session: this,
      database,
      random,
      clock,
      onTrouble,
      onAbandoned: () => {
        this.#held.delete(work)
        this.#abandoned.add(work)
      },
      onSettled: (result) => {
        this.#held.delete(work)
        this.#abandoned.delete(work)
        metrics.count('work_finished', { ...labels, result })
      },
    })
    this.#held.add(work)
    return work
  }

  /**
   * Ends the session and gives back the work that it holds. Transactions under way get `budgetMs`, by default two
   * seconds, to end; giving back takes two seconds at most. Idempotent.
   * @throws what the database throws; then the session ends when its time is up
   */
  close(reason = 'closed', budgetMs: number = LEASE_CLOSE_MS): Promise<void> {
    this.#closing ??= this.#close(reason, budgetMs)
    return this.#closing
  }

  async #close(reason: string, budgetMs: number): Promise<void> {
    const expired = this.expired
    this.#heartbeat.stop()
    this.#end ??= new FlogError('FLOG_SESSION_EXPIRED', `session ${this.id} was closed`)
    this.#stop(this.#end)
    const { clock, database } = this.#parts
    await this.#settled(budgetMs)
    this.#broken.abort(this.#end)
    if (expired) return
    const late = timeout(clock, LEASE_CLOSE_MS, `session ${this.id} did not close in time`)
    try {
      await endSession(database, this.id, reason, late.signal)
      for (const work of [...this.#held]) work.lose('canceled', this.#end)
    } finally {
      late.cancel()
    }
  }

  /** Waits for what is under way, so long at most. */
  async #settled(ms: number): Promise<void> {
    const late = timeout(this.#parts.clock, ms, 'what was under way did not end in time')
    await Promise.race([Promise.allSettled(this.#running), late.over])
    late.cancel()
  }

  /** Held work that the database does not know any more was taken by somebody: its holder hears of it now. */
  async #poke(): Promise<boolean> {
    const before = [...this.#held, ...this.#abandoned]
    const rows = await pokeSession(this.#parts.database.urgent, this.id)
    if (rows === undefined) return false
    for (const work of before) {
      if (!rows.some((row) => isSame(row, work))) work.lose('lost', lost(work))
    }
    const unknown = rows.filter((row) => ![...this.#held].some((work) => isSame(row, work)))
    for (const row of this.#strays.among(unknown)) this.#giveBack(row).catch(this.#parts.onTrouble)
    return true
  }

  async #giveBack(row: HeldRow): Promise<void> {
    const { database } = this.#parts
    const held = { ...row, sessionId: this.id }
    if (!(await release(database, held, 'canceled', 'nobody held it any more'))) return
    for (const work of this.#abandoned) if (isSame(row, work)) work.lose('canceled', lost(work))
    await announce(database, row.process)
  }

  #expire(why: string, cause?: unknown): FlogError {
    if (this.#end !== undefined) return this.#end
    this.#end = new FlogError('FLOG_SESSION_EXPIRED', `session ${this.id} expired: ${why}`, { cause })
    this.#heartbeat.stop()
    this.#parts.metrics.count('session_expired', { processor: this.#component })
    this.#stop(this.#end)
    this.#broken.abort(this.#end)
    return this.#end
  }

  /** Work is only told to stop: it may still be given back. */
  #stop(reason: FlogError): void {
    this.#ended.abort(reason)
    void this.#listening.then((listening) => listening?.close()).catch(() => {})
    for (const work of this.#held) work.stop(reason)
  }

  get #holds(): boolean {
    return TRAITS[this.#parts.database.dialect].sharesKeys
  }

  #assertLive(): void {
    if (this.expired) throw this.#end
  }

  /** What began before the session was closed may end. */
  async #assertAlive(tx: Transaction): Promise<void> {
    this.#heartbeat.check()
    this.#broken.signal.throwIfAborted()
    if (!(await isSessionAlive(tx, this.id, this.#holds)))
      throw this.#expire('its row is gone, has ended or has expired')
  }

  #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running)
    const done = () => void this.#running.delete(running)
    running.then(done, done)
    return running
  }
}

function isSame(row: HeldRow, work: Work): boolean {
  return row.fence === work.fence && row.subject === work.subject && row.process === work.process
}
