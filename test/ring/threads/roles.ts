import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { RingHandle } from '../../../src/ring/layout'
import { TYPESCRIPT } from '../../typescript'

/** Words that all threads of a test share. */
export const Flag = { start: 0, stop: 1, done: 2, never: 3 } as const

export interface Writing {
  readonly kind: 'write'
  readonly flags: Int32Array
  readonly control: SharedArrayBuffer
  /** Bytes of each ring; event number n goes into ring n modulo their number. */
  readonly rings: readonly number[]
  readonly startAt: number
  /** Bytes of the longest event. */
  readonly longest: number
}

export interface Reading {
  readonly kind: 'read'
  readonly flags: Int32Array
  readonly ring: RingHandle
  readonly pauses: boolean
}

export interface Drawing {
  readonly kind: 'draw'
  readonly flags: Int32Array
  readonly control: SharedArrayBuffer
  readonly count: number
}

export type Role = Writing | Reading | Drawing

export function newFlags(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(16))
}

export function raise(flags: Int32Array, flag: number): void {
  Atomics.store(flags, flag, 1)
  Atomics.notify(flags, flag)
}

/** A thread of a test, and what it says. Ends by itself when it has done its part. */
export class Thread {
  readonly #worker: Worker
  readonly #messages: unknown[] = []

  constructor(role: Role) {
    this.#worker = new Worker(join(__dirname, 'thread.ts'), {
      workerData: role,
      execArgv: [...TYPESCRIPT],
    })
    this.#worker.on('message', (message) => this.#messages.push(message))
  }

  /** The next message. Rejects if the thread fails. */
  async says<T>(): Promise<T> {
    while (this.#messages.length === 0) await once(this.#worker, 'message')
    return this.#messages.shift() as T
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
