/**
 * Every default limit in one place, each with its reason; but for those of the error kernel, in `kernel-limits.ts`. Options
 * override them; what a limit cuts or drops is counted.
 */
const KiB = 1024
const MiB = 1024 * KiB

/**
 * Bytes of history per severity, 8 MiB in all: room for some 80,000 ordinary events. The noisy severities get most, but
 * none can push out another.
 */
export const RING_BYTES = {
  trace: 2 * MiB,
  debug: 2 * MiB,
  info: 2 * MiB,
  warn: 1 * MiB,
  error: 512 * KiB,
  fatal: 512 * KiB,
} as const

/** Smallest and largest ring. Capacities are powers of two; a ring must hold a few events of the largest size. */
export const RING_MIN_BYTES = 64 * KiB
export const RING_MAX_BYTES = 1024 * MiB
/** The writer frees at least this much when it evicts, so that readers see the tail move seldom. */
export const RING_EVICTION_STEP = 4 * KiB

/**
 * The same for a worker thread whose process has a recorder already, 1 MiB in all: there may be many such threads, and each
 * incident has the history of all of them.
 */
export const WORKER_RING_BYTES = {
  trace: 256 * KiB,
  debug: 256 * KiB,
  info: 256 * KiB,
  warn: 128 * KiB,
  error: 64 * KiB,
  fatal: 64 * KiB,
} as const
/** The rings of a thread that ended are part of incidents for this long, and are then forgotten. */
export const ENDED_THREAD_MS = 60_000
/** Those of all threads that ended: with more, the one that ended first is forgotten. Room for 32 workers. */
export const ENDED_RINGS_BYTES = 33 * MiB

/** One event's bytes in a ring. A longer one is cut, and says so. */
export const EVENT_BYTES = 16 * KiB
/** The triggering event's bytes in the file: it is why the file exists, so it may be long. */
export const TRIGGER_EVENT_BYTES = 1 * MiB
/** Characters of the reason and the fingerprint of an incident: they are shown in lists. */
export const TRIGGER_TEXT_CHARS = 1000
/** Depth of nested values; below it a value is replaced by a mark. Deep enough for real data, safe for any reader's stack. */
export const VALUE_DEPTH = 16
/** Entries of one array or object; the rest is counted. */
export const VALUE_ENTRIES = 1000
/** Depth that a reader of foreign bytes accepts: twice what our writer makes. */
export const DECODE_DEPTH = 64

/** Post-trigger window: whichever comes first ends it. */
export const POST_TRIGGER_EVENTS = 100
export const POST_TRIGGER_MS = 5000
/** Further triggers extend the window, but an incident ends at the latest after this. */
export const POST_TRIGGER_MAX_MS = 60_000
export const POST_TRIGGER_MAX_EVENTS = 10_000

/** Bytes of one incident kept in memory while the disk refuses them: the history of the default rings and a window. */
export const UNWRITTEN_BYTES = 16 * MiB
/** How long to wait before a disk that refused is tried again: doubled each time, up to the longest. */
export const WRITE_RETRY_MS = 1000
export const WRITE_RETRY_MAX_MS = 30_000
/** Further triggers that a report keeps for its trailer; the rest is counted. */
export const FURTHER_TRIGGERS = 512

/** Plain bytes in one block, and in one gzip member: fflate takes about 2.5 ms for this much, less than a frame drop. */
export const BLOCK_BYTES = 128 * KiB
/** Bytes held in memory while the history is merged. */
export const STAGING_BYTES = 512 * KiB

/** Incident limits: a program that fails in a loop must not fill the disk. */
export const INCIDENTS_PER_HOUR = 60
export const INCIDENTS_PER_FINGERPRINT_PER_HOUR = 5
export const INCIDENT_COOL_DOWN_MS = 1000

/** What an incident directory may hold; the oldest finished incidents go first. */
export const DIRECTORY_MAX_BYTES = 256 * MiB
export const DIRECTORY_MAX_INCIDENTS = 200
/** A file whose process cannot be told alive from dead is adopted when it has stood still for this long. */
export const ADOPT_STILL_MS = 60_000
/** Ended children of which a process remembers how; what they left is looked for at once, so few are needed. */
export const CHILD_EXITS = 1000

