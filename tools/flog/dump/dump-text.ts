import type { Damage } from '../../../src/incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../../../src/incident/header'
import type { IncidentPart } from '../../../src/incident/parser'
import { EventText } from '../show/event-text'
import { headerLines, trailerLines, verdictLine } from '../show/incident-text'
import { formatTime, type TimeMode } from '../show/time'
import { count } from '../show/words'
import { escapeLine } from '../terminal'
import type { Surroundings } from '../verb'

/** What is printed of one file. True where nothing is missing from it. */
export async function dumpText(
  parts: AsyncIterable<IncidentPart>,
  mode: TimeMode,
  { out, style, talk }: Surroundings,
): Promise<boolean> {
  let header: IncidentHeader | undefined
  let trailer: IncidentTrailer | undefined
  let whole = false
  const text = new EventText(style, (event) => {
    // Without its header a file does not say when the trigger was.
    return formatTime(
      header === undefined && mode === 'relative' ? 'utc' : mode,
      event.time,
      header?.trigger.event.time ?? 0,
    )
  })
  for await (const part of parts) {
    switch (part.kind) {
      case 'header':
        header = part.header
        text.widen([header.trigger.event])
        out.write(`${headerLines(header, style).join('\n')}\n\n`)
        break
      case 'events':
        text.widen(part.events.map(({ event }) => event))
        for (const { event, mark } of part.events) out.write(text.render(event, mark))
        break
      case 'trailer':
        trailer = part.trailer
        break
      case 'damage':
        // In its place among the events, and where problems are told.
        out.line(style.bad(`  ⋯ ${missingText(part.damage)}`))
        await out.flush()
        talk(`flog: ${escapeLine(part.damage.message)}`)
        break
      case 'verdict': {
        const { verdict } = part
        whole = verdict.state === 'whole' || verdict.state === 'open'
        const closing = trailer === undefined ? [] : trailerLines(header, trailer, style)
        out.write(`\n${[...closing, verdictLine(verdict, style)].join('\n')}\n`)
        break
      }
    }
    await out.settle()
  }
  return whole
}

function missingText({ what, eventsLost }: Damage): string {
  if (what === 'truncated') return 'the file ends here'
  if (eventsLost === 0) return 'damage, but no event is lost by it'
  return eventsLost === undefined
    ? 'damage: events may be missing here'
    : `damage: ${count(eventsLost, 'event')} missing here`
}
