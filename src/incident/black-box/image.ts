import { setImmediate as nextTurn } from 'node:timers/promises'
import { BLACK_BOX_SLICE_EVENTS } from '../../base/limits'
import { decodeEvent, peekSeq } from '../../codec/decode'
import type { LogEvent } from '../../event/event'
import {
  CONTROL_WORDS,
  frameWords,
  HEAD,
  NEXT_ORDINAL_F64,
  OUT_OF_ORDER,
  type RingHandle,
  type RingState,
  TAIL,
} from '../../ring/layout'
import type { AreaLabel } from './head'
import type { RingMark } from './superblock'

/** What was found in the copy of one ring. */
export interface ImageFindings {
  readonly state: RingState
  /** The newest event; undefined where there is none. */
  readonly newest: LogEvent | undefined
  /** Highest `seq`; -1 where there is none. */
  readonly highest: number
  /** Events that were written after the superblock. */
  readonly beyond: number
}

interface Frame {
  readonly event: LogEvent
  readonly words: number
}

/**
 * The copy of a ring, as its process left it. Nothing in it is believed: a frame counts if length and number agree at both
 * its ends, the number is the expected one, and its bytes are an event.
 *
 * ```
 *        ░░ overwritten ░░│ frame │ frame │ frame │ frame │ frame │░░ older, or half-written ░░
 *                         ↑ the walk back ends    ↑ head of the superblock ↑ the walk forward ends
 * ```
 * A process that died between its data and its superblock leaves frames beyond the head, which count. They may have
 * overwritten the oldest ones that the superblock still speaks of; these fail the test and end the walk back.
 */
export class RingImage {
  /** For a merge, after `examine()`: as a ring of the calling thread. */
  readonly handle: RingHandle
  /** The ring's words, for whoever reads them from a file. */
  readonly bytes: Uint8Array
  readonly #label: AreaLabel
  readonly #mark: RingMark
  readonly #words: Int32Array
  readonly #mask: number
  readonly #capacity: number

  /** @param mark its capacity is a power of two */
  constructor(label: AreaLabel, mark: RingMark) {
    const memory = new SharedArrayBuffer((CONTROL_WORDS + mark.capacity) * 4)
    this.handle = { memory, ...label, thread: 0 }
    this.bytes = new Uint8Array(memory, CONTROL_WORDS * 4)
    this.#label = label
    this.#mark = mark
    this.#words = new Int32Array(memory)
    this.#capacity = mark.capacity
    this.#mask = mark.capacity - 1
  }

  /**
   * Finds the frames that count, and makes them the contents of the ring. Gives way to the event loop in between.
   * @throws the signal's reason
   */
  async examine(signal?: AbortSignal): Promise<ImageFindings> {
    const found = new Found(signal)
    const { head: marked, next: nextMarked } = this.#mark
    let head = marked
    let beyond = 0
    for (;;) {
      const frame = this.#frameAt(head, nextMarked + beyond)
      if (frame === undefined || (head + frame.words - marked) >>> 0 > this.#capacity) break
      await found.take(frame.event)
      head = (head + frame.words) | 0
      beyond++
    }
    let tail = marked
    let kept = 0
    while (tail !== this.#mark.tail) {
      const frame = this.#frameBefore(tail, nextMarked - kept - 1)
      if (frame === undefined || (head - tail + frame.words) >>> 0 > this.#capacity) break
      await found.take(frame.event)
      tail = (tail - frame.words) | 0
      kept++
    }
    return this.#settle(head, tail, { beyond, kept }, found)
  }

  #settle(
    head: number,
    tail: number,
    { beyond, kept }: { readonly beyond: number; readonly kept: number },
    { newest, highest }: Found,
  ): ImageFindings {
    const { next } = this.#mark
    this.#words[HEAD] = head
    this.#words[TAIL] = tail
    this.#words[OUT_OF_ORDER] = 1
    new Float64Array(this.handle.memory, 0, CONTROL_WORDS / 2)[NEXT_ORDINAL_F64] = next + beyond
    const oldest = tail === head ? undefined : this.#frameAt(tail, next - kept)
    const state: RingState = {
      ...this.#label,
      capacityBytes: this.#capacity * 4,
      usedBytes: ((head - tail) >>> 0) * 4,
      events: kept + beyond,
      evicted: next - kept,
      oldest: oldest?.event.time ?? 0,
    }
    return { state, newest, highest, beyond }
  }

  #frameAt(position: number, ordinal: number): Frame | undefined {
    const bytes = this.#at(position)
    return this.#at(position + 1) === (ordinal | 0) ? this.#frame(position, bytes, ordinal) : undefined
  }

  #frameBefore(end: number, ordinal: number): Frame | undefined {
    const bytes = this.#at(end - 1)
    if (bytes <= 0 || bytes > this.#capacity * 4) return undefined
    return this.#frame((end - frameWords(bytes)) | 0, bytes, ordinal)
  }

  #frame(start: number, bytes: number, ordinal: number): Frame | undefined {
    const words = frameWords(bytes)
    if (bytes <= 0 || bytes > this.#capacity * 2) return undefined
    const low = ordinal | 0
    const agrees =
      this.#at(start) === bytes &&
      this.#at(start + 1) === low &&
      this.#at(start + words - 2) === low &&
      this.#at(start + words - 1) === bytes
    const event = agrees ? decoded(this.#payload(start + 2, bytes)) : undefined
    return event && { event, words }
  }

  #payload(position: number, bytes: number): Uint8Array {
    const start = (position & this.#mask) * 4
    const first = Math.min(bytes, this.bytes.length - start)
    const payload = new Uint8Array(bytes)
    payload.set(this.bytes.subarray(start, start + first))
    if (first < bytes) payload.set(this.bytes.subarray(0, bytes - first), first)
    return payload
  }

  #at(position: number): number {
    return this.#words[CONTROL_WORDS + (position & this.#mask)] as number
  }
}

class Found {
  newest: LogEvent | undefined
  highest = -1
  #events = 0
  readonly #signal: AbortSignal | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  async take(event: LogEvent): Promise<void> {
    if (event.seq > this.highest) {
      this.highest = event.seq
      this.newest = event
    }
    if (++this.#events % BLACK_BOX_SLICE_EVENTS !== 0) return
    this.#signal?.throwIfAborted()
    await nextTurn()
  }
}

/** An event in the form that our writer gives it: a merge looks for `seq` where that has it. */
function decoded(payload: Uint8Array): LogEvent | undefined {
  if (payload.length < 20 || payload[1] !== 0xcb || payload[10] !== 0xcb) return undefined
  try {
    const event = decodeEvent(payload)
    return event.seq === peekSeq(payload) ? event : undefined
  } catch {
    return undefined
  }
}
