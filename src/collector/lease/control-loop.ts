import { type Clock, SystemClock } from '../../base/clock'
import { FlogError, messageOf } from '../../base/errors'
import {
  LEASE_LOOP_GRACE_MS,
  LEASE_LOOP_RATE,
  LEASE_LOOP_RESTART_MS,
  LEASE_POLL_MAX_MS,
  LEASE_POLL_MIN_MS,
  LEASE_POLL_MS,
} from '../../base/limits'
import { parseWhole } from '../../base/numbers'
import { type Random, systemRandom } from '../../base/random'
import type { Database } from '../store/database'
import { type Backoff, parseBackoff } from './backoff'
import type { Retrieve } from './claim'
import type { LeaseMetrics } from './metrics'
import type { Notifier } from './notifier'
import type { Processes } from './processes'
import { parseRate, Rate, type RateLimit } from './rate-limit'
import { type Session, startSession } from './session'
import { timeout } from './timeout'
import { Waiter } from './waiter'
import type { Work } from './work'

export interface ControlLoopOptions {
  readonly database: Database
  readonly processes: Processes
  readonly process: string
  readonly retrieve: Retrieve
  /**
   * Does the work, and finishes it. When it returns without having done so the work is given back; when it throws, the work
   * has failed, with the backoff of the process unless it put another one into `failure`.
   */
  readonly run: (work: Work, failure: Failure) => Promise<void>
  /** Work that is done at the same time; default 1. */
  readonly parallelism?: number
  /** How often the database is asked for work; default `250 ms, burst 8`. */
  readonly rate?: string | RateLimit
  /** Milliseconds after which it is asked again when there was none, give or take half; 100 to 600,000, default 15,000. */
  readonly pollMs?: number
  /** Wakes the loop when there may be work. */
  readonly wake?: Notifier
  /** As of the session. */
  readonly intervalMs?: number
  readonly component?: string
  readonly runtimeInfo?: string
  readonly metrics?: LeaseMetrics
  readonly clock?: Clock
  readonly random?: Random
  readonly onTrouble?: (error: unknown) => void
}

export interface Failure {
  backoff: Backoff
}

/** What the engine takes for a worker. */
export interface LoopWorker {
  kill(reason?: unknown): void
  wait(): Promise<void>
  report(): unknown
}

