/** What the server of the page says; see `../source.ts`. */
import type { IncidentEntry, SourceAnswer } from '../source'

export type { IncidentEntry, SourceAnswer } from '../source'

/** @throws Error with what to do about it, where the server does not answer as it should */
export async function askSource(): Promise<SourceAnswer> {
  return (await (await ask('api/source')).json()) as SourceAnswer
}

export async function askIncident(id: string): Promise<Response> {
  return ask(`api/incidents/${encodeURIComponent(id)}`)
}

/** The latest one before `entry` with the same fingerprint. */
export function previousOf(
  entries: readonly IncidentEntry[],
  entry: IncidentEntry,
): IncidentEntry | undefined {
  return entries
    .filter(({ fingerprint, openedAt }) => fingerprint === entry.fingerprint && openedAt < entry.openedAt)
    .sort((one, other) => other.openedAt - one.openedAt)[0]
}

async function ask(path: string): Promise<Response> {
  const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store' })
  if (response.ok) return response
  const said = (await response.text()).slice(0, 500)
  throw new Error(said === '' ? `the server answers ${response.status}` : said)
}
