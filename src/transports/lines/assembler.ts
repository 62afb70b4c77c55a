import type { Clock, Timer } from '../../base/clock'
import { WARN } from '../../event/severity'
import { stripColour } from './colour'
import { type LineEvent, type OutputStream, withTrace } from './event'
import { jsonLine } from './json'
import { plainLine } from './plain'
import type { RecognisedLine } from './recognised'
import { LineSplitter, type RawLine } from './splitter'
import { continueTrace, startTrace, type TraceState } from './trace'

/** A line may be this long; the longest lines that programs log on purpose are JSON with a body inside. */
const LINE_BYTES = 256 * 1024
/** What a trace may hold beside its first line. A deep recursion prints thousands of equal frames. */
const TRACE_LINES = 200
const TRACE_CHARS = 64 * 1024
/** How long a line waits for the trace that may follow it. Programs print both in one write, or nearly. */
const WAIT_MS = 50

export interface AssemblerOptions {
  readonly stream: OutputStream
  readonly clock: Clock
  readonly emit: (event: LineEvent) => void
  readonly lineBytes?: number
  readonly waitMs?: number
}

interface Pending {
  readonly line: RecognisedLine
  readonly text: string
  readonly arrived: number
  state: TraceState
  readonly trace: string[]
  traceChars: number
  /** Lines, and bytes, of it that were let go. */
  omitted: number
  cut: number
}

/**
 * Makes events of one stream of output: lines are recognised, stack traces stay with their line. An event whose line
 * names no time has the time at which the line arrived. Order within the stream is kept; empty lines are no events.
 */
export class LineAssembler {
  readonly #stream: OutputStream
  readonly #clock: Clock
  readonly #emit: (event: LineEvent) => void
  readonly #splitter: LineSplitter
  readonly #waitMs: number
  #pending: Pending | undefined
  #timer: Timer | undefined

  constructor({ stream, clock, emit, lineBytes = LINE_BYTES, waitMs = WAIT_MS }: AssemblerOptions) {
    this.#stream = stream
    this.#clock = clock
    this.#emit = emit
    this.#splitter = new LineSplitter(lineBytes)
    this.#waitMs = waitMs
  }

  push(chunk: Uint8Array): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const line of this.#splitter.push(chunk)) this.#take(line)
    if (this.#pending !== undefined) this.#timer = this.#clock.after(this.#waitMs, () => this.#finish())
  }

  /** The stream has ended: its last line, and what waited, are events now. */
  end(): void {
    for (const line of this.#splitter.end()) this.#take(line)
    this.#finish()
  }

  #take(raw: RawLine): void {
    const text = stripColour(raw.text)
    if (this.#pending !== undefined && this.#continue(this.#pending, text, raw)) return
    this.#finish()
    if (text.trim() === '') return
    const json = jsonLine(raw.text)
    this.#pending = {
      line: json ?? plainLine(text),
      text,
      arrived: this.#clock.now(),
      state: startTrace(text),
      trace: [],
      traceChars: 0,
      omitted: 0,
      cut: raw.cut,
    }
    if (json !== undefined) this.#finish()
  }

  #continue(pending: Pending, text: string, { cut }: RawLine): boolean {
    const next = continueTrace(pending.state, text, (pending.line.severity ?? 0) >= WARN)
    if (next === undefined) return false
    pending.state = next
    const full = pending.trace.length >= TRACE_LINES || pending.traceChars + text.length > TRACE_CHARS
    // Python's last line says what happened: it is kept whatever was let go before it.
    if (full && next !== 'raised') {
      pending.omitted++
      pending.cut += Buffer.byteLength(text) + cut
      return true
    }
    pending.trace.push(text)
    pending.traceChars += text.length
    pending.cut += cut
    return true
  }

  #finish(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    const lines =
      pending.omitted === 0 ? pending.trace : [...pending.trace, `… ${pending.omitted} more lines`]
    const line = withTrace(pending.line, pending.text, { state: pending.state, lines })
    this.#emit({ ...line, time: line.time ?? pending.arrived, stream: this.#stream, cut: pending.cut })
  }
}
