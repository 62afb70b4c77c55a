import { lstat } from 'node:fs/promises'
import type { Clock } from '../base/clock'
import { systemCode } from '../base/errors'

interface Sighting {
  readonly state: string
  /** Of the monotonic clock. */
  readonly since: number
}

/**
 * Watches files of processes that nobody here can ask for, over several looks: one that stood still for long enough belongs
 * to a dead one. The clock is the observer's own, monotonic one; how old a file says it is plays no part.
 */
export class Standstill {
  readonly #clock: Clock
  readonly #stillMs: number
  readonly #sightings = new Map<string, Sighting>()

  constructor(clock: Clock, stillMs: number) {
    this.#clock = clock
    this.#stillMs = stillMs
  }

  /**
   * Milliseconds that a file has to go on standing still; infinite where it is gone.
   * @param state anything that changes with the file; default what the file system knows of it
   */
  async remainingMs(path: string, state?: string): Promise<number> {
    const found = state ?? (await stateOf(path))
    const now = this.#clock.monotonic()
    if (found === undefined) return Number.POSITIVE_INFINITY
    const seen = this.#sightings.get(path)
    if (seen?.state === found) return this.#stillMs - (now - seen.since)
    this.#sightings.set(path, { state: found, since: now })
    return this.#stillMs
  }

  forgetAllBut(paths: ReadonlySet<string>): void {
    for (const path of this.#sightings.keys()) if (!paths.has(path)) this.#sightings.delete(path)
  }
}

/** Anything that changes when a file is written or touched. Only whether it changed is used. */
async function stateOf(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await lstat(path)
    return [size, mtimeMs, ctimeMs, ino].join(' ')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
