import type { Clock } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import { WRITE_RETRY_MAX_MS, WRITE_RETRY_MS } from '../base/limits'
import type { IncidentDirectory } from '../incident/directory'
import type { IncidentSummary } from '../incident/header'
import type { Report } from '../incident/report'

export interface FinisherOptions {
  readonly directory: IncidentDirectory
  readonly clock: Clock
  readonly onTrouble: (error: FlogError) => void
}

export interface Finished {
  readonly path: string
  readonly summary: IncidentSummary
}

/**
 * Turns closed reports into finished files, one after the other, in slices that the event loop does not feel, and keeps
 * the directory within its quota. What the disk refuses is tried again until the finisher is closed.
 */
export class Finisher {
  readonly #options: FinisherOptions
  readonly #stop = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  #stopWaiting: () => void = () => {}

  constructor(options: FinisherOptions) {
    this.#options = options
  }

  /** @returns undefined where it was given up; the plain file, if there is one, is then left for the next process */
  finish(report: Report): Promise<Finished | undefined> {
    const result = this.#last.then(() => this.#finish(report))
    this.#last = result
    return result
  }

  /** Settles when everything that was handed over is finished or given up. */
  async idle(): Promise<void> {
    await this.#last
  }

  /** Gives up what the disk refuses, after one more try, and lets what works come to its end. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#stopWaiting()
    await this.idle()
  }

  async #finish(report: Report): Promise<Finished | undefined> {
    let waitMs = WRITE_RETRY_MS
    try {
      for (;;) {
        const finished = await this.#try(report)
        if (finished !== undefined) return finished
        if (this.#stop.signal.aborted) return undefined
        await this.#wait(waitMs)
        waitMs = Math.min(waitMs * 2, WRITE_RETRY_MAX_MS)
      }
    } finally {
      report.release()
    }
  }

  async #try(report: Report): Promise<Finished | undefined> {
    if (!report.isWritten && !report.flush()) return undefined
    const path = report.path
    if (path === undefined) return undefined
    try {
      // Loaded when the first incident closes: an app that never has one never loads the compressor.
      const { finishIncident } = require('../incident/finish') as typeof import('../incident/finish')
      const { directory, clock } = this.#options
      const finished = await finishIncident(path, { clock, fileMode: directory.fileMode })
      await this.#enforceQuota()
      return finished
    } catch (error) {
      this.#options.onTrouble(asFlogError(error, `incident ${report.header.id} could not be finished`))
      return undefined
    }
  }

  async #enforceQuota(): Promise<void> {
    try {
      await this.#options.directory.enforceQuota()
    } catch (error) {
      this.#options.onTrouble(asFlogError(error, 'the quota of the incident directory could not be applied'))
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve)
      this.#stopWaiting = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

function asFlogError(error: unknown, what: string): FlogError {
  if (FlogError.is(error)) return error
  return new FlogError('FLOG_WRITE_FAILED', `${what}: ${messageOf(error)}`, { cause: error })
}
