import type { Damage, Verdict } from '../../src/incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../../src/incident/header'
import type { IncidentPart } from '../../src/incident/parser'
import type { RecordedEvent } from '../../src/incident/parts'

export interface Read {
  readonly header: IncidentHeader | undefined
  readonly trailer: IncidentTrailer | undefined
  readonly events: readonly RecordedEvent[]
  readonly damage: readonly Damage[]
  readonly verdict: Verdict
}

/** Parts put together. They have to come in the order of a file, with the verdict at the end. */
export function collected(parts: readonly IncidentPart[]): Read {
  const verdict = parts.at(-1)
  if (verdict?.kind !== 'verdict') throw new Error('the verdict is not the last part')
  const header = parts.find((part) => part.kind === 'header')?.header
  const trailer = parts.find((part) => part.kind === 'trailer')?.trailer
  const firstEvents = parts.findIndex((part) => part.kind === 'events')
  if (firstEvents !== -1 && parts.findIndex((part) => part.kind === 'header') > firstEvents)
    throw new Error('the header comes after events')
  return {
    header,
    trailer,
    events: parts.flatMap((part) => (part.kind === 'events' ? part.events : [])),
    damage: parts.flatMap((part) => (part.kind === 'damage' ? [part.damage] : [])),
    verdict: verdict.verdict,
  }
}

export async function gathered(parts: AsyncIterable<IncidentPart>): Promise<Read> {
  const all: IncidentPart[] = []
  for await (const part of parts) all.push(part)
  return collected(all)
}