/**
 * Does the work of one process, for as long as it is there, under one session at a time: when that is lost, under a new one.
 * After `kill` it has ended within a second: what is being done gets half of it, and is then given back.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function controlLoop(options: ControlLoopOptions): LoopWorker {
  const loop = new ControlLoop(options)
  const done = loop.run()
  return { kill: () => loop.kill(), wait: () => done, report: () => loop.report() }
}

class ControlLoop {
  readonly #options: ControlLoopOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #rate: Rate
  readonly #parallelism: number
  readonly #pollMs: number
  readonly #backoff: Backoff
  readonly #waiter: Waiter
  readonly #running = new Map<Work, Promise<void>>()
  readonly #counts = { started: 0, failed: 0, sessions: 0 }
  readonly #killing = new AbortController()
  #session: Session | undefined

  constructor(options: ControlLoopOptions) {
    const { clock = new SystemClock(), random = systemRandom, processes, process } = options
    this.#options = options
    this.#clock = clock
    this.#random = random
    processes.get(process)
    this.#backoff = processes.backoffOf(process)
    this.#rate = new Rate(parseRate('rate', options.rate ?? LEASE_LOOP_RATE), clock)
    this.#parallelism = parseWhole('parallelism', options.parallelism ?? 1, 1, 1000)
    this.#pollMs = parseWhole('pollMs', options.pollMs ?? LEASE_POLL_MS, LEASE_POLL_MIN_MS, LEASE_POLL_MAX_MS)
    this.#waiter = new Waiter(clock)
  }

  get #killed(): boolean {
    return this.#killing.signal.aborted
  }

  async run(): Promise<void> {
    const { process, wake } = this.#options
    const unsubscribe = wake?.subscribe(process, () => this.#waiter.wake('work'))
    try {
      while (!this.#killed) {
        await this.#underOneSession()
        if (!this.#killed) await this.#waiter.wait(LEASE_LOOP_RESTART_MS, ['killed'])
      }
    } finally {
      unsubscribe?.()
    }
  }

  kill(): void {
    this.#killing.abort()
    for (const work of this.#running.keys()) work.stop(stopped())
    this.#waiter.wake('killed')
  }

  report(): unknown {
    const { process } = this.#options
    const session = this.#session?.id ?? null
    return { process, session, running: this.#running.size, ...this.#counts }
  }

  async #underOneSession(): Promise<void> {
    try {
      const session = await unlessAborted(this.#start(), this.#killing.signal, (late) => late.close())
      if (session === undefined) return
      this.#counts.sessions++
      this.#session = session
      const onEnd = () => this.#waiter.wake('session')
      session.signal.addEventListener('abort', onEnd)
      await this.#work(session).finally(() => session.signal.removeEventListener('abort', onEnd))
      if (session.expired) this.#trouble(session.signal.reason)
    } catch (error) {
      this.#trouble(error)
    } finally {
      await this.#end()
    }
  }

  #start(): Promise<Session> {
    const { database, processes, process, component = process, ...rest } = this.#options
    const { runtimeInfo, intervalMs, metrics, onTrouble } = rest
    return startSession(database, {
      component,
      processes,
      clock: this.#clock,
      random: this.#random,
      ...(runtimeInfo === undefined ? {} : { runtimeInfo }),
      ...(intervalMs === undefined ? {} : { intervalMs }),
      ...(metrics === undefined ? {} : { metrics }),
      ...(onTrouble === undefined ? {} : { onTrouble }),
    })
  }

  async #work(session: Session): Promise<void> {
    while (!this.#killed && !session.expired) {
      if (this.#running.size >= this.#parallelism)
        await this.#waiter.wait(Infinity, ['killed', 'session', 'done'])
      else await this.#next(session)
    }
  }

  async #next(session: Session): Promise<void> {
    await this.#waiter.wait(this.#rate.take(), ['killed', 'session'])
    if (this.#killed || session.expired) return
    // What is announced while the database is being asked may not be in its answer.
    this.#waiter.forget('work')
    try {
      const { signal } = this.#killing
      const work = await unlessAborted(this.#take(session), signal, async (late) => late?.cancel())
      if (work !== undefined) return this.#begin(work)
      const ms = await unlessAborted(this.#untilDue(), signal)
      await this.#waiter.wait(ms ?? 0, ['killed', 'session', 'work'])
    } catch (error) {
      if (session.expired) return
      // What is being done goes on: whether the session still holds is for its heartbeat to say.
      this.#trouble(error)
      await this.#waiter.wait(LEASE_LOOP_RESTART_MS, ['killed', 'session'])
    }
  }

  async #take(session: Session): Promise<Work | undefined> {
    const { process, retrieve } = this.#options
    try {
      return await session.work(process, retrieve)
    } catch (error) {
      if (FlogError.is(error, 'FLOG_WORK_CONFLICT')) return undefined
      throw error
    }
  }

  /** Until it is time to poll, or the first backoff is over. */
  async #untilDue(): Promise<number> {
    const poll = this.#pollMs * (0.5 + this.#random.fraction())
    const { database, process } = this.#options
    const { rows } = await database.query<{ ms: number | null }>(DUE, [process])
    return Math.min(poll, rows[0]?.ms ?? Infinity)
  }

  #begin(work: Work): void {
    this.#counts.started++
    const done = this.#run(work).finally(() => {
      this.#running.delete(work)
      this.#waiter.wake('done')
    })
    this.#running.set(work, done)
    if (this.#killed) work.stop(stopped())
  }

  /** Never rejects. */
  async #run(work: Work): Promise<void> {
    const failure: Failure = { backoff: this.#backoff }
    try {
      await this.#options.run(work, failure)
    } catch (error) {
      this.#trouble(error)
      await this.#fail(work, failure, error)
    }
    await work.cancel()
  }

  /** What ends because it was told to has not failed. */
  async #fail(work: Work, { backoff }: Failure, error: unknown): Promise<void> {
    if (work.signal.aborted) return
    this.#counts.failed++
    const cause = `failed to process: ${messageOf(error)}`
    try {
      await work.fail(this.#checked(backoff), cause)
    } catch (failed) {
      this.#trouble(failed)
    }
  }

  /** What was put into a failure may be nonsense; without any backoff it would be tried again at once. */
  #checked(backoff: Backoff): Backoff {
    try {
      return parseBackoff('failure.backoff', backoff)
    } catch (error) {
      this.#trouble(error)
      return this.#backoff
    }
  }

  /**
   * What is being done under a session gets some time to end in order; what does not is given back all the same. Where that
   * takes long it is not waited for.
   */
  async #end(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    for (const work of this.#running.keys()) work.stop(stopped())
    await this.#atMost(LEASE_LOOP_GRACE_MS, Promise.allSettled(this.#running.values()))
    this.#running.clear()
    const closing = session?.close('its control loop stopped', LEASE_LOOP_GRACE_MS / 4)
    await this.#atMost(
      LEASE_LOOP_GRACE_MS * 0.8,
      closing?.catch((error: unknown) => this.#trouble(error)),
    )
  }

  async #atMost(ms: number, ending: Promise<unknown> | undefined): Promise<void> {
    const late = timeout(this.#clock, ms, 'the control loop stopped')
    await Promise.race([ending, late.over])
    late.cancel()
  }

  #trouble(error: unknown): void {
    this.#options.onTrouble?.(error)
  }
}

const DUE = `
SELECT greatest(0, extract(epoch FROM min(until) - clock_timestamp()) * 1000)::double precision AS ms
  FROM work_backoff WHERE process = $1 AND dead_at IS NULL AND until > now()`

/** `promise`, or undefined as soon as the signal is aborted; what comes later is given to `late`. */
function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => Promise<unknown> = async () => {},
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = () => resolve(undefined)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
    promise
      .then((value) => (signal.aborted ? late(value) : resolve(value)))
      // What comes late has nobody who waits for it: then nothing happens here.
      .catch(reject)
      .finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function stopped(): FlogError {
  return new FlogError('FLOG_ABORTED', 'the control loop stopped')
}
