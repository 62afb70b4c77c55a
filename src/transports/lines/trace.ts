/**
 * Stack traces as Node, Java, Python and Go print them: which line continues one. A trace is kept with the line before it,
 * so this is asked line by line; what is not certainly part of a trace starts an event of its own.
 *
 *   open ── "    at f (x.js:1)" ──▶ frames ── "    at f (x.js:1) {" ──▶ properties ── "}" ──▶ closed
 *   open ── "Traceback (most recent call last):" ──▶ python ── "ValueError: x" ──▶ raised ── "During handling …" ──▶ python
 *   open ── "panic: x", then "goroutine 1 [running]:" ──▶ go
 */
export type TraceState = 'open' | 'headline' | 'frames' | 'properties' | 'python' | 'raised' | 'go' | 'closed'

const FRAME = /^\s+at \S/
const PYTHON_HEAD = /^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):$/
const PYTHON_CHAIN = /^(?:During handling of the above exception|The above exception was the direct cause)/
const GO_HEAD = /^(?:panic: |fatal error: |goroutine \d+ \[)/
const GO_PART =
  /^(?:$|goroutine \d+ \[|\[signal |\s+\S+:\d+|created by |\s+panic: |exit status \d+$|runtime\.|main\.)/
/** `TypeError: x`, `java.lang.IllegalStateException: x`, `Exception in thread "main" a.B: x`; name, then message. */
const HEADLINE =
  /^(?:Uncaught |Unhandled exception\. |Exception in thread "[^"]*" |Caused by: )?((?:[\w$]+\.)*[\w$]*(?:Error|Exception|Throwable|Fault|Interrupt|Exit))(?: \[\w+\])?(?:: (.*))?$/

export interface Headline {
  readonly name: string
  readonly message: string
}

/** Reads `TypeError: x is not a function`; undefined for a line that names no error. */
export function headlineOf(text: string): Headline | undefined {
  const match = HEADLINE.exec(text)
  return match === null ? undefined : { name: match[1] ?? 'Error', message: match[2] ?? '' }
}

/** The state in which a line that starts an event leaves us. */
export function startTrace(text: string): TraceState {
  if (PYTHON_HEAD.test(text)) return 'python'
  if (GO_HEAD.test(text)) return 'go'
  return 'open'
}

/**
 * The next state if `text` continues what stands before it, else undefined.
 * @param named the event has a level of at least warn: then an error's own line, and a traceback, belong to it
 */
export function continueTrace(state: TraceState, text: string, named: boolean): TraceState | undefined {
  switch (state) {
    case 'open':
      if (FRAME.test(text)) return afterFrame(text)
      if (!named) return undefined
      return PYTHON_HEAD.test(text) ? 'python' : headlineOf(text) === undefined ? undefined : 'headline'
    case 'headline':
      return FRAME.test(text) ? afterFrame(text) : undefined
    case 'frames':
      return continueFrames(text)
    case 'properties':
      return text === '}' ? 'closed' : /^\s/.test(text) || text === '' ? 'properties' : undefined
    case 'python':
      if (/^\s/.test(text)) return 'python'
      return /^[A-Za-z_][\w.]*(?:: .*)?$/.test(text) ? 'raised' : undefined
    case 'raised':
      if (text === '' || PYTHON_CHAIN.test(text)) return 'raised'
      return PYTHON_HEAD.test(text) ? 'python' : undefined
    case 'go':
      return GO_PART.test(text) || isGoCall(text) ? 'go' : undefined
    case 'closed':
      return undefined
  }
}

/** `main.(*Pool).acquire(0xc000012345, 0x2)`. */
function isGoCall(text: string): boolean {
  return text.endsWith(')') && /^[\w./*-]+[.(]/.test(text)
}

function afterFrame(text: string): TraceState {
  return text.endsWith(' {') ? 'properties' : 'frames'
}

function continueFrames(text: string): TraceState | undefined {
  if (FRAME.test(text)) return afterFrame(text)
  if (/^\s*(?:Caused by|Suppressed): /.test(text)) return 'frames'
  return /^\s+(?:\.\.\. \d+ |--- |\[cause\]: |\[errors\]: )/.test(text) ? 'frames' : undefined
}
