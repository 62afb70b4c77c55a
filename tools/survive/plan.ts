/** What a program that is to die is told: the argument of `programs/logging.ts`, as JSON. */
export interface Plan {
  /** A file that takes the time of each event after the call that logged it returned; see `acknowledged.ts`. */
  readonly acknowledged: string
  /** Options of its recorder. */
  readonly options: object
  /** Events before it is ready. */
  readonly before: number
  /** Whether an error begins an incident then; it is numbered as the other events are. */
  readonly trigger: boolean
  /** Events between being ready and ending; absent where it goes on until somebody ends it. */
  readonly after?: number
  readonly ending: Ending
  /** Whether to wait for the black box before the first event: what comes before that is in memory only. */
  readonly blackBox: boolean
}

/** How a program ends; `killed` and `told` are up to its parent. */
export type Ending =
  | 'exit'
  | 'end'
  | 'throw'
  | 'reject'
  | 'worker throws'
  | 'overflow'
  | 'caught overflow'
  | 'abort'
  | 'segmentation fault'
  | 'out of memory'
  | 'stuck'
  | 'killed'
  | 'told'

/** What a program that was told to end prints of itself. */
export interface Account {
  /** Log calls that threw. */
  readonly thrown: number
  /** Codes of the warnings that were given, in order. */
  readonly warnings: readonly string[]
  /** Times that the disk began to refuse an incident. */
  readonly refused: number
  readonly lostEvents: number
}

/** Facility of the numbered events. */
export const FACILITY = 'survive'

/** trace, debug, info, warn: event n is of the n-th in turn. None of them begins an incident. */
export const SEVERITIES = [1, 5, 9, 13] as const

/** Small, so that they wrap in some runs. */
const RING_BYTES = 64 * 1024

export const RINGS = {
  trace: RING_BYTES,
  debug: RING_BYTES,
  info: RING_BYTES,
  warn: RING_BYTES,
  error: RING_BYTES,
  fatal: RING_BYTES,
} as const

/** At most what a numbered event takes in its ring. */
const FRAME_BYTES = 160

/** Numbered events that a ring has to hold, whatever it evicted: it makes room in steps of 4 KiB. */
export const HELD_EVENTS = Math.floor((RING_BYTES - 3 * 4096) / FRAME_BYTES)
