import type { Clock, Timer } from '../base/clock'
import { FlogError, type FlogErrorCode, messageOf } from '../base/errors'
import { SIDECAR_CLOSE_MS, SIDECAR_RESTART_MAX_MS, SIDECAR_RESTART_MS } from '../base/limits'
import type { FinishedIncident } from '../incident/finish'
import type { PublishOptions } from '../remote/publish-process'
import type { Publisher } from '../remote/publisher'
import { Calls, errorOf } from './calls'
import { PublisherElsewhere } from './publisher-elsewhere'
import { joinSecondThread, type Tenant } from './second'
import type { AppService, SidecarService, SidecarSetup, SidecarStats } from './setup'

export interface SidecarOptions {
  /** Asked at each start: what a thread that died held is not used again. */
  readonly setup: () => SidecarSetup
  /** What the second thread asks and tells; `ready` and the like are seen to here. */
  readonly app: Pick<AppService, 'capture' | 'opened' | 'closed'>
  readonly clock: Clock
  /** Told when the thread died: what it began is left to this one. */
  readonly onDied: () => void
  readonly onTrouble: (error: FlogError) => void
  readonly onRecovered: (code: FlogErrorCode) => void
  /** The program of the second thread; default the one beside this file. */
  readonly program?: string
}

/**
 * The app thread's end of the second thread.
 *
 * ```
 *   starting ──ready──> running ──close()──> closed
 *      ^  └─────dies─────┘ │
 *      └──── later ────────┘     no program, or no threads to be had: never, told once
 * ```
 * It keeps no process alive, and without it the recorder goes on as if it had never been asked for.
 */
export class Sidecar {
  readonly #options: SidecarOptions
  readonly #publishers = new Set<PublisherElsewhere>()
  #running: { readonly tenant: Tenant; readonly calls: Calls<SidecarService> } | undefined
  #isReady = false
  #starting: Timer | undefined
  #lasting: Timer | undefined
  #restartMs = SIDECAR_RESTART_MS
  #closed = false
  #stats: SidecarStats | undefined
  readonly #waiting = new Set<(ready: boolean) => void>()

