import type { LogEvent } from '../../event/event'
import type { EventFilter } from '../filter'
import type { Recording } from '../recording'

/** Something that a recording is, or is not. */
export type Condition = (recording: Recording) => boolean

/** The event that began the incident matches. The header has it whole; where that is lost, the copy among the events does. */
export function triggerMatches(filter: EventFilter): Condition {
  return (recording) => {
    const event = triggerOf(recording)
    return event !== undefined && filter.matches(event, { ...momentOf(recording), mark: 'trigger' })
  }
}

/** Some event matches, the trigger included. */
export function someMatches(filter: EventFilter): Condition {
  return (recording) => {
    const moment = momentOf(recording)
    return recording.events.some(({ event, mark }) =>
      filter.matches(event, { ...moment, ...(mark !== undefined && { mark }) }),
    )
  }
}

export function noneMatches(filter: EventFilter): Condition {
  const some = someMatches(filter)
  return (recording) => !some(recording)
}

/** What the header says of the incident is one of these. Without a header it is none. */
export function headerHas(
  wanted: readonly string[],
  of: (header: NonNullable<Recording['header']>) => string,
): Condition {
  return ({ header }) => header !== undefined && wanted.includes(of(header))
}

/** The event that began the incident, as far as the file has it. */
export function triggerOf({ header, events }: Recording): LogEvent | undefined {
  return header?.trigger.event ?? events.find(({ mark }) => mark === 'trigger')?.event
}

/** What filters take relative times from. */
export function momentOf(recording: Recording): { readonly triggerTime?: number } {
  const time = triggerOf(recording)?.time
  return time === undefined ? {} : { triggerTime: time }
}
