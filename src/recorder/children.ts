import type { ChildProcess } from 'node:child_process'
import type { Worker } from 'node:cluster'
import { identityOfPid, sameProcess } from '../base/identity'
import { CHILD_EXITS } from '../base/limits'
import type { ProcessIdentity } from '../base/process-identity'
import type { ProcessExit } from '../incident/black-box/recover'

interface Exit {
  readonly identity: ProcessIdentity
  readonly end: ProcessExit
}

/**
 * How the children of this process ended, which only a parent can know: what they left behind is then adopted with that
 * said in it.
 */
export class Children {
  readonly #onExit: () => void
  /** The last ones, the oldest first. */
  readonly #exits: Exit[] = []
  readonly #watched = new Map<ChildProcess, () => void>()

  /** @param onExit told after each end */
  constructor(onExit: () => void) {
    this.#onExit = onExit
  }

  /** Listens for its end, which does not keep this process alive. One that could not be started, or has ended, is passed over. */
  watch(child: ChildProcess | Worker): void {
    const running = 'process' in child ? child.process : child
    const { pid, exitCode, signalCode } = running
    if (pid === undefined || exitCode !== null || signalCode !== null || this.#watched.has(running)) return
    // Now: when it has ended, the number may be another one's.
    const identity = identityOfPid(pid)
    const onExit = (code: number | null, signal: string | null): void => {
      this.#watched.delete(running)
      this.#note({ identity, end: { ...(code !== null && { code }), ...(signal !== null && { signal }) } })
    }
    running.once('exit', onExit)
    this.#watched.set(running, () => running.off('exit', onExit))
  }

  /** How that process ended, where it was watched and is among the last that did. */
  of(identity: ProcessIdentity): ProcessExit | undefined {
    return this.#exits.findLast((exit) => sameProcess(exit.identity, identity))?.end
  }

  close(): void {
    for (const forget of this.#watched.values()) forget()
    this.#watched.clear()
  }

  #note(exit: Exit): void {
    this.#exits.push(exit)
    if (this.#exits.length > CHILD_EXITS) this.#exits.shift()
    this.#onExit()
  }
}
