import type { LogEvent } from '../../../src/event/event'
import { eventLine, isLog, openingLines, originOf } from '../../../src/foolscap/write'
import type { IncidentPart } from '../../../src/incident/parser'

/** Where the lines of a flogfile go; an `Output` of a verb is one. */
export interface LineTarget {
  write(text: string): void
  /** Waits while the reader is behind. */
  settle?(): Promise<void>
}

/**
 * Writes an incident as a flogfile of Foolscap, format v1, which its `flogtool` dumps, filters and shows. Messages are
 * formats of Python where they were templates; what Python has no word for is text, as in `flog dump --json`.
 *
 * Where the triggering event is not among the events (a filtered copy, a cut file), it comes last: `flogtool web-viewer` fails
 * on a file whose header names an event that is not there.
 * @returns true where nothing was missing from the incident
 */
export async function exportFoolscap(parts: AsyncIterable<IncidentPart>, out: LineTarget): Promise<boolean> {
  let origin = originOf(undefined)
  let missing: LogEvent | undefined
  let isBegun = false
  let isWhole = false
  for await (const part of parts) {
    if (part.kind === 'header') {
      origin = originOf(part.header)
      missing = isLog(part.header) ? undefined : part.header.trigger.event
      out.write(openingLines(part.header, origin))
      isBegun = true
    } else if (part.kind === 'events') {
      if (!isBegun) out.write(openingLines(undefined, origin))
      isBegun = true
      for (const { event } of part.events) {
        if (event.seq === missing?.seq) missing = undefined
        out.write(eventLine(event, origin))
      }
    } else if (part.kind === 'verdict')
      isWhole = part.verdict.state === 'whole' || part.verdict.state === 'open'
    await out.settle?.()
  }
  if (!isBegun) out.write(openingLines(undefined, origin))
  if (missing !== undefined) out.write(eventLine(missing, origin))
  return isWhole
}
