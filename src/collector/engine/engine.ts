import { FlogError, messageOf } from '../../base/errors'
import { type EngineConfig, settingsOf } from './config'
import { type Declaration, declarationOf } from './declaration'
import { dotOf } from './dot'
import type { EngineEvent } from './events'
import { Machine } from './machine'
import type { Manifold, PartRef, Worker } from './part'
import { type EngineReport, partReport } from './report'

/** Whatever parts can be added to. */
export interface Installer {
  /**
   * Its inputs need not be there yet.
   * @throws FLOG_ENGINE_STOPPING, FLOG_ENGINE_INSTALLED, FLOG_ENGINE_CYCLE, FLOG_OPTION_INVALID
   */
  install<T>(part: PartRef<T>, manifold: Manifold<T>): void
}

/**
 * Runs parts: starts each when its inputs are there, starts it again when one comes or goes and, ever later, when it failed;
 * stops all of them, dependents first, when told to or when one fails fatally.
 */
export interface Engine extends Worker, Installer {
  /**
   * A new version of a part that is installed. It bounces, and so does all that depends on it; nothing else does.
   * @throws as `install`, and FLOG_ENGINE_UNKNOWN
   */
  replace<T>(part: PartRef<T>, manifold: Manifold<T>): void
  /**
   * Resolves when the part has stopped and is forgotten. Its dependents keep its name, and wait for another one.
   * Rejects with FLOG_ENGINE_UNKNOWN, or with FLOG_ENGINE_ABANDONED where it does not stop in time.
   */
  uninstall(name: string): Promise<void>
  /** At any time; after the end it is what it was at the end. */
  report(): EngineReport
  /** The graph, in the language of Graphviz. */
  dot(): string
  /** All that happens from when somebody begins to read; comes to an end with the engine. */
  readonly events: AsyncIterable<EngineEvent>
  /**
   * Stops all parts in order. Idempotent; what failed before remains the answer of `wait`.
   * @param reason shown in the report and in the `dying` event; parts find it as the cause of their signal's reason
   */
  kill(reason?: unknown): void
  /** Resolves when all parts have stopped or were abandoned; rejects with the worst fatal error, as `filter` leaves it. */
  wait(): Promise<void>
}

/** @throws FLOG_OPTION_INVALID */
export function createEngine(config: EngineConfig): Engine {
  return new PartEngine(new Machine(settingsOf(config)))
}

class PartEngine implements Engine {
  readonly #machine: Machine
  #last: EngineReport | undefined

  constructor(machine: Machine) {
    this.#machine = machine
    machine.onDone = () => {
      this.#last = this.report()
    }
  }

  get events(): AsyncIterable<EngineEvent> {
    return this.#machine.journal.events
  }

  install<T>({ name }: PartRef<T>, manifold: Manifold<T>): void {
    this.#checkTakesParts(name)
    const declaration = declarationOf(name, manifold)
    const part = this.#machine.roster.get(name)
    if (part !== undefined) {
      const why =
        part.leaving === undefined ? '' : ': it is being removed, and keeps its name until its worker is gone'
      throw refused('FLOG_ENGINE_INSTALLED', name, `"${name}" is already installed${why}`)
    }
    this.#checkCycle(name, declaration)
    this.#machine.add(name, declaration)
  }

  replace<T>({ name }: PartRef<T>, manifold: Manifold<T>): void {
    this.#checkTakesParts(name)
    const declaration = declarationOf(name, manifold)
    const part = this.#machine.roster.get(name)
    if (part === undefined || part.leaving !== undefined) throw unknownPart(name)
    this.#checkCycle(name, declaration)
    this.#machine.replace(part, declaration)
  }

  async uninstall(name: string): Promise<void> {
    const part = this.#machine.roster.get(name)
    if (part !== undefined) return this.#machine.remove(part)
    if (!this.#machine.roster.forget(name)) throw unknownPart(name)
  }

  kill(reason?: unknown): void {
    this.#machine.kill(reason)
  }

  wait(): Promise<void> {
    return this.#machine.done.promise
  }

  dot(): string {
    return dotOf(this.report())
  }

  report(): EngineReport {
    if (this.#last !== undefined) return this.#last
    const { roster, phase, error, reason, clock } = this.#machine
    const now = clock.monotonic()
    const entries = roster.all.map((part) => [part.name, partReport(part, now)] as const)
    return {
      state: phase,
      ...(error === undefined ? {} : { error: messageOf(error) }),
      ...(reason === undefined ? {} : { reason: messageOf(reason) }),
      manifolds: Object.fromEntries(entries),
    }
  }

  #checkTakesParts(name: string): void {
    if (this.#machine.takesParts) return
    throw refused('FLOG_ENGINE_STOPPING', name, `cannot install "${name}": the engine is shutting down`)
  }

  #checkCycle(name: string, declaration: Declaration): void {
    const cycle = this.#machine.roster.cycleWith(name, declaration)
    if (cycle === undefined) return
    throw refused(
      'FLOG_ENGINE_CYCLE',
      name,
      `cannot install "${name}": its inputs go in a circle, ${way(cycle)}`,
    )
  }
}

/** `a ← b` says that a has b for an input. */
export function way(cycle: readonly string[]): string {
  return cycle.join(' ← ')
}

function refused(
  code: 'FLOG_ENGINE_INSTALLED' | 'FLOG_ENGINE_CYCLE' | 'FLOG_ENGINE_STOPPING',
  part: string,
  message: string,
): FlogError {
  return new FlogError(code, message, { details: { part } })
}

function unknownPart(name: string): FlogError {
  return new FlogError('FLOG_ENGINE_UNKNOWN', `no part "${name}" is installed`, { details: { part: name } })
}
