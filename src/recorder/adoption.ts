import type { Clock, Timer } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import type { ProcessIdentity } from '../base/process-identity'
import type { Adopter } from '../incident/adopt'
import type { ProcessExit } from '../incident/black-box/recover'
import type { IncidentDirectory } from '../incident/directory'

/** After the start of a program, which has better things to do first. */
const FIRST_LOOK_MS = 500
/** While there are files of processes that can only be told dead by standing still. */
const NEXT_LOOK_MS = 20_000
/** After the disk refused what was to be finished. */
const TROUBLED_LOOK_MS = 60_000

export interface AdoptionOptions {
  /** How a process ended, where this one can know. */
  readonly exitOf?: (process: ProcessIdentity) => ProcessExit | undefined
  /** Where black boxes are kept, beside the directory itself. */
  readonly blackBoxDirectory?: string | undefined
}

/** Finishes, in the background, what processes that died left in the directory of a recorder. */
export class Adoption {
  readonly #directory: IncidentDirectory
  readonly #incarnation: string
  readonly #clock: Clock
  readonly #onTrouble: (error: FlogError) => void
  readonly #exitOf: ((process: ProcessIdentity) => ProcessExit | undefined) | undefined
  readonly #blackBoxDirectory: string | undefined
  readonly #stop = new AbortController()
  #timer: Timer | undefined
  #adopter: Adopter | undefined
  #looking: Promise<void> = Promise.resolve()
  #queued = false

  /** @param incarnation of this process, whose own files are nothing to adopt */
  constructor(
    directory: IncidentDirectory,
    incarnation: string,
    clock: Clock,
    onTrouble: (error: FlogError) => void,
    { exitOf, blackBoxDirectory }: AdoptionOptions = {},
  ) {
    this.#directory = directory
    this.#incarnation = incarnation
    this.#clock = clock
    this.#onTrouble = onTrouble
    this.#exitOf = exitOf
    this.#blackBoxDirectory = blackBoxDirectory
    this.#lookAfter(FIRST_LOOK_MS)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#timer?.cancel()
    await this.#looking
  }

  /** Looks as soon as a look that is under way is over: a process is known to have died. */
  lookNow(): void {
    if (this.#queued || this.#stop.signal.aborted) return
    this.#queued = true
    this.#looking = this.#looking.then(() => {
      this.#queued = false
      return this.#look()
    })
  }

  #lookAfter(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(ms, () => this.lookNow())
  }

  #otherPlaces(): readonly string[] {
    return this.#blackBoxDirectory === undefined ? [] : [this.#blackBoxDirectory]
  }

  async #look(): Promise<void> {
    try {
      // What adopts is loaded only where there is something to adopt: it takes the event loop some 15 ms.
      const files = await this.#directory.files()
      const isOurs = (id: string | undefined): boolean => id?.startsWith(`${this.#incarnation}-`) === true
      const { blackBoxFiles } = require('../incident/entries') as typeof import('../incident/entries')
      const places = [this.#directory.path, ...this.#otherPlaces()]
      const blackBoxes = (await Promise.all(places.map(blackBoxFiles))).flat()
      if ([...files, ...blackBoxes].every(({ kind, id }) => kind === 'gzip' || isOurs(id))) return
      if (this.#adopter === undefined) {
        const adopt = require('../incident/adopt') as typeof import('../incident/adopt')
        this.#adopter = new adopt.Adopter(this.#directory, {
          clock: this.#clock,
          incarnation: this.#incarnation,
          ...(this.#exitOf !== undefined && { exitOf: this.#exitOf }),
          ...(this.#blackBoxDirectory !== undefined && { blackBoxDirectory: this.#blackBoxDirectory }),
        })
      }
      const { adopted, waiting, leftAlone } = await this.#adopter.sweep(this.#stop.signal)
      if (adopted.length > 0) await this.#directory.enforceQuota()
      if (waiting.length > 0 && !this.#stop.signal.aborted) this.#lookAfter(NEXT_LOOK_MS)
      const refused = leftAlone.find(({ error }) => error.code === 'FLOG_WRITE_FAILED')
      if (refused !== undefined) throw refused.error
    } catch (cause) {
      if (this.#stop.signal.aborted || FlogError.is(cause, 'FLOG_ABORTED')) return
      const message = `incidents that a dead process left in ${this.#directory.path} cannot be finished: ${messageOf(cause)}`
      this.#onTrouble(new FlogError('FLOG_DIRECTORY_UNUSABLE', message, { cause }))
      // Another one: this one tells of a file only once.
      this.#adopter = undefined
      this.#lookAfter(TROUBLED_LOOK_MS)
    }
  }
}
