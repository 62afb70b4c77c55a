import type { Verdict } from '../incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../incident/header'
import type { IncidentPart } from '../incident/parser'
import type { RecordedEvent } from '../incident/parts'

export type { RecordedEvent } from '../incident/parts'

/** An incident file in memory, as far as it could be read. */
export interface Recording {
  readonly header: IncidentHeader | undefined
  readonly trailer: IncidentTrailer | undefined
  /** In the order of `seq`. */
  readonly events: readonly RecordedEvent[]
  /** Absent while the file is still being read, or followed. */
  readonly verdict?: Verdict
}

/** Reads all parts into memory: for what looks at a recording as a whole. Throws what `parts` throws. */
export async function collectRecording(parts: AsyncIterable<IncidentPart>): Promise<Recording> {
  let header: IncidentHeader | undefined
  let trailer: IncidentTrailer | undefined
  let verdict: Verdict | undefined
  const events: RecordedEvent[] = []
  for await (const part of parts) {
    if (part.kind === 'header') header = part.header
    else if (part.kind === 'trailer') trailer = part.trailer
    else if (part.kind === 'verdict') verdict = part.verdict
    else if (part.kind === 'events') for (const recorded of part.events) events.push(recorded)
  }
  return { header, trailer, events: inOrder(events), ...(verdict !== undefined && { verdict }) }
}

/** Nearly always they are already: several threads are read each a moment after it wrote. */
function inOrder(events: RecordedEvent[]): readonly RecordedEvent[] {
  let last = Number.NEGATIVE_INFINITY
  for (const { event } of events) {
    if (event.seq < last) return events.sort((one, other) => one.event.seq - other.event.seq)
    last = event.seq
  }
  return events
}