/** Rings of one black box: as many as its superblock has room for, six a thread. */
export const BLACK_BOX_RINGS = 1000
/** Bytes of all rings of one black box: whoever makes an incident of it holds them in memory. */
export const BLACK_BOX_BYTES = 1024 * MiB
/** Memory through which a black box copies: a few of these suffice for what a busy program logs between two polls. */
export const BLACK_BOX_STAGING_BYTES = 128 * KiB
/** A black box with nothing new to say still says that its process lives: twelve times while it is waited for. */
export const BLACK_BOX_SIGN_MS = 5000
/** While it is written, it is looked at this often whether it is still in its place. */
export const BLACK_BOX_PLACE_MS = 1000
/** Events of a black box that are checked between two turns of the event loop: about 1 ms. */
export const BLACK_BOX_SLICE_EVENTS = 200

/** Remote: connections that have proved the secret, and those that have not yet. The oldest of the latter gives way. */
export const REMOTE_CONNECTIONS = 32
export const REMOTE_UNAUTHENTICATED = 8
/** An honest peer needs a few round trips. */
export const REMOTE_AUTHENTICATION_MS = 5000
/** Bytes on the socket before the proof, TLS not counted: an upgrade request and two short messages. */
export const REMOTE_UNAUTHENTICATED_BYTES = 8 * KiB
/** One message to a publisher; the largest legitimate one carries a cursor. */
export const REMOTE_REQUEST_BYTES = 1 * MiB
/** One message to a subscriber: a page of summaries, or a batch of events. */
export const REMOTE_ANSWER_BYTES = 4 * MiB
/** Values, at any depth, in one message to a publisher: parameters are few. And in one to a subscriber. */
export const REMOTE_REQUEST_VALUES = 1000
export const REMOTE_ANSWER_VALUES = 1_000_000
/** Requests and streams that one connection may have under way; of those that answer much, the rest waits its turn. */
export const REMOTE_REQUESTS = 32
export const REMOTE_LARGE_REQUESTS = 4
/** Bytes that wait in one socket; with more, a stream sends nothing, and a tail leaves its events in the rings. */
export const REMOTE_BUFFERED_BYTES = 512 * KiB
/** With so many bytes waiting in a socket nothing more is read from it: who asks has to take the answers. */
export const REMOTE_HOLD_BYTES = 2 * REMOTE_BUFFERED_BYTES
/** Pieces of one WebSocket message: nobody sends one in many, and each piece costs an object. */
export const REMOTE_FRAGMENTS = 64
/** Bytes of file in one message, and bytes or events of a tail in one message: a slice that nobody feels. */
export const REMOTE_CHUNK_BYTES = 64 * KiB
export const REMOTE_BATCH_EVENTS = 256
/** Messages that a subscriber lets a stream be ahead of its consumer. */
export const REMOTE_CREDIT = 16
/** Summaries in one page of a list, and bytes, whichever comes first. */
export const REMOTE_PAGE_INCIDENTS = 100
export const REMOTE_PAGE_BYTES = 1 * MiB
/** A triggering event in a list is cut to about this; the file has it whole. */
export const REMOTE_SUMMARY_EVENT_BYTES = 16 * KiB
/** Incidents that a command lists of one publisher; more can only be one that makes them up. */
export const REMOTE_LISTED_INCIDENTS = 100_000
/** The largest incident file that a client takes unless told otherwise: what a reader of it would look at. */
export const REMOTE_FETCH_BYTES = 4096 * MiB
/** How often rings are looked at for a tail: while events come, and after a while without any. */
export const REMOTE_TAIL_POLL_MS = 25
export const REMOTE_TAIL_IDLE_POLL_MS = 200
/** Time, in ms, that one look at the rings may take for one subscriber, with decoding for its filters, and that the last of several may begin in. */
export const REMOTE_TAIL_SLICE_MS = 1
/** A ping is sent this often; a peer that leaves two of them unanswered is gone. */
export const REMOTE_PING_MS = 15_000
/** The incident directory is looked through at least this often while somebody subscribes, whatever its watch says. */
export const REMOTE_RELIST_MS = 60_000
/** Waiting before a client connects again: a random time below a bound that doubles from the first to the last. */
export const REMOTE_BACKOFF_FIRST_MS = 250
export const REMOTE_BACKOFF_MAX_MS = 30_000
/** A client gives a request this long, beyond the time without a connection. */
export const REMOTE_ANSWER_MS = 30_000

