import type { ErrorRecord } from '../../event/event'
import { ERROR } from '../../event/severity'
import type { RecognisedLine } from './recognised'
import { headlineOf, type TraceState } from './trace'

/** A line of output, or several that belong together. */
export interface LineEvent extends RecognisedLine {
  readonly stream: OutputStream
  /** Bytes that were let go because a line, or a trace, was over its limit. */
  readonly cut: number
}

export type OutputStream = 'stdout' | 'stderr'

/** A stack trace that follows a line. */
export interface Trace {
  readonly state: TraceState
  readonly lines: readonly string[]
}

/**
 * Joins a line and the trace below it. The trace becomes the event's error; an event that has no level of its own, but is
 * an error's own report, gets the level `error`: the trace is the evidence.
 */
export function withTrace(line: RecognisedLine, text: string, trace: Trace): RecognisedLine {
  if (trace.lines.length === 0 && line.error !== undefined) return line
  const error = errorOf(text, line, trace)
  if (error === undefined) return trace.lines.length === 0 ? line : withText(line, trace)
  const reported = trace.state === 'raised' || trace.state === 'go' || headlineOf(text) !== undefined
  const severity = line.severity ?? (reported ? ERROR : undefined)
  const startsWithTrace = trace.state === 'raised' && text.trimStart().startsWith('Traceback')
  return {
    ...line,
    message: startsWithTrace ? `${error.name}: ${error.message}` : line.message,
    error,
    ...(severity !== undefined && { severity }),
  }
}

function withText(line: RecognisedLine, trace: Trace): RecognisedLine {
  return { ...line, message: [line.message, ...trace.lines].join('\n') }
}

function errorOf(text: string, line: RecognisedLine, trace: Trace): ErrorRecord | undefined {
  switch (trace.state) {
    case 'frames':
    case 'properties':
    case 'closed':
      return frameError(text, line, trace.lines)
    case 'raised':
      return pythonError(text, trace.lines)
    case 'go':
      return goError(text, trace.lines)
    default:
      return undefined
  }
}

function frameError(text: string, line: RecognisedLine, lines: readonly string[]): ErrorRecord {
  const ownHead = headlineOf(lines[0] ?? '')
  const head = ownHead ?? headlineOf(line.message) ?? headlineOf(text)
  const stack = ownHead === undefined ? [head === undefined ? line.message : headText(head), ...lines] : lines
  return { name: head?.name ?? 'Error', message: head?.message ?? line.message, stack: stack.join('\n') }
}

function headText({ name, message }: { readonly name: string; readonly message: string }): string {
  return message === '' ? name : `${name}: ${message}`
}

/** Python names the error last, below the frames. */
function pythonError(text: string, lines: readonly string[]): ErrorRecord {
  const last = lines.findLast((line) => /^[A-Za-z_]/.test(line)) ?? ''
  const colon = last.indexOf(': ')
  const [name, message] = colon === -1 ? [last, ''] : [last.slice(0, colon), last.slice(colon + 2)]
  const stack = text.trimStart().startsWith('Traceback') ? [text, ...lines] : lines
  return { name, message, stack: stack.join('\n').trimEnd() }
}

/** Without a goroutine's stack, `panic: x` is a line like any other. */
function goError(text: string, lines: readonly string[]): ErrorRecord | undefined {
  if (!lines.some((line) => line.startsWith('goroutine ')) && !text.startsWith('goroutine ')) return undefined
  const message = text.replace(/^(?:panic|fatal error): /, '')
  return { name: 'panic', message, stack: [text, ...lines].join('\n').trimEnd() }
}
