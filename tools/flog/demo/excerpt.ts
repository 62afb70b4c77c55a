import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'
import { readIncidentFile } from '../../../src/incident/reader'
import { EventText } from '../show/event-text'
import { formatTime } from '../show/time'
import { grouped } from '../show/words'
import type { Style } from '../style'

/** Events just before the trigger, and just after it. */
const RECENT = 3
const AFTER = 2
/** Earlier events that carry an error: they look like what it began with. */
const SUSPECTS = 2

/** An event, or how many were left out. */
type Piece = RecordedEvent | { readonly omitted: number }

/** The lines of `flog dump` around the trigger, without most of the stack frames. */
export async function excerptAround(path: string, style: Style): Promise<string[]> {
  const { header, events } = await readAll(path)
  const pieces = select(events)
  const text = new EventText(style, (event) =>
    formatTime('relative', event.time, header?.trigger.event.time ?? 0),
  )
  text.widen(pieces.flatMap((piece) => ('event' in piece ? [piece.event] : [])))
  return pieces.flatMap((piece) => {
    if ('omitted' in piece) return [style.dim(`${' '.repeat(12)}⋯ ${grouped(piece.omitted)} more`)]
    return withoutFrames(text.render(piece.event, piece.mark).trimEnd().split('\n'))
  })
}

async function readAll(
  path: string,
): Promise<{ header: IncidentHeader | undefined; events: RecordedEvent[] }> {
  let header: IncidentHeader | undefined
  const events: RecordedEvent[] = []
  for await (const part of readIncidentFile(path)) {
    if (part.kind === 'header') header = part.header
    if (part.kind === 'events') events.push(...part.events)
  }
  return { header, events }
}

function select(events: readonly RecordedEvent[]): Piece[] {
  const trigger = events.findIndex(({ mark }) => mark === 'trigger')
  const recent = Math.max(0, trigger - RECENT)
  const suspects = events.slice(0, recent).flatMap(({ event }, at) => (event.error === undefined ? [] : [at]))
  const wanted = [
    ...suspects.slice(0, SUSPECTS),
    ...range(recent, Math.min(events.length, trigger + AFTER + 1)),
  ]
  const pieces: Piece[] = []
  let next = 0
  for (const at of wanted) {
    if (at > next) pieces.push({ omitted: at - next })
    pieces.push(...events.slice(at, at + 1))
    next = at + 1
  }
  if (next < events.length) pieces.push({ omitted: events.length - next })
  return pieces
}

/** Keeps the first frame: it says where. */
function withoutFrames(lines: readonly string[]): string[] {
  const firstFrame = lines.findIndex(isFrame)
  return lines.filter((line, at) => !isFrame(line) || at === firstFrame)
}

function isFrame(line: string): boolean {
  return /│.* {4}at /.test(line)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}
