import type { HeldRow } from './session-row'

/**
 * Finds work that is ours in the database, and that nobody here knows of: the answer to its claim was lost, or it could not be
 * given back. A claim that is still under way may yet hear of it, so whatever is not known is suspected first, and a stray
 * once all claims have ended that had begun before it was seen.
 */
export class Strays {
  /** Claims that have begun, ever. */
  #begun = 0
  readonly #underWay = new Set<number>()
  /** How many claims had begun when it was first seen. */
  readonly #suspects = new Map<string, number>()

  /** A claim begins. @returns what is called when its end is known here */
  claiming(): () => void {
    const number = this.#begun++
    this.#underWay.add(number)
    return () => void this.#underWay.delete(number)
  }

  /** @param unknown rows of ours that nobody here holds */
  among(unknown: readonly HeldRow[]): readonly HeldRow[] {
    const keys = new Set(unknown.map(keyOf))
    for (const key of this.#suspects.keys()) if (!keys.has(key)) this.#suspects.delete(key)
    return unknown.filter((row) => this.#isStray(keyOf(row)))
  }

  #isStray(key: string): boolean {
    const seenAt = this.#suspects.get(key) ?? this.#begun
    this.#suspects.set(key, seenAt)
    return ![...this.#underWay].some((number) => number < seenAt)
  }
}

function keyOf({ subject, process, fence }: HeldRow): string {
  return `${subject} ${process} ${fence}`
}
