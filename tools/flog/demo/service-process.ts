import { type ChildProcess, fork } from 'node:child_process'
import { Problem } from '../failure'
import type { ServiceMessage, ServiceOrder } from './messages'

/** The demo's service as a process of its own. */
export class ServiceProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  readonly #waiting = new Set<(message: ServiceMessage | undefined) => void>()

  constructor(directory: string) {
    this.#child = fork(require.resolve('./service'), [directory], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: ServiceMessage) => this.#tell(message))
    this.#exited = new Promise((resolve) => {
      this.#child.on('exit', () => {
        this.#tell(undefined)
        resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  order(order: ServiceOrder): void {
    if (this.#child.connected) this.#child.send(order)
  }

  /**
   * The next message of a kind.
   * @throws Problem when the service ends before
   */
  next<K extends ServiceMessage['kind']>(
    kind: K,
    signal: AbortSignal,
  ): Promise<Extract<ServiceMessage, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(take)
        signal.removeEventListener('abort', stop)
      }
      const take = (message: ServiceMessage | undefined): void => {
        if (message !== undefined && message.kind !== kind) return
        settle()
        if (message === undefined) reject(new Problem('the service of the demo ended unexpectedly'))
        else resolve(message as Extract<ServiceMessage, { kind: K }>)
      }
      const stop = (): void => {
        settle()
        reject(new Problem('interrupted'))
      }
      this.#waiting.add(take)
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
    })
  }

  /** Ends it in good order: what is open is finished. */
  async end(): Promise<void> {
    this.order({ kind: 'end' })
    await this.#exited
  }

  #tell(message: ServiceMessage | undefined): void {
    for (const take of [...this.#waiting]) take(message)
  }
}
