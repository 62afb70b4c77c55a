import { TRIGGER_EVENT_BYTES } from '../base/limits'
import { encodePlain, encodePlainEvent } from '../codec/plain'
import type { LogEvent, Plain } from '../event/event'

/** Characters of a message in an event that is too long. */
const MESSAGE_CHARS = 64 * 1024
/** Bytes that are left for all else. */
const OTHER_BYTES = 256 * 1024

/**
 * An event as an incident file can hold it. Foolscap sets no limit to one; one that is longer than 1 MiB loses its largest
 * fields, and says how much that was.
 */
export function fitted(event: LogEvent): LogEvent {
  const bytes = encodePlainEvent(event).length
  if (bytes <= TRIGGER_EVENT_BYTES) return event
  const { error, ...rest } = event
  const small: LogEvent = {
    ...rest,
    message: event.message.slice(0, MESSAGE_CHARS).toWellFormed(),
    facility: event.facility.slice(0, 256).toWellFormed(),
    fields: smallestFields(event),
    ...(error !== undefined && {
      error: {
        name: error.name.slice(0, 256),
        message: error.message.slice(0, MESSAGE_CHARS).toWellFormed(),
      },
    }),
  }
  return { ...small, cut: bytes - encodePlainEvent(small).length }
}

function smallestFields({ fields }: LogEvent): Readonly<Record<string, Plain>> {
  const sized = Object.entries(fields).map(([key, value]) => {
    return { key, value, bytes: encodePlain({ [key]: value }).length }
  })
  const kept: Record<string, Plain> = Object.create(null)
  let room = TRIGGER_EVENT_BYTES - OTHER_BYTES
  for (const { key, value, bytes } of sized.sort((a, b) => a.bytes - b.bytes)) {
    room -= bytes
    if (room < 0) break
    kept[key] = value
  }
  return kept
}
