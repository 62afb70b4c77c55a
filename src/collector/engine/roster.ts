import { ENGINE_KILLED } from '../../base/limits'
import type { Declaration } from './declaration'
import { cycleThrough, Dependents } from './graph'
import { PartRecord } from './record'
import type { Inputs } from './snapshot'

/** Who is installed, who was removed because of its errors, and who has whom for an input. */
export class Roster {
  readonly #parts = new Map<string, PartRecord>()
  readonly #killed = new Map<string, PartRecord>()
  readonly #dependents = new Dependents()

  get parts(): Iterable<PartRecord> {
    return this.#parts.values()
  }

  /** Also those that were killed. */
  get all(): readonly PartRecord[] {
    return [...this.#parts.values(), ...this.#killed.values()]
  }

  get(name: string): PartRecord | undefined {
    return this.#parts.get(name)
  }

  dependentsOf({ name }: PartRecord): readonly PartRecord[] {
    return this.#dependents.of(name).flatMap((dependent) => this.#parts.get(dependent) ?? [])
  }

  /** What a part would be given if it were started now. */
  inputsOf({ declaration: { declared } }: PartRecord): Inputs {
    const running = new Map<string, unknown>()
    for (const name of declared) {
      const run = this.#parts.get(name)?.run
      if (run?.available === true) running.set(name, run.output)
    }
    return { declared, running }
  }

  /** The circle that there would be with a part; undefined where there would be none. */
  cycleWith(name: string, { declared, inputs }: Declaration): readonly string[] | undefined {
    if (this.#dependents.of(name).length === 0 && !declared.has(name)) return undefined
    return cycleThrough(name, (input) => (input === name ? inputs : (this.get(input)?.inputs ?? [])))
  }

  add(name: string, declaration: Declaration): PartRecord {
    const part = new PartRecord(name, declaration)
    this.#parts.set(name, part)
    this.#killed.delete(name)
    this.#dependents.add(name, part.inputs)
    return part
  }

  replace(part: PartRecord, declaration: Declaration): void {
    this.#dependents.remove(part.name, part.inputs)
    part.declaration = declaration
    this.#dependents.add(part.name, part.inputs)
  }

  remove(part: PartRecord): void {
    this.#parts.delete(part.name)
    this.#dependents.remove(part.name, part.inputs)
    if (part.killed) this.#bury(part)
  }

  /** @returns whether there was one that was killed */
  forget(name: string): boolean {
    return this.#killed.delete(name)
  }

  #bury(part: PartRecord): void {
    this.#killed.set(part.name, part)
    const [oldest] = this.#killed.keys()
    if (this.#killed.size > ENGINE_KILLED && oldest !== undefined) this.#killed.delete(oldest)
  }
}
