import { capacityWords, type RingHandle } from '../../ring/layout'
import { AREAS_AT, areaBytes } from './layout'
import { RingCopy } from './ring-copy'

/** What all rings of a black box may take. */
export interface Room {
  readonly rings: number
  readonly bytes: number
}

/**
 * Which ring has which part of a black box's file.
 *
 * ```
 *   free ──add──> there ──ended──> history ──room is needed: the thread that ended longest ago first──> free
 *                                     └──forget, settle──> history in the file alone ──likewise──> free
 * ```
 * The rings of one thread give way together. Nothing here writes: whoever does has to see to it that no superblock that
 * counts names a part that is written for another ring.
 */
export class Areas {
  readonly #room: Room
  readonly #rings = new Set<RingCopy>()
  readonly #held = new Map<RingHandle, RingCopy>()
  /** The thread that ended longest ago first. */
  #ended: (readonly RingCopy[])[] = []
  readonly #forgotten: RingHandle[] = []
  #overruns = 0

  constructor(room: Room) {
    this.#room = room
  }

  /** In the order in which they came. */
  get rings(): readonly RingCopy[] {
    return [...this.#rings]
  }

  has(ring: RingCopy): boolean {
    return this.#rings.has(ring)
  }

  /** Whether one of them holds what the file does not. */
  get isBehind(): boolean {
    for (const ring of this.#rings) if (ring.isBehind) return true
    return false
  }

  /** Events that were overwritten in their rings before they could be copied, also in rings that gave way. */
  get overruns(): number {
    let sum = this.#overruns
    for (const ring of this.#rings) sum += ring.mark.overruns
    return sum
  }

  /** Position in the file behind all areas. */
  get end(): number {
    let end = AREAS_AT
    for (const ring of this.#rings) end = Math.max(end, ring.end)
    return end
  }

  /** @returns false where there is no room, also if all threads that ended gave way; then none does */
  add(handle: RingHandle): boolean {
    const bytes = areaBytes(capacityWords(handle.memory))
    const ended = new Set(this.#ended.flat())
    if (
      this.#placeAmong(
        this.rings.filter((ring) => !ended.has(ring)),
        bytes,
      ) === undefined
    )
      return false
    let offset = this.#placeAmong(this.rings, bytes)
    while (offset === undefined) {
      for (const ring of this.#ended.shift() ?? []) this.#drop(ring)
      offset = this.#placeAmong(this.rings, bytes)
    }
    const ring = new RingCopy(handle, offset)
    this.#rings.add(ring)
    this.#held.set(handle, ring)
    return true
  }

  /** Their thread writes no more: they are history, and give way where room is needed. */
  ended(handles: readonly RingHandle[]): void {
    const rings = handles.map((handle) => this.#held.get(handle)).filter((ring) => ring !== undefined)
    const earlier = this.#ended.filter((thread) => thread.some((ring) => this.#rings.has(ring)))
    this.#ended = rings.length > 0 ? [...earlier, rings] : earlier
  }

  /** Their memory is to be let go by the next {@link settle}. */
  forget(handles: readonly RingHandle[]): void {
    this.#forgotten.push(...handles)
  }

  /**
   * Lets the memory of forgotten rings go: what the file has of them stays.
   * @param isInFile of a ring whether the file has any of it; others are dropped
   */
  settle(isInFile: (ring: RingCopy) => boolean): void {
    for (const handle of this.#forgotten.splice(0)) {
      const ring = this.#held.get(handle)
      if (ring === undefined) continue
      this.#held.delete(handle)
      ring.letGo()
      if (!isInFile(ring)) this.#drop(ring)
    }
  }

  /** Nobody knows what the file has of what was written last. */
  doubt(): void {
    for (const ring of this.#rings) ring.startAnew()
  }

  /** The file is another one: what only the earlier one had is lost. */
  startAnew(): void {
    for (const ring of this.#rings) if (ring.handle === undefined) this.#drop(ring)
    this.doubt()
  }

  #drop(ring: RingCopy): void {
    if (!this.#rings.delete(ring)) return
    this.#overruns += ring.mark.overruns
    if (ring.handle !== undefined) this.#held.delete(ring.handle)
  }

  /** The first place between or behind `rings` that is large enough; undefined where there is none. */
  #placeAmong(rings: readonly RingCopy[], bytes: number): number | undefined {
    if (rings.length >= this.#room.rings) return undefined
    let offset = AREAS_AT
    for (const ring of [...rings].sort((a, b) => a.offset - b.offset)) {
      if (ring.offset - offset >= bytes) return offset
      offset = ring.end
    }
    return offset + bytes <= AREAS_AT + this.#room.bytes ? offset : undefined
  }
}
