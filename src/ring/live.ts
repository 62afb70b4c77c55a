import { peekSeq } from '../codec/decode'
import type { ControlBlock } from './control'
import type { RingHandle } from './layout'
import { RingReader } from './reader'

/** A place in the stream of all rings: for each ring the number of the first frame that was not read. */
export interface LivePosition {
  readonly ordinals: readonly number[]
}

export interface LiveFrame {
  readonly seq: number
  /** Index of the ring in the list that the reader was given. */
  readonly ring: number
  /** The encoded event, in memory of its own. */
  readonly payload: Uint8Array
}

/**
 * Follows all rings of a process at once, in any thread, without the writers noticing: history first where wanted, then what
 * comes, in the order of `seq`, none twice, and what was overwritten before it could be read is counted exactly.
 */
export class LiveReader {
  readonly #control: ControlBlock
  readonly #readers: readonly RingReader[]

  /** @param start `now`, `oldest`, or where another reader stopped; a position of other rings counts as `oldest` */
  constructor(rings: readonly RingHandle[], control: ControlBlock, start: 'now' | 'oldest' | LivePosition) {
    this.#control = control
    this.#readers = rings.map((ring, i) => {
      if (typeof start === 'string') return new RingReader(ring, start)
      return new RingReader(ring, start.ordinals[i] ?? 'oldest')
    })
  }

  /**
   * The next events, oldest first, up to `max`. The last published `seq` is noted before any ring is looked at: an event
   * that comes while the rings are read waits for the next call, else it could overtake an older one of another ring.
   */
  read(max: number): readonly LiveFrame[] {
    const watermark = this.#control.published
    const frames: LiveFrame[] = []
    while (frames.length < max) {
      const ring = this.#oldest(watermark)
      if (ring < 0) break
      const frame = (this.#readers[ring] as RingReader).next()
      if (frame === undefined) break
      frames.push({ seq: peekSeq(frame.payload), ring, payload: frame.payload })
    }
    return frames
  }

  /** Events that were overwritten before they could be read, since the last call. */
  takeMissed(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.takeMissed(), 0)
  }

  position(): LivePosition {
    return { ordinals: this.#readers.map((reader) => reader.ordinal) }
  }

  #oldest(watermark: number): number {
    let ring = -1
    let lowest = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#readers.length; i++) {
      const frame = (this.#readers[i] as RingReader).peek()
      if (frame === undefined) continue
      const seq = peekSeq(frame.payload)
      if (seq <= watermark && seq < lowest) {
        lowest = seq
        ring = i
      }
    }
    return ring
  }
}
