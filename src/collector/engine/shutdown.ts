import type { PartRecord } from './record'

/** The order of an end: who still goes on, and how many of them need each part. Nothing starts any more. */
export class Shutdown {
  /** With what each of them needs. */
  readonly #on = new Map<PartRecord, readonly string[]>()
  readonly #needs = new Map<string, number>()

  constructor(parts: Iterable<PartRecord>) {
    for (const part of parts) {
      if (!part.live) continue
      const { holds } = part
      this.#on.set(part, holds)
      for (const name of holds) this.#needs.set(name, (this.#needs.get(name) ?? 0) + 1)
    }
  }

  get over(): boolean {
    return this.#on.size === 0
  }

  needs(name: string): boolean {
    return this.#needs.has(name)
  }

  /** A part ended, or was given up. @returns what nobody needs any more on its account */
  release(part: PartRecord): readonly string[] {
    const held = this.#on.get(part) ?? []
    this.#on.delete(part)
    return held.filter((name) => {
      const rest = (this.#needs.get(name) ?? 0) - 1
      if (rest > 0) this.#needs.set(name, rest)
      else this.#needs.delete(name)
      return rest <= 0
    })
  }
}