/** The app thread beats this often, so one wake-up in 50 ms; with a stall of a second that is late by a twentieth at most. */
export const PULSE_MS = 50
/** How often the watchdog looks: half a beat, so that a stall is known at most 50 ms after its threshold. */
export const WATCHDOG_TICK_MS = 25
/** A thread that has not turned its event loop for so long is stuck. Shorter than a few beats nobody could tell. */
export const STALL_MS = 1000
export const STALL_MIN_MS = 200
/** A stuck thread that gives no sign for this long is in a native call, where it cannot be asked for its stack. */
export const STACK_WAIT_MS = 250
/**
 * One that does is waited for longer: first the engine names all scripts that it knows. That takes 20 ms for a small program,
 * 45 ms with winston and express, 180 ms with 12 MB of sources, and twice as long on a machine that is busy.
 */
export const STACK_NAMING_MS = 1000
/** Frames of a stuck thread's stack, and characters of one function's name and one script's path. */
export const STACK_FRAMES = 50
export const STACK_NAME_CHARS = 200
export const STACK_PATH_CHARS = 1000
/** How often the health of the process is noted, and its ring: some 200 samples, so three minutes, whatever else is logged. */
export const HEALTH_MS = 1000
export const HEALTH_RING_BYTES = 64 * KiB

/** Trailer block of an incident file: a reader that wants a summary looks this far back from the end, in one read. */
export const TRAILER_BYTES = 64 * KiB
/** Largest block that a reader of incident files believes in; four times what the longest trigger needs. */
export const READ_BLOCK_BYTES = 4 * MiB
/** Largest gzip member, compressed or not, that a reader believes in; eight times what is written. */
export const READ_MEMBER_BYTES = 1 * MiB
/** Plain bytes of one incident file; a reader stops there, so that a small file cannot keep it busy for days. */
export const READ_PLAIN_BYTES = 4096 * MiB
/**
 * The same where all events are held at once, as objects of several times the size: thirty times what the default rings
 * and a window hold.
 */
export const RECORDING_BYTES = 256 * MiB
/** Bytes that may be looked at in vain while a damaged file is searched for whole blocks. */
export const SALVAGE_BYTES = 256 * MiB
/** Events that a reader holds back to show those of several threads in order: what all of them log in some 10 ms. */
export const ORDERED_EVENTS = 1000
/** Damages that a verdict lists; the rest is counted. */
export const DAMAGE_ENTRIES = 100

/** How often, in ms, the second thread looks at the rings while it writes a report: a thread that hands over a trigger waits for it. */
export const DESK_POLL_MS = 5
/** The same in a thread that has a program to run besides. */
export const DESK_POLL_BUSY_MS = 10
/** Milliseconds that a thread whose event qualified waits, twice at most, for another one that reports to take the event. */
export const DESK_WAIT_MS = 25
/** Events that one such look takes: some milliseconds of work. */
export const INCIDENT_FOLLOW_EVENTS = 500
/** How often, in ms, the black box is brought up to date: while events come, and when none came the last time. */
export const BLACK_BOX_POLL_MS = 25
export const BLACK_BOX_IDLE_POLL_MS = 50
/** Milliseconds that the app thread has to take a remote wish for an incident before the second thread sees to it. */
export const CAPTURE_WAIT_MS = 200
/** Milliseconds that the second thread has to end in order. */
export const SIDECAR_CLOSE_MS = 5000
/** Waiting before a second thread that died is started again: doubled each time, up to the longest. */
export const SIDECAR_RESTART_MS = 1000
export const SIDECAR_RESTART_MAX_MS = 60_000
/** Heap of the second thread: it copies rings beside it, and a leak there must not become the program's. */
export const SIDECAR_OLD_MIB = 64
export const SIDECAR_YOUNG_MIB = 4
/** Milliseconds that a stuck thread has to show its stack: the incident is to be on the disk 300 ms after the threshold. */
export const STALL_STACK_WAIT_MS = 150

