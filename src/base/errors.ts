/**
 * Every error that flog throws or reports, by stable code.
 *
 * A code never changes its meaning; messages may. Messages say what happened, to what, and what to do; they start
 * lower-case and have no full stop, so that they can be joined to a prefix.
 */
export const ERROR_CODES = {
  FLOG_OPTION_INVALID: 'an option has a value that it cannot take',
  FLOG_CLOSED: 'the object was closed before the call',
  FLOG_ABORTED: 'the caller cancelled the operation through its AbortSignal',
  FLOG_EVENT_MALFORMED: 'bytes that should hold an event do not',
  FLOG_VALUE_MALFORMED: 'bytes that should hold a MessagePack value do not',
  FLOG_FILE_NOT_INCIDENT: 'the file does not start like an incident file',
  FLOG_FILE_TRUNCATED: 'the file ends before its trailer',
  FLOG_FILE_CORRUPT: 'a part of the file does not match its checksum or its length',
  FLOG_FILE_NEWER: 'the file was written by a newer version whose format this version cannot read',
  FLOG_FILE_TOO_LARGE: 'the file holds more plain bytes than the reader was told to take',
  FLOG_FILE_MISSING: 'there is no such file',
  FLOG_FOOLSCAP_PICKLE: 'the file is an old Foolscap log, a Python pickle, which cannot be read safely',
  FLOG_DIRECTORY_UNUSABLE: 'the incident directory cannot be created, read or written',
  FLOG_DIRECTORY_EXPOSED: 'everybody may write in the incident directory',
  FLOG_INCIDENT_UNKNOWN: 'no incident has that id',
  FLOG_INCIDENT_OPEN: 'another incident is being reported already',
  FLOG_QUALIFIER_FAILED: 'an incident qualifier threw',
  FLOG_REPORTER_FAILED: 'an incident reporter subclass threw',
  FLOG_LISTENER_FAILED: 'a listener of a recorder threw',
  FLOG_EVENT_LOST: 'what was logged could not be read; its place in the order was recorded',
  FLOG_WRITE_FAILED: 'the incident could not be written',
  FLOG_BLACK_BOX_REFUSED: 'the black box cannot be written; it is tried again',
  FLOG_SIDECAR_UNAVAILABLE: 'there is no second thread to be had; the recorder goes on without it',
  FLOG_SIDECAR_FAILED: 'the second thread ended, or something in it failed; it is started again',
  FLOG_FILTER_INVALID: 'a filter cannot be read; the message says at which character, and what belongs there',
  FLOG_CLASSIFIER_FAILED: 'a classifier threw, or gave something else than categories',
  FLOG_LOGPORT_INVALID: 'the text is no logport URL, or its file cannot be read',
  FLOG_KEYS_UNUSABLE: 'the files with the secrets and the certificate of a publisher cannot be made or read',
  FLOG_CURSOR_INVALID: 'a cursor was not made by a publisher of this version',
  FLOG_REMOTE_UNREACHABLE: 'nothing answers at the logport, or not in time',
  FLOG_REMOTE_UNTRUSTED: 'the other side has another key or secret than the logport names',
  FLOG_REMOTE_REFUSED: 'the other side does not accept our secret, or takes no more connections',
  FLOG_REMOTE_VERSION: 'the two sides have no version of the protocol in common',
  FLOG_REMOTE_PROTOCOL: 'the other side sent what the protocol does not allow',
  FLOG_REMOTE_LOST: 'the connection ended before the answer came',
  FLOG_REMOTE_FORBIDDEN: 'the role of this logport does not allow the request',
  FLOG_REMOTE_UNSUPPORTED: 'the publisher does not know the request, or does not offer what it asks for',
  FLOG_REMOTE_BUSY: 'a limit of the publisher is reached',
  FLOG_REMOTE_REQUEST: 'a request has a parameter that it cannot take',
  FLOG_REMOTE_FAILED: 'the publisher could not carry out the request',
  FLOG_FETCH_MISMATCH: 'the bytes that were fetched do not have the checksum that was announced',
  FLOG_FETCH_TOO_LARGE: 'the publisher announces a larger file than the caller takes',
  FLOG_FETCH_FAILED: 'what was fetched could not be written here',
  FLOG_DATABASE_UNREACHABLE: 'nothing answers at the database, or the connection to it ended',
  FLOG_DATABASE_READ_ONLY: 'the database takes no writes: it is read-only, or a standby',
  FLOG_DATABASE_CONFLICT:
    'the database has such a row already; details.constraint says which rule forbids a second one',
  FLOG_DATABASE_SERIALIZATION:
    'transactions could not be brought into an order, although they were tried again',
  FLOG_DATABASE_TIMEOUT: 'a statement or a transaction took too long, or the database did not answer',
  FLOG_DATABASE_NESTED:
    'a query beside the transaction that it is called in, where the database has one connection',
  FLOG_DATABASE_LOCKED: 'another process has the data directory of the embedded database',
  FLOG_DATABASE_VERSION:
    'the data directory or the schema was made by another version, which this one cannot work with',
  FLOG_DATABASE_FAILED: 'the database refused a statement, or cannot be used',
  FLOG_PROCESS_UNKNOWN: 'no scheduled process has that name',
  FLOG_PROCESS_RUNNING: 'what was asked for has to be said before the process is run',
  FLOG_PROCESS_CONFLICT: 'another instance took the run over: nothing more of it is written',
  FLOG_PROCESS_TIMEOUT: 'an item of a scheduled process took longer than it may',
  FLOG_PROCESS_INTERRUPTED: 'an item of a scheduled process was told to end before it was done',
  FLOG_KERNEL_POLICY_FAILED:
    'a policy of the error kernel threw, or gave something else than a decision; the next one was asked',
  FLOG_KERNEL_SINK_FAILED: 'a sink of the error kernel could not take what was reported',
  FLOG_KERNEL_FORWARD_FAILED:
    'the central error log does not acknowledge; what it lacks is kept and sent again',
  FLOG_KERNEL_SPOOL_FAILED: 'the spool that keeps errors for the central error log cannot be read or written',
  FLOG_KERNEL_SPOOL_LOCKED: 'another process has the spool; errors wait in memory until it lets go',
  FLOG_KERNEL_SPOOL_DAMAGED: 'lines of the spool could not be read; they were passed over and counted',
  FLOG_KERNEL_DROPPED:
    'more errors came than could be kept for the central error log; the oldest were dropped and counted',
  FLOG_KERNEL_MALFORMED: 'what a node sent to the central error log cannot be read; it was noted there',
  FLOG_KERNEL_LOG_UNUSABLE: 'the central error log cannot be written',
  FLOG_SESSION_EXPIRED: 'the session expired or was closed; it stays so, begin a new one',
  FLOG_WORK_NOTHING: 'a retrieval found nothing to work on',
  FLOG_WORK_CONFLICT: 'somebody else works on the subject',
  FLOG_WORK_LOST: 'the work was taken by somebody else, or cancelled: nothing more of it is written',
  FLOG_WORK_FINISHED: 'the work was finished, failed or cancelled before the call',
  FLOG_WORK_NO_BACKOFF: 'work failed without a backoff; it is tried again after a second',
  FLOG_ENGINE_MISSING:
    'an input of a part is not declared, not running or not exposed; the part waits for it',
  FLOG_ENGINE_BOUNCE: 'a part asks to be started anew',
  FLOG_ENGINE_UNINSTALL: 'a part asks to be removed',
  FLOG_ENGINE_TRY_AGAIN: 'what a part needs is not ready yet; it is started again after a while',
  FLOG_ENGINE_FATAL: 'a part failed in a way that stops all the others',
  FLOG_ENGINE_INSTALLED: 'a part of that name is installed already',
  FLOG_ENGINE_UNKNOWN: 'no part of that name is installed',
  FLOG_ENGINE_CYCLE: 'the inputs of parts go in a circle; the message names them',
  FLOG_ENGINE_STOPPING: 'the engine is shutting down, and takes no more parts',
  FLOG_ENGINE_EXPIRED: 'a part asked for an input after its start was over',
  FLOG_ENGINE_OUTPUT: 'a part offers something else than its dependent takes',
  FLOG_ENGINE_WORKER: 'the start of a part gave something that is no worker',
  FLOG_ENGINE_THROWN: 'a part threw something that is no error',
  FLOG_ENGINE_TIMEOUT: 'a part did not start in time',
  FLOG_ENGINE_ABANDONED: 'a part did not stop in time, and is not waited for any more',
  FLOG_ENGINE_HOOK: 'a function that was given to the engine threw, or gave no answer; its default was taken',
  FLOG_ENGINE_INTERNAL: 'the engine contradicts itself: a mistake in flog',
} as const satisfies Record<string, string>

export type FlogErrorCode = keyof typeof ERROR_CODES

export interface FlogErrorOptions {
  readonly cause?: unknown
  /** What the message names, as data: paths, ids, limits. */
  readonly details?: Readonly<Record<string, unknown>>
}

const BRAND = Symbol.for('flight-log.error')

/** The only class of error that flog throws on purpose. */
export class FlogError extends Error {
  readonly code: FlogErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: FlogErrorCode, message: string, options: FlogErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'FlogError'
    this.code = code
    this.details = options.details ?? {}
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** True for a FlogError of any copy of this package in the process, optionally of one code. */
  static is(value: unknown, code?: FlogErrorCode): value is FlogError {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false
    return code === undefined || (value as unknown as FlogError).code === code
  }
}

/** An option that cannot be taken: names the option, what it takes and what it got. */
export function invalidOption(option: string, expected: string, got: unknown): FlogError {
  return new FlogError('FLOG_OPTION_INVALID', `option ${option} takes ${expected}, got ${describe(got)}`, {
    details: { option, expected },
  })
}

/** The `code` that the operating system gave an error (`ENOSPC`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The message of anything that was thrown. Never throws. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'an error that cannot be shown'
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) {
    return String(value)
  }
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}
