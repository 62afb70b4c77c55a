import type { Manifold } from './part'

/** The inputs of a manifold, each once, hard before soft. */
export function inputsOf(manifold: Manifold): readonly string[] {
  return [...new Set([...hardInputsOf(manifold), ...(manifold.soft ?? []).map(({ name }) => name)])]
}

/** Each once; an input that is hard and soft is hard. */
export function hardInputsOf(manifold: Manifold): readonly string[] {
  return [...new Set((manifold.inputs ?? []).map(({ name }) => name))]
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
  const stack = inputs(start)
    .map((name) => [start, name])
    .reverse()
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const name = path[path.length - 1] as string
    if (name === start) return path
    if (seen.has(name)) continue
    seen.add(name)
    for (const next of [...inputs(name)].reverse()) stack.push([...path, next])
  }
  return undefined
}

/** The first cycle among manifolds that are not installed yet; undefined where there is none. */
export function findCycle(manifolds: Readonly<Record<string, Manifold>>): readonly string[] | undefined {
  const inputs = new Map(Object.entries(manifolds).map(([name, manifold]) => [name, inputsOf(manifold)]))
  for (const name of inputs.keys()) {
    const cycle = cycleThrough(name, (input) => inputs.get(input) ?? [])
    if (cycle !== undefined) return cycle
  }
  return undefined
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
