import { DAMAGE_ENTRIES } from '../base/limits'

/** A part of a file that could not be read as it was written. */
export interface Damage {
  /** `truncated`: the file just ends. `corrupt`: bytes are there, and they are wrong. */
  readonly what: 'truncated' | 'corrupt'
  /** What `offset` and `bytes` count: bytes of the plain file, or of the compressed one. */
  readonly layer: 'plain' | 'gzip'
  readonly offset: number
  readonly bytes: number
  readonly message: string
  /** Events that went with it; absent where nobody knows. 0 where all of them could be read nevertheless. */
  readonly eventsLost?: number
}

/**
 * What a file is worth, known at its end.
 *
 * `whole`: nothing is missing. `open`: ends after a whole block, without a trailer; it may be growing still, or its process
 * died. `truncated`: ends in the middle of something. `corrupt`: something in it is damaged.
 */
export interface Verdict {
  readonly state: 'whole' | 'open' | 'truncated' | 'corrupt'
  /** Events that were read. */
  readonly events: number
  /** Events that should be in the file and were not read; absent where that is not known. */
  readonly eventsLost?: number
  /** The first hundred damages, in order. */
  readonly damage: readonly Damage[]
  readonly damageOmitted: number
  /** Bytes of the plain file, as far as it could be read. */
  readonly plainBytes: number
  /** Bytes of the plain file up to the end of its last whole block: blocks may be appended there. */
  readonly wholeBytes: number
  /** The file's sync marker; absent where neither magic line nor header told it. */
  readonly sync?: Uint8Array
  readonly hasHeader: boolean
  readonly hasTrailer: boolean
}

/** Gathers damages in bounded memory, and judges. */
export class DamageLog {
  readonly #listed: Damage[] = []
  #omitted = 0
  #corrupt = false
  #truncated = false
  #eventsLost: number | undefined = 0

  get isEmpty(): boolean {
    return this.#listed.length === 0
  }

  add(damage: Damage): void {
    if (this.#listed.length < DAMAGE_ENTRIES) this.#listed.push(damage)
    else this.#omitted++
    if (damage.what === 'corrupt') this.#corrupt = true
    else this.#truncated = true
    this.#eventsLost = sum(this.#eventsLost, damage.eventsLost)
  }

  /** @param expected events according to the trailer, where there is one */
  verdict(
    seen: Omit<Verdict, 'state' | 'eventsLost' | 'damage' | 'damageOmitted'>,
    expected?: number,
  ): Verdict {
    const lost = expected === undefined ? this.#eventsLost : Math.max(0, expected - seen.events)
    return {
      state: this.#state(seen.hasTrailer),
      ...seen,
      ...(lost !== undefined && { eventsLost: lost }),
      damage: this.#listed,
      damageOmitted: this.#omitted,
    }
  }

  #state(hasTrailer: boolean): Verdict['state'] {
    if (this.#corrupt) return 'corrupt'
    if (this.#truncated) return 'truncated'
    return hasTrailer ? 'whole' : 'open'
  }
}

/** Adds counts of which either may be unknown. */
export function sum(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other
}
