import { invalidOption } from '../../base/errors'
import { checkNames } from '../../base/names'
import { type Backoff, parseBackoff } from './backoff'

/** One kind of work that is done on subjects: at most one holder at a time for each subject. */
export interface ProcessDefinition {
  readonly name: string
  /** Processes that are never held on a subject while this one is. It counts both ways, whoever says it. */
  readonly excludes?: readonly string[]
  /** What counts when a holder dies, and when its control loop fails; default: one second, doubled up to an hour. */
  readonly backoff?: Backoff
}

/** After a failure that nobody said more about. */
export const DEFAULT_BACKOFF: Backoff = { initialMs: 1000, exponent: 2 }

const NAME = /^[a-z][a-z0-9._:/-]{0,99}$/

/** The processes that there are. A name that is not among them is a mistake of the caller, not a new process. */
export class Processes {
  readonly #byName: ReadonlyMap<string, ProcessDefinition>
  readonly #excluded = new Map<string, Set<string>>()

  /** @throws FlogError FLOG_OPTION_INVALID for a bad name, one that is there twice, or an unknown or own name in `excludes` */
  constructor(definitions: readonly ProcessDefinition[]) {
    const byName = new Map<string, ProcessDefinition>()
    for (const definition of definitions) {
      checkDefinition(definition)
      if (byName.has(definition.name)) throw invalidOption('processes', 'each name once', definition.name)
      byName.set(definition.name, definition)
      this.#excluded.set(definition.name, new Set())
    }
    this.#byName = byName
    for (const { name, excludes = [] } of definitions)
      for (const other of excludes) this.#exclude(name, other)
  }

  /** @throws FlogError FLOG_OPTION_INVALID where there is none of that name */
  get(name: string): ProcessDefinition {
    const found = this.#byName.get(name)
    if (found === undefined) throw invalidOption('process', `one of ${this.names.join(', ')}`, name)
    return found
  }

  /** What counts as the backoff of a process, also of one that only an older or newer version knows. */
  backoffOf(name: string): Backoff {
    return this.#byName.get(name)?.backoff ?? DEFAULT_BACKOFF
  }

  /** The processes that must not be held beside this one, sorted. */
  excludedBy(name: string): readonly string[] {
    return [...(this.#excluded.get(name) ?? [])].sort()
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()].sort()
  }

  #exclude(name: string, other: string): void {
    if (other === name || !this.#byName.has(other)) {
      const others = this.names.filter((known) => known !== name)
      throw invalidOption(`processes.${name}.excludes`, `other processes: ${others.join(', ')}`, other)
    }
    this.#excluded.get(name)?.add(other)
    this.#excluded.get(other)?.add(name)
  }
}

function checkDefinition(definition: ProcessDefinition): void {
  checkNames('process', definition, ['name', 'excludes', 'backoff'])
  const { name, backoff } = definition
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalidOption('process.name', 'lower-case letters, digits and ._:/-, beginning with a letter', name)
  }
  if (backoff !== undefined) parseBackoff(`processes.${name}.backoff`, backoff)
}
