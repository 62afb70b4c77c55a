import { formatBytes } from '../../src/base/bytes'
import { FlogError, type FlogErrorCode, messageOf, systemCode } from '../../src/base/errors'
import type { ExitCode } from './verb'

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  constructor(
    message: string,
    /** What to type instead. */
    readonly hint?: string,
  ) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Something is wrong that the user can do something about: a message and a hint. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly hint?: string,
    readonly exitCode: ExitCode = 1,
  ) {
    super(message)
    this.name = 'Problem'
  }
}

export interface Failure {
  readonly lines: readonly string[]
  readonly exitCode: ExitCode
}

/** What was typed is wrong, not what was found. */
const USAGE_CODES: ReadonlySet<FlogErrorCode> = new Set([
  'FLOG_OPTION_INVALID',
  'FLOG_FILTER_INVALID',
  'FLOG_LOGPORT_INVALID',
])

const SYSTEM_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EISDIR', 'it is a directory; name a file in it, or use flog incidents'],
  ['ENOTDIR', 'it is not a directory'],
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the file system is read-only'],
  ['ECONNREFUSED', 'nothing listens there; is the process still running'],
  ['EADDRINUSE', 'the port is taken; choose another one with --port'],
])

/** What to print about an error, and how to exit. An error that nobody foresaw keeps its stack: it is a bug. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError) return { lines: withHint(error.message, error.hint), exitCode: 2 }
  if (error instanceof Problem)
    return { lines: withHint(error.message, error.hint), exitCode: error.exitCode }
  if (FlogError.is(error, 'FLOG_FILE_TOO_LARGE')) return tooLarge(error)
  if (FlogError.is(error)) {
    return { lines: [error.message], exitCode: USAGE_CODES.has(error.code) ? 2 : 1 }
  }
  const system = describeSystemError(error)
  if (system !== undefined) return { lines: [system], exitCode: 1 }
  const stack = error instanceof Error ? error.stack : undefined
  return { lines: [`unexpected error: ${stack ?? messageOf(error)}`], exitCode: 1 }
}

/** The error speaks of the option that programs have. */
function tooLarge({ message, details }: FlogError): Failure {
  const limit = Number(details['limit'])
  const text =
    limit > 0 ? `it holds more than ${formatBytes(limit)}, unpacked, and was not read any further` : message
  return { lines: [text, 'if that is what it should hold, raise the limit: --max-size <size>'], exitCode: 1 }
}

/** `path: what is wrong`, for an error of the operating system; undefined for any other. */
function describeSystemError(error: unknown): string | undefined {
  const code = systemCode(error)
  if (code === undefined || !(error instanceof Error) || !('syscall' in error)) return undefined
  const what = SYSTEM_MESSAGES.get(code) ?? error.message
  return 'path' in error && typeof error.path === 'string' ? `${error.path}: ${what}` : what
}

function withHint(message: string, hint: string | undefined): string[] {
  return hint === undefined ? [message] : [message, hint]
}
