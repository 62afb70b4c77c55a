import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../../src/base/clock'
import type { Plan } from './plan'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** When it was killed, or else seen to have ended: microseconds since the epoch. */
  readonly diedAt: number
  readonly stderr: string
}

export interface ChildOptions {
  /** Root of the built programs. */
  readonly dist: string
  /** Working directory, where a core dump would go. */
  readonly cwd: string
  readonly execArgv: readonly string[]
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A program that is to die: `programs/logging.ts`, in a process of its own. */
export class Child {
  readonly ended: Promise<Ended>
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #clock: Clock
  readonly #lines: AsyncIterator<string>
  #killedAt: number | undefined

  constructor(plan: Plan, { dist, cwd, execArgv, clock, signal }: ChildOptions) {
    const program = join(dist, 'tools/survive/programs/logging.js')
    const command = [...execArgv, program, JSON.stringify(plan)]
    const options = { cwd, signal, killSignal: 'SIGKILL' as const }
    this.#process = spawn(process.execPath, command, { ...options, stdio: 'pipe' })
    this.#clock = clock
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]()
    // It may be gone when it is told something, and cancelling is an error of the child's too.
    this.#process.stdin.on('error', () => {})
    this.#process.on('error', () => {})
    this.ended = this.#end()
  }

  /** The next line that it prints; undefined where it ended. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next()
    return done === true ? undefined : value
  }

  kill(signal: NodeJS.Signals): void {
    this.#killedAt = this.#clock.now()
    this.#process.kill(signal)
  }

  /** Tells it to end in its own time. */
  dismiss(): void {
    this.#process.stdin.end()
  }

  #end(): Promise<Ended> {
    let stderr = ''
    this.#process.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    let exitedAt = 0
    this.#process.once('exit', () => {
      exitedAt = this.#clock.now()
    })
    return new Promise((resolve) => {
      this.#process.once('close', (code, signal) => {
        resolve({ code, signal, stderr, diedAt: this.#killedAt ?? exitedAt })
      })
    })
  }
}
