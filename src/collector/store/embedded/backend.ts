import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../../base/clock'
import { FlogError } from '../../../base/errors'
import { EMBEDDED_STUCK_MS } from '../../../base/limits'
import type { FromThread, ThreadData, ToThread } from './messages'
import { SessionStream } from './stream'

export interface BackendOptions {
  /** Undefined: in memory. */
  readonly directory: string | undefined
  /** The database, for messages. */
  readonly where: string
  readonly clock: Clock
}

interface Thread {
  readonly worker: Worker
  readonly sessions: Map<number, SessionStream>
}

/**
 * The thread with the embedded database, and the sessions in it.
 *
 * ```
 *   none ──connect──> starting ──ready──> running ──close()──> closed
 *     ^                                      │
 *     └──── it died, or was stuck and ended ─┘       with a directory only: memory is gone with its thread
 * ```
 * A thread that is ended in the middle of a write is what a killed process is to a database: its log brings it back.
 */
export class Backend {
  readonly #options: BackendOptions
  #starting: Promise<Thread> | undefined
  #running: Thread | undefined
  #hasStarted = false
  #sessions = 0
  #closed = false

  constructor(options: BackendOptions) {
    this.#options = options
  }

  /** A stream that `pg` takes for its socket. */
  stream(): Duplex {
    const id = ++this.#sessions
    const stream = new SessionStream({
      connect: async () => {
        const thread = await this.#thread()
        // The pool has one connection, but lets the next one begin while the last one says goodbye.
        for (const before of [...thread.sessions.values()]) before.destroy()
        thread.sessions.set(id, stream)
        return (bytes) => post(thread, { kind: 'data', session: id, bytes })
      },
      end: () => this.#end(id),
    })
    return stream
  }

  /** Waits for what is under way, and for the database to be whole on the disk. */
  async close(): Promise<void> {
    this.#closed = true
    const thread = await this.#starting?.catch(() => undefined)
    if (thread === undefined) return
    const closed = answered(thread.worker, 'closed', this.#options.clock, EMBEDDED_STUCK_MS)
    post(thread, { kind: 'close' })
    await closed
    await thread.worker.terminate()
  }

  /** What a session that ended left under way is waited for; where that never ends, the thread does. */
  async #end(id: number): Promise<void> {
    const thread = this.#running
    if (thread?.sessions.delete(id) !== true) return
    const ended = answered(thread.worker, 'ended', this.#options.clock, EMBEDDED_STUCK_MS)
    post(thread, { kind: 'end', session: id })
    if (!(await ended) && this.#options.directory !== undefined) await thread.worker.terminate()
  }

  #thread(): Promise<Thread> {
    if (this.#starting === undefined) {
      const { where, directory } = this.#options
      if (this.#closed || (this.#hasStarted && directory === undefined)) {
        return Promise.reject(new FlogError('FLOG_CLOSED', `the database ${where} is gone: it was in memory`))
      }
      this.#hasStarted = true
      this.#starting = this.#start()
    }
    return this.#starting
  }

  #start(): Promise<Thread> {
    const thread: Thread = {
      worker: newWorker({ directory: this.#options.directory }),
      sessions: new Map(),
    }
    return new Promise((resolve, reject) => {
      const { worker, sessions } = thread
      let trouble: unknown
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          this.#running = thread
          resolve(thread)
        } else if (message.kind === 'data') sessions.get(message.session)?.push(message.bytes)
        else if (message.kind === 'failed') {
          trouble = new Error(message.message)
          void worker.terminate()
        }
      })
      worker.on('error', (error) => {
        trouble = error
      })
      worker.on('exit', () => {
        this.#starting = undefined
        this.#running = undefined
        const failure = this.#ended(trouble)
        reject(failure)
        for (const stream of sessions.values()) stream.destroy(failure)
      })
    })
  }

  #ended(cause: unknown): FlogError {
    const { where } = this.#options
    const message = cause instanceof Error ? `: ${cause.message}` : ''
    return new FlogError('FLOG_DATABASE_UNREACHABLE', `the thread of the database ${where} ended${message}`, {
      cause,
      details: { where },
    })
  }
}

function newWorker(data: ThreadData): Worker {
  // Run from its sources, as tests do, the thread's program has to be translated too.
  const isSource = __filename.endsWith('.ts')
  // Not the program's: what it preloads and inspects is meant for itself.
  const { NODE_OPTIONS: _, ...env } = process.env
  return new Worker(join(__dirname, isSource ? 'thread.ts' : 'thread.js'), {
    name: 'flog database',
    execArgv: isSource ? ['-r', join(__dirname, '../../../../tools/build/typescript.cjs')] : [],
    env,
    workerData: data,
  })
}

function post({ worker }: Thread, message: ToThread): void {
  worker.postMessage(message)
}

/** False where the answer does not come in time, or the thread ends. */
function answered(worker: Worker, kind: FromThread['kind'], clock: Clock, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isAnswered: boolean) => {
      late.cancel()
      worker.off('message', onMessage).off('exit', onExit)
      resolve(isAnswered)
    }
    const onMessage = (message: FromThread) => {
      if (message.kind === kind) settle(true)
    }
    const onExit = () => settle(false)
    const late = clock.after(ms, () => settle(false))
    worker.on('message', onMessage).on('exit', onExit)
  })
}
