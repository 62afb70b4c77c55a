/**
 * Limits of the error kernel and of the central error log, each with its reason; the others are in `limits.ts`.
 */
const KiB = 1024
const MiB = 1024 * KiB

/** More restarts of a part than this within the period are escalated, as in Erlang, with room for a slow disk. */
export const KERNEL_INTENSITY = 5
export const KERNEL_PERIOD_MS = 60_000
/** What the count of an error state looks back. */
export const KERNEL_WINDOW_MS = 60_000
/** Troubles that are remembered: a collector has some ten parts, each of which may fail in hundreds of ways. */
export const KERNEL_STATES = 10_000
/** Time for a decision: a part that waits for one does nothing meanwhile. At most a day: timers take 25 days for none. */
export const KERNEL_ASK_MS = 5000
export const KERNEL_ASK_MAX_MS = 86_400_000
/** Of one trouble, a line on stderr this often. */
export const KERNEL_LOCAL_LINE_MS = 1000
/** Troubles of which a line was shown within that time and repetitions are counted; with more, the oldest is shown again. */
export const KERNEL_LOCAL_TROUBLES = 1000
/** For so long occurrences of one trouble become one row of the central error log. */
export const KERNEL_FOLD_MS = 10_000
/** Rows that wait in memory for the central error log: some 2 MiB of ordinary ones. */
export const KERNEL_QUEUE = 1000
/**
 * Where they are kept on the disk: some 20,000 ordinary ones. Of more, the oldest of so many segments goes: a small one, since
 * it goes in the call that reports. How long after it was written something may be lost to a power failure; and how often a
 * spool that cannot be had is asked for again.
 */
export const KERNEL_SPOOL_BYTES = 16 * MiB
export const KERNEL_SEGMENTS = 64
export const KERNEL_SYNC_MS = 1000
export const KERNEL_SPOOL_AGAIN_MS = 10_000
/** A count that grows is written when it has doubled, and when it was not for so long. */
export const KERNEL_COUNT_MS = 1000
/** What is read from the spool for one message to the central error log, at least one row. */
export const KERNEL_BATCH_BYTES = MiB
/** Label sets of one series: ten times what the parts of a collector make. */
export const KERNEL_SERIES = 1000
/** Rows in one message to the central error log. */
export const KERNEL_BATCH_ROWS = 100
/** How long a message to it may stay unacknowledged, and how often it is sent again before what is not in the spool is tried to be put there. */
export const KERNEL_ACK_MS = 60_000
export const KERNEL_RETRIES = 10
/** Waiting before it is sent again: a random time below a bound that doubles from the first to the last. */
export const KERNEL_BACKOFF_FIRST_MS = 250
export const KERNEL_BACKOFF_MAX_MS = 30_000
/** How long a kernel that stops waits for sinks and the central error log. */
export const KERNEL_FLUSH_MS = 1000
/** What of an error and of the work at hand is kept: enough for a stack and a message, a page in all. */
export const ERROR_MESSAGE_CHARS = 4096
export const ERROR_STACK_CHARS = 8192
export const ERROR_VALUE_CHARS = 16_384
export const ERROR_VALUE_DEPTH = 6
export const ERROR_VALUE_ENTRIES = 50
/** One row that a central error log takes: what an honest node makes, escaped, and as much again. */
export const ERROR_ROW_BYTES = 256 * KiB
/**
 * Rows of one message to it; ids of each node's rows that it remembers: all that the node's spool can send again; and of all
 * nodes together, some 60 MB of them.
 */
export const ERROR_LOG_ROWS = 1000
export const ERROR_LOG_IDS = 60_000
export const ERROR_LOG_IDS_OF_ALL = 600_000
/** Size at which a node's error log is put aside, in place of the one put aside before. */
export const ERROR_LOG_BYTES = 64 * MiB
