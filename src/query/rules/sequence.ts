import type { EventFilter } from '../filter'
import type { Recording } from '../recording'
import { type Condition, momentOf } from './conditions'

/** One event of a sequence. */
export interface Step {
  readonly filter: EventFilter
  /** Microseconds since the event of the step before, at most; absent: any time later. */
  readonly within?: number
}

/**
 * Whether the recording has an event for each step, one after the other, each in time after the one before. Others may come
 * between them, and one event is never two steps.
 */
export function hasSequence(steps: readonly Step[]): Condition {
  return (recording) => stepsTaken(recording, steps) === steps.length
}

/**
 * For each step, when the newest event came that completes the sequence up to it: an older one could never be in time
 * where the newest is not. From the last step to the first, so that no event is taken twice.
 */
function stepsTaken(recording: Recording, steps: readonly Step[]): number {
  const completed: number[] = []
  const moment = momentOf(recording)
  for (const { event, mark } of recording.events) {
    for (let at = Math.min(completed.length, steps.length - 1); at >= 0; at--) {
      const { filter, within = Number.POSITIVE_INFINITY } = steps[at] as Step
      const before = at === 0 ? event.time : (completed[at - 1] as number)
      if (event.time - before > within) continue
      if (filter.matches(event, { ...moment, ...(mark !== undefined && { mark }) }))
        completed[at] = event.time
    }
    if (completed.length === steps.length) break
  }
  return completed.length
}
