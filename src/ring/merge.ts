import {
  CONTROL_WORDS,
  capacityWords,
  frameWords,
  HEAD,
  NEXT_ORDINAL_F64,
  OUT_OF_ORDER,
  type RingHandle,
  TAIL,
} from './layout'
import type { LivePosition } from './live'

export interface Merged {
  /** Events handed over, and those left out because of `maxBytes`. */
  readonly events: number
  readonly omitted: number
  /** Behind the newest events that the rings held: a live reader that starts there shows what came afterwards. */
  readonly end: LivePosition
}

/** Takes merged events: `words` of a ring from `position` on, modulo `mask`, hold the event's `bytes` bytes. */
export interface MergeTarget {
  event(seq: number, bytes: number, words: Int32Array, position: number, mask: number): void
}

export interface MergeOptions {
  /** Rings of this thread are read in place; those of others are copied first and checked after. */
  readonly ownThread: number
  /** Last `seq` wanted. */
  readonly until: number
  /** Last `seq` wanted of the rings of other threads; default `until`. */
  readonly untilOfOthers?: number
  /** Newest bytes of history wanted, in all; more is left out from the old end. Default: no limit. */
  readonly maxBytes?: number
}

/**
 * Hands over the history of all rings, merged by `seq`. Within a ring events are nearly in order: where a logger stamped
 * an event before it was encoded they may be out of order by a few; such a ring is sorted first.
 */
export function mergeHistory(
  rings: readonly RingHandle[],
  target: MergeTarget,
  options: MergeOptions,
): Merged {
  const ends: number[] = []
  const cursors = rings.map((ring) => cursorOf(ring, ring.thread === options.ownThread, ends))
  const { untilOfOthers = options.until } = options
  if (untilOfOthers > options.until) {
    rings.forEach(({ thread }, i) => {
      if (thread === options.ownThread) cursors[i]?.endAt(options.until)
    })
  }
  // The end of a ring is at Infinity.
  const until = Math.min(untilOfOthers, Number.MAX_SAFE_INTEGER)
  const omitted = options.maxBytes === undefined ? 0 : skipOldest(cursors, options.maxBytes, until)
  return { events: mergeCursors(cursors, target, until), omitted, end: { ordinals: ends } }
}

/**
 * Again and again the cursor whose next event is the oldest, as far as it stays the oldest. There are about six of them, so
 * looking at each is faster than keeping them in order.
 */
function mergeCursors(cursors: readonly Cursor[], target: MergeTarget, last: number): number {
  let events = 0
  for (;;) {
    let cursor: Cursor | undefined
    let lowest = last + 1
    let until = last
    for (let i = 0; i < cursors.length; i++) {
      const candidate = cursors[i] as Cursor
      const seq = candidate.seq
      if (seq < lowest) {
        if (lowest <= last) until = lowest
        lowest = seq
        cursor = candidate
      } else if (seq < until) until = seq
    }
    if (cursor === undefined) return events
    events += cursor.run(until, target)
  }
}

function cursorOf(handle: RingHandle, own: boolean, ends: number[]): Cursor {
  const shared = new Int32Array(handle.memory)
  const mask = capacityWords(handle.memory) - 1
  const head = Atomics.load(shared, HEAD)
  const words = own ? shared : shared.slice()
  // What the writer gave up while it was copied may be torn: only from the tail of now on are the frames whole.
  const tail = Atomics.or(shared, TAIL, 0)
  const passed = ((head - tail) | 0) < 0
  ends.push(ordinalBehind(words, mask, head, handle.memory))
  const cursor = new Cursor(words, mask, passed ? head : tail, head)
  return Atomics.load(shared, OUT_OF_ORDER) === 0 || cursor.isInOrder() ? cursor : sorted(cursor)
}

/** Number of the frame that comes at `head`, from the one before it: the count beside the head may lag by one. */
function ordinalBehind(words: Int32Array, mask: number, head: number, memory: SharedArrayBuffer): number {
  const next = new Float64Array(memory, 0, CONTROL_WORDS / 2)[NEXT_ORDINAL_F64] as number
  const low = words[CONTROL_WORDS + ((head - 2) & mask)] as number
  const isUnused = next === 0 && (words[TAIL] as number) === head
  return isUnused ? 0 : next - (((next | 0) - low) >>> 0) + 1
}

/** Walks the frames of one ring. */
class Cursor {
  readonly words: Int32Array
  readonly mask: number
  /** Position after the last frame. */
  end: number
  position: number
  /** Of the event at the position; Infinity at the end. */
  seq: number
  readonly #view: DataView
  readonly #joined = new DataView(new ArrayBuffer(16))

