import { ORDERED_EVENTS } from '../base/limits'
import type { IncidentHeader } from './header'
import type { IncidentPart } from './parser'
import type { RecordedEvent } from './parts'

/**
 * The parts of a file with the events of its window in the order of `seq`. Where several threads log, each is read a moment
 * after it wrote, so that the file has them nearly, but not exactly in order (FORMAT.md, "Events block"). An event is put
 * right as long as fewer than {@link ORDERED_EVENTS} others are between it and its place. Files of one thread stay as they are.
 */
export async function* inOrder(parts: AsyncIterable<IncidentPart>): AsyncGenerator<IncidentPart, void> {
  let isMixed = false
  let isWindow = false
  let held: RecordedEvent[] = []
  for await (const part of parts) {
    if (part.kind === 'events' && isMixed && isWindow) {
      held.push(...part.events)
      if (held.length < 2 * ORDERED_EVENTS) continue
      held.sort(bySeq)
      yield { kind: 'events', events: held.slice(0, -ORDERED_EVENTS) }
      held = held.slice(-ORDERED_EVENTS)
      continue
    }
    if (held.length > 0) yield { kind: 'events', events: held.sort(bySeq) }
    held = []
    if (part.kind === 'header') isMixed = hasSeveralThreads(part.header)
    // The trigger has a block of its own.
    else if (part.kind === 'events') isWindow ||= part.events.some(({ mark }) => mark === 'trigger')
    yield part
  }
  if (held.length > 0) yield { kind: 'events', events: held.sort(bySeq) }
}

function hasSeveralThreads({ rings }: IncidentHeader): boolean {
  return new Set(rings.map(({ thread }) => thread)).size > 1
}

function bySeq(one: RecordedEvent, other: RecordedEvent): number {
  return one.event.seq - other.event.seq
}