  /** Starts it in the background. */
  constructor(options: SidecarOptions) {
    this.#options = options
    this.#startAfter(0)
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** As it told last, at most a second ago. */
  get stats(): SidecarStats | undefined {
    return this.#stats
  }

  /** Finishes a plain file there. @throws FlogError FLOG_CLOSED where the thread ends meanwhile, and what finishing throws */
  async finish(path: string): Promise<FinishedIncident> {
    if (this.#running === undefined) throw new FlogError('FLOG_CLOSED', 'there is no second thread')
    return this.#running.calls.ask('finish', path)
  }

  /**
   * Settles when the incidents that it wrote are finished, as far as their window is over: at most
   * {@link SIDECAR_CLOSE_MS} later. Never rejects.
   */
  async idle(): Promise<void> {
    const running = this.#running
    if (running === undefined || !this.#isReady) return
    const giveUp = new AbortController()
    const late = this.#options.clock.after(SIDECAR_CLOSE_MS, () => giveUp.abort(), { keepAlive: true })
    try {
      await running.calls.ask('idle', undefined, giveUp.signal)
    } catch {
      // It ended, and what it began is left to this thread; or it is stuck.
    }
    late.cancel()
  }

  /**
   * Publishes from the second thread.
   * @returns undefined where there is none to be had: the caller publishes itself
   * @throws FlogError as `createPublisher`
   */
  async publish(options: PublishOptions): Promise<Publisher | undefined> {
    if (!(await this.#becomesReady())) return undefined
    const publisher = new PublisherElsewhere(options, {
      stats: (id) => this.#stats?.publishers[id],
      onClose: () => this.#publishers.delete(publisher),
    })
    if (this.#running === undefined) return undefined
    try {
      await publisher.start(this.#running.calls)
    } catch (error) {
      // It died over it.
      if (FlogError.is(error, 'FLOG_CLOSED')) return undefined
      throw error
    }
    this.#publishers.add(publisher)
    return publisher
  }

  /** Ends it in order: its reports are whole, its black box is gone. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    this.#starting?.cancel()
    this.#lasting?.cancel()
    this.#settle(false)
    const running = this.#running
    if (running === undefined) return
    const late = this.#options.clock.after(SIDECAR_CLOSE_MS, () => running.calls.end(), { keepAlive: true })
    try {
      await running.calls.ask('close', undefined)
    } catch {
      // It ended by itself, and what it was to do at its end is left to the next start.
    }
    late.cancel()
    this.#running = undefined
    await running.tenant.leave()
  }

  #startAfter(ms: number): void {
    this.#starting = this.#options.clock.after(ms, () => {
      try {
        this.#start()
      } catch (cause) {
        this.#unavailable(cause)
      }
    })
  }

  #start(): void {
    const { setup, program } = this.#options
    const tenant = joinSecondThread(setup(), (failure) => this.#ended(calls, failure), program)
    const calls = new Calls<SidecarService>(tenant.port, this.#service())
    this.#running = { tenant, calls }
  }

  #service(): AppService {
    const { app, onTrouble, onRecovered } = this.#options
    return {
      ...app,
      ready: () => void this.#ready(),
      trouble: (failure) => {
        const error = errorOf(failure)
        onTrouble(FlogError.is(error) ? error : new FlogError('FLOG_SIDECAR_FAILED', error.message))
      },
      dialled: ({ dialled, state }) => {
        for (const publisher of this.#publishers) publisher.noteState(dialled, state)
      },
      recovered: (code) => onRecovered(code),
      stats: (stats) => {
        this.#stats = stats
      },
    }
  }

  async #ready(): Promise<void> {
    this.#isReady = true
    // One that dies of what it does, again and again, is always ready before.
    this.#lasting = this.#options.clock.after(SIDECAR_RESTART_MAX_MS, () => {
      this.#restartMs = SIDECAR_RESTART_MS
      this.#options.onRecovered('FLOG_SIDECAR_FAILED')
    })
    this.#settle(true)
    // Those that are made meanwhile are started by who makes them.
    for (const publisher of [...this.#publishers]) {
      try {
        if (this.#running !== undefined) await publisher.start(this.#running.calls)
      } catch (cause) {
        const message = `the publisher could not be started again: ${messageOf(cause)}`
        this.#options.onTrouble(new FlogError('FLOG_SIDECAR_FAILED', message, { cause }))
      }
    }
  }

  #ended(calls: Calls<SidecarService>, failure: unknown): void {
    calls.end()
    this.#running = undefined
    this.#isReady = false
    this.#lasting?.cancel()
    if (this.#closed) return
    this.#options.onDied()
    const message = `the second thread ended (${failure === undefined ? 'without a reason' : messageOf(failure)}); it is started again`
    this.#options.onTrouble(new FlogError('FLOG_SIDECAR_FAILED', message, { cause: failure }))
    this.#startAfter(this.#restartMs)
    this.#restartMs = Math.min(this.#restartMs * 2, SIDECAR_RESTART_MAX_MS)
  }

  #unavailable(cause: unknown): void {
    this.#closed = true
    this.#settle(false)
    const message = `there is no second thread: ${messageOf(cause)}; stalls and sudden deaths leave no incident`
    this.#options.onTrouble(new FlogError('FLOG_SIDECAR_UNAVAILABLE', message, { cause }))
  }

  #becomesReady(): Promise<boolean> {
    if (this.#isReady || this.#closed) return Promise.resolve(this.#isReady)
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(SIDECAR_CLOSE_MS, () => settle(false), { keepAlive: true })
      const settle = (ready: boolean): void => {
        timer.cancel()
        this.#waiting.delete(settle)
        resolve(ready)
      }
      this.#waiting.add(settle)
    })
  }

  #settle(ready: boolean): void {
    for (const settle of this.#waiting) settle(ready)
  }
}
