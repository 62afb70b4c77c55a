import { unlinkSync } from 'node:fs'
import { systemCode } from '../../base/errors'

/**
 * Keeps a black box from being made while its process ends.
 *
 * The file is made and kept by one thread, and removed by another one when the process ends in order. Without an
 * understanding between the two, the first could make it just after the second looked for it, and the next start would
 * find the black box of a process that did not die.
 *
 * ```
 *   idle ──enter()──> making ──leave()──> idle ──end()──> ended
 * ```
 */
const STATE = 0
const State = { idle: 0, making: 1, ended: 2 } as const

export class BlackBoxGuard {
  /** Can be posted to a worker. */
  readonly memory: SharedArrayBuffer
  readonly #state: Int32Array

  constructor(memory = new SharedArrayBuffer(4)) {
    this.memory = memory
    this.#state = new Int32Array(memory)
  }

  /** Whether the file may be made now; then `leave()` has to follow. False when the process is ending. */
  enter(): boolean {
    return Atomics.compareExchange(this.#state, STATE, State.idle, State.making) === State.idle
  }

  /** @returns false where the process began to end meanwhile, and did not wait: what was made has to go */
  leave(): boolean {
    const was = Atomics.compareExchange(this.#state, STATE, State.making, State.idle)
    Atomics.notify(this.#state, STATE)
    return was === State.making
  }

  get hasEnded(): boolean {
    return Atomics.load(this.#state, STATE) === State.ended
  }

  /**
   * From here on no file is made. One that is being made is waited for, at most `ms` milliseconds; after that it is there
   * for whoever called to remove, as long as the other thread lives to complete it.
   */
  end(ms: number): void {
    if (Atomics.load(this.#state, STATE) === State.making) Atomics.wait(this.#state, STATE, State.making, ms)
    Atomics.store(this.#state, STATE, State.ended)
  }
}

/** Longer than it takes to make a file of ordinary rings; a process that ends must not hang on a slow disk. */
const END_MS = 250

/**
 * What the thread does that sees the process end in order: the black box is removed, and not made again.
 * @throws the system's error where a file is there and cannot be removed
 */
export function endBlackBox(path: string, guard: BlackBoxGuard): void {
  guard.end(END_MS)
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