/** Connections to a database: enough for what one collector does at once; a server allows 100 in all unless told otherwise. */
export const DATABASE_CONNECTIONS = 10
/** Milliseconds to connect, waiting for a free connection included. */
export const DATABASE_CONNECT_MS = 10_000
/** Milliseconds that one statement may take, and one transaction; no statement of a collector takes more than a second. */
export const DATABASE_STATEMENT_MS = 10_000
export const DATABASE_TRANSACTION_MS = 30_000
/** The same for the embedded database, which has one connection: heartbeats of sessions wait behind whatever is slow. */
export const EMBEDDED_STATEMENT_MS = 2000
export const EMBEDDED_TRANSACTION_MS = 2000
/** A statement there that was given up and goes on for so long is ended with its thread, which is started again. */
export const EMBEDDED_STUCK_MS = 20_000
/** Milliseconds beyond a statement's time after which a database that says nothing at all is given up. */
export const DATABASE_GRACE_MS = 2000
/** Making the schema, waiting for another process that makes it included. */
export const DATABASE_MIGRATION_MS = 60_000
/** A transaction that met another one is run again so often, after a random time below a bound that doubles. */
export const DATABASE_RETRIES = 10
export const DATABASE_RETRY_MS = 5
export const DATABASE_RETRY_MAX_MS = 500
/** Waiting before a lost connection on which notices come is made again: doubled each time, up to the longest. */
export const DATABASE_RECONNECT_MS = 100
export const DATABASE_RECONNECT_MAX_MS = 10_000
/** That connection is asked for a sign of life this often: until one that is dead is found out, polling has to do. */
export const DATABASE_LISTEN_PING_MS = 15_000

/** A scheduled process begins at most this often, unless its flow control says otherwise: what is scheduled looks through everything. */
export const PROCESS_SCHEDULE_MIN_MS = 900_000
/** The shortest schedule that flow control can ask for. */
export const PROCESS_SCHEDULE_FLOOR_MS = 1000
/** A collector that starts has other things to do first. */
export const PROCESS_FIRST_WAIT_MS = 60_000
/** How often processes are looked at when no notice comes: what a lost notice costs. */
export const PROCESS_POLL_MS = 15_000
/** Processes of one schedule do not begin together: up to this share of it later, and never more than this. */
export const PROCESS_JITTER_SHARE = 0.1
export const PROCESS_JITTER_MAX_MS = 30_000
/** A slot is never seen at its very moment: a shorter catch-up window would miss all of them. */
export const PROCESS_CATCH_UP_MIN_MS = 1000
/** Slots that are counted one by one after a long time without a run, and that one backfill may ask for. */
export const PROCESS_MISSED_COUNTED = 1000
export const PROCESS_BACKFILL_SLOTS = 1000
/** Errors that are kept of one item, and of one run; the next one ends it. */
export const PROCESS_ITEM_ERRORS = 10
export const PROCESS_RUN_ERRORS = 25
/** Characters of an error that is kept. */
export const PROCESS_ERROR_CHARS = 1000
/** Milliseconds for one item; and for it to end after it was told to, before the run goes on without it. */
export const PROCESS_ITEM_TIMEOUT_MS = 600_000
export const PROCESS_ITEM_GRACE_MS = 5000
/** An item with too many errors is left alone for a minute first, for an hour at most. */
export const PROCESS_ITEM_BACKOFF_MS = 60_000
export const PROCESS_ITEM_BACKOFF_MAX_MS = 3_600_000
/** The end of a run is written again after a failure: so often, after waiting that doubles from this on. */
export const PROCESS_FINISH_ATTEMPTS = 6
export const PROCESS_FINISH_RETRY_MS = 250
/** A dropped item stands against what comes late for a week. */
export const PROCESS_DROP_RETENTION_MS = 604_800_000
/** Dropped items that one statement removes, and runs that are kept of each process. */
export const PROCESS_PURGE_ITEMS = 1000
export const PROCESS_RUNS_KEPT = 100
/** Counts that workers name themselves are kept under so many names, of so many characters; the rest is counted together. */
export const PROCESS_STATS_NAMES = 200
export const PROCESS_STATS_NAME_CHARS = 200
/** Items that a view of a process lists at most at a time. */
export const PROCESS_VIEW_ITEMS = 1000

