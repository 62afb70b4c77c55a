import type { Clock, Timer } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import type { Adopter } from '../incident/adopt'
import type { IncidentDirectory } from '../incident/directory'

/** After the start of a program, which has better things to do first. */
const FIRST_LOOK_MS = 500
/** While there are files of processes that can only be told dead by standing still. */
const NEXT_LOOK_MS = 20_000

/** Finishes, in the background, what processes that died left in the directory of a recorder. */
export class Adoption {
  readonly #directory: IncidentDirectory
  readonly #incarnation: string
  readonly #clock: Clock
  readonly #onTrouble: (error: FlogError) => void
  readonly #stop = new AbortController()
  #timer: Timer | undefined
  #adopter: Adopter | undefined
  #looking: Promise<void> = Promise.resolve()

  /** @param incarnation of this process, whose own files are nothing to adopt */
  constructor(
    directory: IncidentDirectory,
    incarnation: string,
    clock: Clock,
    onTrouble: (error: FlogError) => void,
  ) {
    this.#directory = directory
    this.#incarnation = incarnation
    this.#clock = clock
    this.#onTrouble = onTrouble
    this.#lookAfter(FIRST_LOOK_MS)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#timer?.cancel()
    await this.#looking
  }

  #lookAfter(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      this.#looking = this.#look()
    })
  }

  async #look(): Promise<void> {
    try {
      // What adopts is loaded only where there is something to adopt: it takes the event loop some 15 ms.
      const files = await this.#directory.files()
      if (files.every(({ kind, id }) => kind === 'gzip' || id?.startsWith(`${this.#incarnation}-`) === true))
        return
      if (this.#adopter === undefined) {
        const adopt = require('../incident/adopt') as typeof import('../incident/adopt')
        this.#adopter = new adopt.Adopter(this.#directory, { clock: this.#clock })
      }
      const { adopted, waiting } = await this.#adopter.sweep(this.#stop.signal)
      if (adopted.length > 0) await this.#directory.enforceQuota()
      if (waiting.length > 0 && !this.#stop.signal.aborted) this.#lookAfter(NEXT_LOOK_MS)
    } catch (cause) {
      if (this.#stop.signal.aborted || FlogError.is(cause, 'FLOG_ABORTED')) return
      const message = `incidents that a dead process left in ${this.#directory.path} cannot be finished: ${messageOf(cause)}`
      this.#onTrouble(new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { cause }))
    }
  }
}