  constructor(words: Int32Array, mask: number, position: number, end: number) {
    this.words = words
    this.mask = mask
    this.#view = new DataView(words.buffer, words.byteOffset, words.byteLength)
    this.position = position
    this.end = end
    this.seq = this.seqAt(position)
  }

  /** Hands over the events from here up to `until`. @returns how many */
  run(until: number, target: MergeTarget): number {
    const { words, mask } = this
    let events = 0
    let { seq, position } = this
    while (seq <= until) {
      const bytes = words[CONTROL_WORDS + (position & mask)] as number
      target.event(seq, bytes, words, position + 2, mask)
      position = (position + frameWords(bytes)) | 0
      seq = this.seqAt(position)
      events++
    }
    this.position = position
    this.seq = seq
    return events
  }

  isInOrder(): boolean {
    let seq = -1
    for (let at = this.position; at !== this.end; at = this.after(at)) {
      const next = this.seqAt(at)
      if (next < seq) return false
      seq = next
    }
    return true
  }

  /** Position of the frame behind the one at `position`. */
  after(position: number): number {
    return (position + this.wordsAt(position)) | 0
  }

  /** Position of the frame before the one at `position`: frames carry their length at both ends. */
  before(position: number): number {
    return (position - frameWords(this.words[CONTROL_WORDS + ((position - 1) & this.mask)] as number)) | 0
  }

  /** Position behind the last frame up to `until`. */
  endOf(until: number): number {
    let at = this.end
    while (at !== this.position && this.seqAt(this.before(at)) > until) at = this.before(at)
    return at
  }

  /** Gives up what comes after `until`. */
  endAt(until: number): void {
    this.end = this.endOf(until)
    this.seq = this.seqAt(this.position)
  }

  wordsAt(position: number): number {
    return frameWords(this.words[CONTROL_WORDS + (position & this.mask)] as number)
  }

  /** `seq` of the frame at `position`, Infinity at the end: the float64 behind the event's first two bytes. */
  seqAt(position: number): number {
    if (position === this.end) return Number.POSITIVE_INFINITY
    const start = (position + 2) & this.mask
    if (start + 3 <= this.mask) return this.#view.getFloat64((CONTROL_WORDS + start) * 4 + 2)
    for (let i = 0; i < 3; i++) {
      const word = this.words[CONTROL_WORDS + ((start + i) & this.mask)] as number
      this.#joined.setInt32(i * 4, word, true)
    }
    return this.#joined.getFloat64(2)
  }
}

/** The same frames in the order of `seq`, in memory of their own. */
function sorted(cursor: Cursor): Cursor {
  const frames: { readonly position: number; readonly seq: number }[] = []
  for (let at = cursor.position; at !== cursor.end; at = cursor.after(at)) {
    frames.push({ position: at, seq: cursor.seqAt(at) })
  }
  frames.sort((a, b) => a.seq - b.seq)
  const words = new Int32Array(cursor.words.length)
  let to = 0
  for (const { position } of frames) {
    const length = cursor.wordsAt(position)
    for (let i = 0; i < length; i++) {
      words[CONTROL_WORDS + to + i] = cursor.words[CONTROL_WORDS + ((position + i) & cursor.mask)] as number
    }
    to += length
  }
  return new Cursor(words, cursor.mask, 0, to)
}

/** Moves each cursor to the newest `maxBytes` up to `until`, of all rings together. @returns events passed over */
function skipOldest(cursors: readonly Cursor[], maxBytes: number, until: number): number {
  const starts = cursors.map((cursor) => cursor.endOf(until))
  let bytes = 0
  for (;;) {
    let newest = -1
    let highest = -1
    cursors.forEach((cursor, i) => {
      const start = starts[i] as number
      if (start === cursor.position) return
      const seq = cursor.seqAt(cursor.before(start))
      if (seq > highest) {
        highest = seq
        newest = i
      }
    })
    const cursor = cursors[newest]
    if (cursor === undefined) break
    const before = cursor.before(starts[newest] as number)
    bytes += cursor.wordsAt(before) * 4
    if (bytes > maxBytes) break
    starts[newest] = before
  }
  return cursors.reduce((omitted, cursor, i) => omitted + skipTo(cursor, starts[i] as number), 0)
}

function skipTo(cursor: Cursor, start: number): number {
  let skipped = 0
  for (; cursor.position !== start; skipped++) cursor.position = cursor.after(cursor.position)
  cursor.seq = cursor.seqAt(start)
  return skipped
}
