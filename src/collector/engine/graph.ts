import type { Manifold } from './part'

/** The inputs of a manifold, each once: those that it cannot do without, and all of them, the former first. */
export function inputsOf({ inputs = [], soft = [] }: Pick<Manifold, 'inputs' | 'soft'>): {
  readonly hard: readonly string[]
  readonly inputs: readonly string[]
} {
  const hard = [...new Set(inputs.map(({ name }) => name))]
  return { hard, inputs: [...new Set([...hard, ...soft.map(({ name }) => name)])] }
}

/** A way through the graph, from its end: a list would have to be copied for each step. */
interface Way {
  readonly name: string
  readonly from: Way | undefined
}

/**
 * A way from a part along inputs back to itself, as names with the part at both ends; undefined where there is none.
 * @param inputs those of each part; nothing for a part that is not known
 */
export function cycleThrough(
  start: string,
  inputs: (name: string) => readonly string[],
): readonly string[] | undefined {
  const seen = new Set<string>()
  const ways: Way[] = onwards({ name: start, from: undefined })
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    if (way.name === start) return namesOf(way)
    if (seen.has(way.name)) continue
    seen.add(way.name)
    for (const next of onwards(way)) ways.push(next)
  }
  return undefined

  /** In reverse, so that the first input is taken first. */
  function onwards(from: Way): Way[] {
    return inputs(from.name)
      .map((name) => ({ name, from }))
      .reverse()
  }
}

/** The first cycle among manifolds that are not installed yet; undefined where there is none. */
export function findCycle(manifolds: Readonly<Record<string, Manifold>>): readonly string[] | undefined {
  const inputs = new Map(
    Object.entries(manifolds).map(([name, manifold]) => [name, inputsOf(manifold).inputs]),
  )
  const free = new Set<string>()
  for (const root of inputs.keys()) {
    const cycle = cycleFrom(root, (name) => inputs.get(name) ?? [], free)
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/**
 * A cycle that is reached from a part; undefined where there is none.
 * @param free parts from which none is reached; those that turn out to be so are added
 */
function cycleFrom(
  root: string,
  inputs: (name: string) => readonly string[],
  free: Set<string>,
): readonly string[] | undefined {
  // An iterator a part, and not a call: a long chain would overflow the stack.
  const open = new Map<string, Iterator<string>>([[root, inputs(root).values()]])
  const path = [root]
  for (let name = path.at(-1); name !== undefined; name = path.at(-1)) {
    const next = open.get(name)?.next()
    if (next === undefined || next.done === true) {
      open.delete(name)
      free.add(name)
      path.pop()
    } else if (open.has(next.value)) {
      return [...path.slice(path.indexOf(next.value)), next.value]
    } else if (!free.has(next.value)) {
      open.set(next.value, inputs(next.value).values())
      path.push(next.value)
    }
  }
  return undefined
}

function namesOf(end: Way): readonly string[] {
  const names: string[] = []
  for (let way: Way | undefined = end; way !== undefined; way = way.from) names.push(way.name)
  return names.reverse()
}

/** Who has whom for an input, in the order in which they came. */
export class Dependents {
  readonly #of = new Map<string, Set<string>>()

  add(name: string, inputs: readonly string[]): void {
    for (const input of inputs) {
      const names = this.#of.get(input)
      if (names === undefined) this.#of.set(input, new Set([name]))
      else names.add(name)
    }
  }

  remove(name: string, inputs: readonly string[]): void {
    for (const input of inputs) {
      const names = this.#of.get(input)
      names?.delete(name)
      if (names?.size === 0) this.#of.delete(input)
    }
  }

  of(name: string): readonly string[] {
    return [...(this.#of.get(name) ?? [])]
  }
}
