import type { IncidentTrailer } from '../../../src/incident/header'
import type { IncidentPart } from '../../../src/incident/parser'
import { eventJson, headerJson, trailerJson, verdictJson } from '../show/event-json'
import { escapeLine } from '../terminal'
import type { Surroundings } from '../verb'

/**
 * One file as JSON lines: the header, the events, the trailer. A header that is damaged is null; so is a trailer that is
 * missing. The verdict comes with the trailer where something is wrong with the file. True where nothing is missing.
 */
export async function dumpJson(
  parts: AsyncIterable<IncidentPart>,
  { out, talk }: Surroundings,
): Promise<boolean> {
  let begun = false
  let trailer: IncidentTrailer | undefined
  let whole = false
  const begin = (header: object): void => {
    if (!begun) out.line(JSON.stringify(header))
    begun = true
  }
  for await (const part of parts) {
    switch (part.kind) {
      case 'header':
        begin(headerJson(part.header))
        break
      case 'events':
        begin({ header: null })
        for (const { event, mark } of part.events) out.line(JSON.stringify(eventJson(event, mark)))
        break
      case 'trailer':
        trailer = part.trailer
        break
      case 'damage':
        await out.flush()
        talk(`flog: ${escapeLine(part.damage.message)}`)
        break
      case 'verdict': {
        begin({ header: null })
        const { state } = part.verdict
        whole = state === 'whole' || state === 'open'
        const end = { trailer: trailer === undefined ? null : trailerJson(trailer) }
        out.line(JSON.stringify(state === 'whole' ? end : { ...end, verdict: verdictJson(part.verdict) }))
        break
      }
    }
    await out.settle()
  }
  return whole
}
