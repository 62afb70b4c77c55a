import { FlogError, invalidOption } from '../../base/errors'
import { checkTimeout, type EngineConfig, settingsOf } from './config'
import { dotOf } from './dot'
import type { EngineEvent } from './events'
import { cycleThrough, inputsOf } from './graph'
import { Machine } from './machine'
import type { Manifold, PartRef, Worker } from './part'
import type { PartRecord } from './record'
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
  /** Stops all parts in order. Idempotent; what failed before remains the answer of `wait`. */
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
    this.#checkInstallable(name, manifold)
    if (this.#machine.parts.has(name)) {
      throw refused('FLOG_ENGINE_INSTALLED', name, `"${name}" is already installed`)
    }
    this.#checkCycle(name, manifold)
    this.#machine.add(name, manifold)
  }

  replace<T>({ name }: PartRef<T>, manifold: Manifold<T>): void {
    this.#checkInstallable(name, manifold)
    const part = this.#machine.parts.get(name)
    if (part === undefined || part.leaving !== undefined) throw unknownPart(name)
    this.#checkCycle(name, manifold)
    this.#machine.replace(part, manifold)
  }

  async uninstall(name: string): Promise<void> {
    const part = this.#machine.parts.get(name)
    if (part !== undefined) return this.#machine.remove(part)
    if (!this.#machine.killed.delete(name)) throw unknownPart(name)
  }

  kill(): void {
    this.#machine.ticket(() => this.#machine.die())
  }

  wait(): Promise<void> {
    return this.#machine.done.promise
  }

  dot(): string {
    return dotOf(this.report())
  }

  report(): EngineReport {
    if (this.#last !== undefined) return this.#last
    const { parts, killed, phase, error, clock } = this.#machine
    const now = clock.monotonic()
    const entries = [...parts.values(), ...killed.values()].map(
      (part: PartRecord) => [part.name, partReport(part, now)] as const,
    )
    return {
      state: phase,
      ...(error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) }),
      manifolds: Object.fromEntries(entries),
    }
  }

  #checkInstallable(name: string, manifold: Manifold): void {
    if (this.#machine.phase !== 'started') {
      throw refused('FLOG_ENGINE_STOPPING', name, `cannot install "${name}": the engine is shutting down`)
    }
    if (!isName(name)) throw invalidOption('name', 'the name of a part', name)
    if (typeof manifold?.start !== 'function')
      throw invalidOption(`${name}.start`, 'a function', manifold?.start)
    checkInputs(`${name}.inputs`, manifold.inputs)
    checkInputs(`${name}.soft`, manifold.soft)
    checkTimeout(`${name}.startTimeoutMs`, manifold.startTimeoutMs)
    checkTimeout(`${name}.stopTimeoutMs`, manifold.stopTimeoutMs)
  }

  #checkCycle(name: string, manifold: Manifold): void {
    const own = inputsOf(manifold)
    const cycle = cycleThrough(name, (input) => {
      return input === name ? own : (this.#machine.parts.get(input)?.inputs ?? [])
    })
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

function checkInputs(option: string, given: unknown): void {
  if (given === undefined) return
  const good = Array.isArray(given) && given.every((ref: Partial<PartRef> | null) => isName(ref?.name))
  if (!good) throw invalidOption(option, 'a list of references to parts', given)
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== ''
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
