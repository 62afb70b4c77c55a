import { eventLine, openingLines, originOf } from '../../../src/foolscap/write'
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
 * @returns true where nothing was missing from the incident
 */
export async function exportFoolscap(parts: AsyncIterable<IncidentPart>, out: LineTarget): Promise<boolean> {
  let origin = originOf(undefined)
  let isBegun = false
  let isWhole = false
  for await (const part of parts) {
    if (part.kind === 'header') {
      origin = originOf(part.header)
      out.write(openingLines(part.header, origin))
      isBegun = true
    } else if (part.kind === 'events') {
      if (!isBegun) out.write(openingLines(undefined, origin))
      isBegun = true
      for (const { event } of part.events) out.write(eventLine(event, origin))
    } else if (part.kind === 'verdict')
      isWhole = part.verdict.state === 'whole' || part.verdict.state === 'open'
    await out.settle?.()
  }
  if (!isBegun) out.write(openingLines(undefined, origin))
  return isWhole
}
