import { createHash } from 'node:crypto'
import { invalidOption } from '../../base/errors'
import { PROCESS_JITTER_MAX_MS, PROCESS_JITTER_SHARE, PROCESS_MISSED_COUNTED } from '../../base/limits'
import { CronTimes } from './cron'

/**
 * When a process is due. A slot is one such moment: with an interval, a multiple of it since 1970, so that all instances
 * mean the same moments; with cron, what the expression says.
 */
export type Schedule =
  | { readonly everyMs: number }
  | { readonly cron: string /** IANA name; default UTC. */; readonly zone?: string }

/** Slots that have come, taken together: one run answers for all of them. */
export interface DueSlots {
  /** The latest of them. */
  readonly slot: Date
  /** How many came before it without a run; counted up to 1,000. */
  readonly missed: number
  /** Milliseconds since the first of them. */
  readonly latenessMs: number
}

/** The first slot after a moment. */
export function nextSlot(schedule: Schedule, after: Date): Date {
  if ('everyMs' in schedule) {
    return new Date((Math.floor(after.getTime() / schedule.everyMs) + 1) * schedule.everyMs)
  }
  const next = new CronTimes(schedule.cron, schedule.zone).next(after)
  if (next === undefined) throw invalidOption('cron', 'an expression that comes true again', schedule.cron)
  return next
}

/** The slot of a new process: an interval is due at once, cron when it says so. */
export function firstSlot(schedule: Schedule, at: Date): Date {
  if (!('everyMs' in schedule)) return nextSlot(schedule, at)
  return new Date(Math.floor(at.getTime() / schedule.everyMs) * schedule.everyMs)
}

/** What has come of the slots from `next` on, or undefined when `next` is still to come. */
export function dueSlots(schedule: Schedule, next: Date, at: Date): DueSlots | undefined {
  if (at.getTime() < next.getTime()) return undefined
  const latenessMs = at.getTime() - next.getTime()
  if ('everyMs' in schedule) {
    const first = Math.ceil(next.getTime() / schedule.everyMs)
    const last = Math.max(first, Math.floor(at.getTime() / schedule.everyMs))
    const slot = Math.max(next.getTime(), Math.min(last * schedule.everyMs, at.getTime()))
    return { slot: new Date(slot), missed: Math.min(last - first, PROCESS_MISSED_COUNTED), latenessMs }
  }
  return { ...dueTimes(new CronTimes(schedule.cron, schedule.zone), next, at), latenessMs }
}

/** All slots from one moment to another, both included; at most `limit`. */
export function slotsBetween(schedule: Schedule, from: Date, to: Date, limit: number): readonly Date[] {
  const slots: Date[] = []
  let slot = nextSlot(schedule, new Date(from.getTime() - 1))
  while (slot.getTime() <= to.getTime() && slots.length < limit) {
    slots.push(slot)
    slot = nextSlot(schedule, slot)
  }
  return slots
}

/** Milliseconds between the next two slots. */
export function periodMs(schedule: Schedule, at: Date): number {
  if ('everyMs' in schedule) return schedule.everyMs
  const next = nextSlot(schedule, at)
  return nextSlot(schedule, next).getTime() - next.getTime()
}

/**
 * How long after its slots a process begins, so that not all begin at the full hour: up to a tenth of the period and 30 s.
 * It follows from the name alone: the same in all instances, and at every slot.
 */
export function jitterMs(name: string, period: number): number {
  const fraction = createHash('sha256').update(name).digest().readUInt32BE(0) / 2 ** 32
  return Math.floor(fraction * Math.min(period * PROCESS_JITTER_SHARE, PROCESS_JITTER_MAX_MS))
}

function dueTimes(times: CronTimes, next: Date, at: Date): { slot: Date; missed: number } {
  let missed = 0
  let slot = next
  for (;;) {
    const following = times.next(slot)
    if (following === undefined || following.getTime() > at.getTime()) return { slot, missed }
    if (missed === PROCESS_MISSED_COUNTED) return { slot: times.last(at) ?? slot, missed }
    missed++
    slot = following
  }
}
