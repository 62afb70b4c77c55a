import { stat } from 'node:fs/promises'
import { inOrder } from '../../../src/incident/in-order'
import type { IncidentPart } from '../../../src/incident/parser'
import { readIncident, readIncidentFile } from '../../../src/incident/reader'
import { Problem } from '../failure'
import type { Surroundings } from '../verb'

/**
 * The parts of an incident file; of what comes on standard input for `-`.
 * @throws Problem for a directory
 */
export async function readParts(
  path: string,
  { signal, streams }: Surroundings,
): Promise<AsyncIterable<IncidentPart>> {
  if (path === '-') return inOrder(readIncident(streams.stdin, { signal }))
  if (await isDirectory(path))
    throw new Problem(`${path}: it is a directory`, `to see what is in it: flog incidents ${path}`)
  return inOrder(readIncidentFile(path, { signal }))
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
