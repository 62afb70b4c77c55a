import { peekSeq } from '../codec/decode'
import { capacityWords, CONTROL_WORDS, frameWords, HEAD, type RingHandle, TAIL } from './layout'

/** The history of one ring at one moment: its words, and where in them each event is, in the order of `seq`. */
interface Indexed {
  readonly words: Int32Array
  readonly mask: number
  readonly seqs: Float64Array
  readonly positions: Int32Array
  next: number
}

/** Takes merged events: `words` of `ring` from `position` on, modulo `mask`, hold the event's `bytes` bytes. */
export interface MergeTarget {
  event(seq: number, bytes: number, words: Int32Array, position: number, mask: number): void
}

export interface MergeOptions {
  /** Rings of this thread are read in place; those of others are copied first and checked after. */
  readonly ownThread: number
  /** Last `seq` wanted. */
  readonly until: number
  /** Newest bytes of history wanted, in all; more is left out from the old end. Default: no limit. */
  readonly maxBytes?: number
}

/**
 * Hands over the history of all rings, merged by `seq`. Within a ring events are nearly in order: where a logger stamped
 * an event before it was encoded they may be out of order by a few, and are sorted.
 *
 * @returns events handed over, and those left out because of `maxBytes`
 */
export function mergeHistory(
  rings: readonly RingHandle[],
  target: MergeTarget,
  options: MergeOptions,
): { readonly events: number; readonly omitted: number } {
  const indexed = rings.map((ring) => indexOf(ring, ring.thread === options.ownThread))
  const omitted = options.maxBytes === undefined ? 0 : skipOldest(indexed, options.maxBytes)
  let events = 0
  for (;;) {
    const run = nextRun(indexed, options.until)
    if (run === undefined) return { events, omitted }
    const { ring, until } = run
    while (ring.next < ring.seqs.length && (ring.seqs[ring.next] as number) <= until) {
      const position = ring.positions[ring.next] as number
      const bytes = ring.words[CONTROL_WORDS + (position & ring.mask)] as number
      target.event(ring.seqs[ring.next] as number, bytes, ring.words, position + 2, ring.mask)
      ring.next++
      events++
    }
  }
}

/** The ring whose next event is the oldest, and the `seq` up to which it stays the oldest. */
function nextRun(rings: readonly Indexed[], last: number): { readonly ring: Indexed; readonly until: number } | undefined {
  let ring: Indexed | undefined
  let lowest = last + 1
  let until = last
  for (const candidate of rings) {
    if (candidate.next >= candidate.seqs.length) continue
    const seq = candidate.seqs[candidate.next] as number
    if (seq < lowest) {
      until = Math.min(lowest, last)
      lowest = seq
      ring = candidate
    } else if (seq < until) until = seq
  }
  return ring === undefined ? undefined : { ring, until }
}

function indexOf(handle: RingHandle, own: boolean): Indexed {
  const shared = new Int32Array(handle.memory)
  const mask = capacityWords(handle.memory) - 1
  const head = Atomics.load(shared, HEAD)
  const words = own ? shared : shared.slice()
  // What the writer gave up while it was copied may be torn: only from the tail of now on are the frames whole.
  const tail = Atomics.or(shared, TAIL, 0)
  const positions = framesOf(words, mask, tail, head)
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  const seqs = new Float64Array(positions.length)
  for (let i = 0; i < positions.length; i++) seqs[i] = seqAt(bytes, words, positions[i] as number, mask)
  return { words, mask, next: 0, ...inOrder(seqs, positions) }
}

function framesOf(words: Int32Array, mask: number, tail: number, head: number): Int32Array {
  const used = (head - tail) | 0
  // The smallest event has 23 bytes, so its frame 10 words.
  const positions = new Int32Array(Math.max(0, Math.ceil(used / 10)))
  let count = 0
  for (let at = 0; at < used; count++) {
    positions[count] = (tail + at) | 0
    at += frameWords(words[CONTROL_WORDS + ((tail + at) & mask)] as number)
  }
  return positions.subarray(0, count)
}

const acrossTheEnd = new Uint8Array(16)

function seqAt(bytes: Uint8Array, words: Int32Array, position: number, mask: number): number {
  const start = (position + 2) & mask
  if (start + 3 <= mask + 1) return peekSeq(bytes, (CONTROL_WORDS + start) * 4)
  const joined = new Int32Array(acrossTheEnd.buffer)
  for (let i = 0; i < 4; i++) joined[i] = words[CONTROL_WORDS + ((start + i) & mask)] as number
  return peekSeq(acrossTheEnd)
}

/** As they are where they are in order, which is nearly always; else sorted. */
function inOrder(seqs: Float64Array, positions: Int32Array): Pick<Indexed, 'seqs' | 'positions'> {
  let sorted = true
  for (let i = 1; i < seqs.length && sorted; i++) sorted = (seqs[i - 1] as number) < (seqs[i] as number)
  if (sorted) return { seqs, positions }
  const order = Array.from(seqs.keys()).sort((a, b) => (seqs[a] as number) - (seqs[b] as number))
  return {
    seqs: Float64Array.from(order, (i) => seqs[i] as number),
    positions: Int32Array.from(order, (i) => positions[i] as number),
  }
}

/** Moves each ring's start to the newest `maxBytes` of all rings together. */
function skipOldest(rings: readonly Indexed[], maxBytes: number): number {
  const ends = rings.map((ring) => ring.seqs.length)
  let bytes = 0
  for (;;) {
    let newest = -1
    for (let i = 0; i < rings.length; i++) {
      const end = ends[i] as number
      if (end > 0 && (newest < 0 || lastSeq(rings, ends, i) > lastSeq(rings, ends, newest))) newest = i
    }
    if (newest < 0) break
    const ring = rings[newest] as Indexed
    const at = ring.positions[(ends[newest] as number) - 1] as number
    bytes += frameWords(ring.words[CONTROL_WORDS + (at & ring.mask)] as number) * 4
    if (bytes > maxBytes) break
    ends[newest] = (ends[newest] as number) - 1
  }
  rings.forEach((ring, i) => {
    ring.next = ends[i] as number
  })
  return ends.reduce((sum, end) => sum + end, 0)
}

function lastSeq(rings: readonly Indexed[], ends: readonly number[], i: number): number {
  return (rings[i] as Indexed).seqs[(ends[i] as number) - 1] as number
}
