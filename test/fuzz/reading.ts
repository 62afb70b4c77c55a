import { FlogError } from '../../src/base/errors'
import type { LogEvent } from '../../src/event/event'
import { messageText } from '../../src/event/template'
import { inOrder } from '../../src/incident/in-order'
import { readIncident } from '../../src/incident/reader'
import { parseFilter } from '../../src/query/filter'
import { collectRecording, type Recording } from '../../src/query/recording'
import { hasSequence } from '../../src/query/rules/sequence'
import { eventJson, headerJson, trailerJson } from '../../tools/flog/show/event-json'
import { headerLines, trailerLines, verdictLine } from '../../tools/flog/show/incident-text'
import { createStyle } from '../../tools/flog/style'

/** `FLOG_FUZZ=full`: everything, which takes many minutes; else a sample of it, the same every time. */
export const isFull = process.env['FLOG_FUZZ'] === 'full'

/** Errors that reading may end in; anything else is a bug. */
const REFUSALS: ReadonlySet<string> = new Set([
  'FLOG_FILE_NOT_INCIDENT',
  'FLOG_FILE_NEWER',
  'FLOG_FILE_TOO_LARGE',
])

const STYLE = createStyle(false)
const STEPS = ['severity<error', 'error:Error OR severity>=error'].map((text) => ({
  filter: parseFilter(text),
}))

/**
 * Reads bytes as an incident file the way that commands do, and shows all that was read.
 * @param chunk bytes that come at a time
 * @returns what was read, or the error with which the file was refused
 * @throws whatever reading or showing may not throw
 */
export async function readAll(bytes: Uint8Array, chunk = 64 * 1024): Promise<Recording | FlogError> {
  const recording = await collectRecording(inOrder(readIncident(pieces(bytes, chunk)))).catch((error) => {
    if (!FlogError.is(error) || !REFUSALS.has(error.code)) throw error
    return error
  })
  if (FlogError.is(recording)) {
    expect(recording.message).not.toBe('')
    return recording
  }
  show(recording)
  return recording
}

function show(recording: Recording): void {
  const { header, trailer, events, verdict } = recording
  if (verdict === undefined) throw new Error('reading ended without a verdict')
  if (verdictLine(verdict, STYLE) === '') throw new Error('a verdict without a text')
  const isHarmed = verdict.state === 'corrupt' || verdict.state === 'truncated'
  if (isHarmed !== verdict.damage.length > 0) throw new Error(`${verdict.state} without a reason`)
  if (verdict.damage.some(({ message }) => message === '')) throw new Error('a damage without a message')
  for (const { event, mark } of events) JSON.stringify(eventJson(event, mark))
  if (header !== undefined) JSON.stringify(headerJson(header)) && headerLines(header, STYLE)
  if (trailer !== undefined) JSON.stringify(trailerJson(trailer)) && trailerLines(header, trailer, STYLE)
  hasSequence(STEPS)(recording)
}

/** An event by all that it says, to find it again. */
export function identityOf(event: LogEvent): string {
  return `${event.seq} ${event.time} ${event.severity} ${event.facility} ${messageText(event)}`
}

async function* pieces(bytes: Uint8Array, chunk: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.slice(at, at + chunk)
}
