/**
 * A ring in shared memory: control words, then the frames.
 *
 * ```
 *   words   0        1        2 … 3        4     16 …                                    16 + capacity
 *         ┌────────┬────────┬──────────────────┬─────────────────────────────────────────┐
 *         │ head   │ tail   │ ordinal of head  │ ░░░ free ░░░│ frame │ frame │ frame │░░░ │
 *         └────────┴────────┴──────────────────┴─────────────────────────────────────────┘
 *                                                            ↑ tail (oldest)         ↑ head (next)
 *   frame  ┌─────────┬──────────┬───────────────────────────┬──────────┬─────────┐
 *          │ length  │ ordinal  │ event, padded to 8 bytes  │ ordinal  │ length  │
 *          └─────────┴──────────┴───────────────────────────┴──────────┴─────────┘
 * ```
 *
 * Everything is 32-bit words. `head` and `tail` count words for ever, modulo 2^32; the place of a position is its
 * remainder by the capacity, a power of two, so a frame may run across the end of the memory. `length` is the event's
 * bytes; `ordinal` numbers the frames of one ring, modulo 2^32. `ordinal of head` is the number of the next frame as a
 * float64, not wrapped: what a reader needs to say how many frames it missed, exactly, after any time.
 *
 * Invariants: `head - tail` ≤ capacity. From `tail` to `head` there are whole frames only. `tail` moves before a byte of
 * the frame it gives up is overwritten; `head` moves after the last byte of the frame is written, and the ordinal after
 * `head`. A frame takes half the capacity at most, so the two words before `head` are those of the newest frame, always.
 * Empty: `tail = head`.
 */
export const HEAD = 0
export const TAIL = 1
/** Index into the same memory seen as float64. */
export const NEXT_ORDINAL_F64 = 1
/** Not 0 once an event went in behind one with a higher `seq`: only then a merge has to look at the order. */
export const OUT_OF_ORDER = 4
export const CONTROL_WORDS = 16

/** Words of a frame beside the event: length and ordinal at both ends. */
export const FRAME_OVERHEAD_WORDS = 4

/** Words that an event of `bytes` bytes takes in a ring. */
export function frameWords(bytes: number): number {
  return FRAME_OVERHEAD_WORDS + (((bytes + 7) >> 3) << 1)
}

/** What another thread needs to read a ring. Can be posted to a worker. */
export interface RingHandle {
  readonly memory: SharedArrayBuffer
  /** Short name of the band of severities: trace, debug, info, warn, error, fatal. */
  readonly severity: string
  /** The facility (and all below it) whose events are here; empty for all that have no ring of their own. */
  readonly facility: string
  /** Thread that writes; 0 is the main thread. */
  readonly thread: number
}

/** Capacity in words of a ring's memory. */
export function capacityWords(memory: SharedArrayBuffer): number {
  return memory.byteLength / 4 - CONTROL_WORDS
}

/** What a ring holds and what it let go, as the header of an incident tells it. */
export interface RingState {
  readonly severity: string
  /** Empty for the ring that all facilities share. */
  readonly facility: string
  readonly thread: number
  readonly capacityBytes: number
  readonly usedBytes: number
  /** Events that the ring holds, and events it let go since the process began. */
  readonly events: number
  readonly evicted: number
  /** Time of the oldest event it holds; 0 where it holds none. */
  readonly oldest: number
}
