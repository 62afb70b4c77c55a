import type { IncidentPart } from '../../../src/incident/parser'
import { readIncident, readIncidentFile } from '../../../src/incident/reader'
import type { Surroundings } from '../verb'

/** The parts of an incident file; of what comes on standard input for `-`. */
export function readParts(path: string, { signal, streams }: Surroundings): AsyncIterable<IncidentPart> {
  return path === '-' ? readIncident(streams.stdin, { signal }) : readIncidentFile(path, { signal })
}