/** Sessions: how long one that is not heard of lives. A third of it goes by between two signs of life, as with Kubernetes. */
export const LEASE_INTERVAL_MS = 15_000
export const LEASE_INTERVAL_MIN_MS = 1000
export const LEASE_INTERVAL_MAX_MS = 3_600_000
/** A holder stops this much before the database would let others begin, and at most a tenth of the interval. */
export const LEASE_MARGIN_MAX_MS = 1000
/** Transactions under way when a session is closed have this long to end; and giving work back may take this long. */
export const LEASE_CLOSE_MS = 2000
export const LEASE_CANCEL_MS = 2000
/** How often a claim looks again when others were quicker, and the random time before, times the number of tries. */
export const LEASE_CLAIM_TRIES = 8
export const LEASE_CLAIM_RETRY_MS = 10
/** Shortest and longest backoff, unless options say; and by how much of it the next attempt lies off, so that they spread. */
export const LEASE_BACKOFF_MIN_MS = 1000
export const LEASE_BACKOFF_MAX_MS = 3_600_000
export const LEASE_BACKOFF_JITTER = 0.1
/** How often a control loop asks for work, and how long it waits, give or take half, when there was none and nobody calls. */
export const LEASE_LOOP_RATE = '250 ms, burst 8'
export const LEASE_POLL_MS = 15_000
export const LEASE_POLL_MIN_MS = 100
export const LEASE_POLL_MAX_MS = 600_000
/** A control loop that lost its session begins another one after this. */
export const LEASE_LOOP_RESTART_MS = 1000
/** What a control loop does when it is stopped has this long to end; all of it ends within a second. */
export const LEASE_LOOP_GRACE_MS = 500
/** How often dead sessions are looked for; and how many, with how much work, are dealt with in one transaction. */
export const LEASE_REAP_MS = 10_000
export const LEASE_REAP_SESSIONS = 50
export const LEASE_REAP_WORK = 200
/** What became of work is kept for a season, ended sessions for a week; what is older is looked for once an hour. */
export const LEASE_HISTORY_MS = 90 * 86_400_000
export const LEASE_SESSIONS_MS = 7 * 86_400_000
export const LEASE_FORGET_MS = 3_600_000
/** Rows that one statement forgets: some milliseconds. */
export const LEASE_HISTORY_BATCH = 1000
/** A subject that began and was not heard of for so long, or not any more, needs help. */
export const SUBJECT_START_MS = 30 * 60_000
export const SUBJECT_SILENT_MS = 10 * 60_000

/** Engine: milliseconds before a part that failed is started again, at first and at most, and the growth in between. */
export const ENGINE_ERROR_DELAY_MS = 3000
export const ENGINE_MAX_DELAY_MS = 120_000
export const ENGINE_BACKOFF_FACTOR = 1.2
/** The share by which that is lengthened or shortened at random. */
export const ENGINE_JITTER = 0.1
/** A part that ran this long counts as well again. */
export const ENGINE_BACKOFF_RESET_MS = 60_000
/** Milliseconds before a part is started because an input came or went: further ones that come or go meanwhile cost nothing. */
export const ENGINE_BOUNCE_DELAY_MS = 10
/** Milliseconds for a start (migrations of a database set their own), and for an end in order. */
export const ENGINE_START_MS = 60_000
export const ENGINE_STOP_MS = 10_000
/** Twice what the error kernel takes to decide. */
export const ENGINE_DECISION_MS = 10_000
/** Events that are held for a reader who does not keep up: some seconds of a bounce of everything. */
export const ENGINE_EVENTS = 1000
/** What a report counts restarts within, and how many it counts at most: with more, a number helps nobody. */
export const ENGINE_RESTARTS_MS = 60_000
export const ENGINE_RESTARTS = 100
/** Parts that were removed because of their errors and are still shown; the oldest are forgotten. */
export const ENGINE_KILLED = 1000
