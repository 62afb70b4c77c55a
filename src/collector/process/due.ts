import { type DueSlots, dueSlots, nextSlot, type Schedule } from './schedule'
import type { RunState } from './states'

/** What the database says of a process and of its latest run, at one moment of the database's time. */
export interface Situation {
  readonly at: Date
  readonly schedule: Schedule
  readonly nextRunAt: Date
  readonly paused: boolean
  readonly requested: boolean
  readonly backfill: readonly string[]
  readonly settingsVersion: bigint
  /** The version at which the settings themselves changed last: what came later are items. */
  readonly settingsSince: bigint
  readonly last: LastRun | undefined
}

export interface LastRun {
  readonly runId: bigint
  readonly state: RunState
  /** Whether the session of its owner lives. */
  readonly ownerLives: boolean
  readonly progressTime: Date
  readonly slotAt: Date
  readonly settingsVersion: bigint
  readonly interrupted: boolean
  readonly continues: bigint | undefined
  /** Why the first of the runs that it continues was begun; its own reason where it continues none. */
  readonly origin: Reason
}

export interface DueOptions {
  readonly jitterMs: number
  readonly stallTimeoutMs: number
  /** Slots that are later than this are not made up for; undefined: whatever was missed is run once. */
  readonly catchUpMs: number | undefined
}

export type Reason = 'slot' | 'lost' | 'interrupted' | 'requested' | 'settings' | 'changes' | 'backfill'

export interface RunPlan {
  readonly reason: Reason
  /** Of the run that is continued, else the reason. For `changes` only items that changed are processed. */
  readonly origin: Reason
  readonly slot: Date
  readonly missed: number
  readonly latenessMs: number
  /** The run whose items that are done need not be done again. */
  readonly continues: bigint | undefined
  readonly settingsVersion: bigint
}

export interface Verdict {
  /** The latest run is active, and nobody will end it. */
  readonly lost: boolean
  readonly plan: RunPlan | undefined
  readonly nextRunAt: Date
  /** Slots that came and got no run of their own. */
  readonly missed: number
  /** Milliseconds until the next slot; Infinity while another run goes on, and while it is paused. */
  readonly waitMs: number
}

/** Whether a process is to be run now, and why. */
export function judge(now: Situation, options: DueOptions): Verdict {
  const lost = now.last !== undefined && isLost(now.last, now.at, options)
  if (now.last?.state === 'active' && !lost) return waiting(now, false)
  const last = lost && now.last !== undefined ? { ...now.last, state: 'lost' as const } : now.last
  if (now.paused) return now.requested ? start(now, other(now, 'requested'), lost) : waiting(now, lost)
  // Jitter moves the whole schedule: what has come is what would have come that much earlier without it.
  const reached = new Date(now.at.getTime() - options.jitterMs)
  const due = dueSlots(now.schedule, now.nextRunAt, reached)
  const following = due === undefined ? now : { ...now, nextRunAt: nextSlot(now.schedule, reached) }
  if (due !== undefined && withinCatchUp(due, reached, options))
    return start(following, ofSlots(now, due), lost)
  const plan = unscheduled(now, last)
  const outdated = due === undefined ? 0 : due.missed + 1
  if (plan !== undefined) return { ...start(following, plan, lost), missed: outdated }
  return { ...nothing(following, options, lost), missed: outdated }
}

function isLost(last: LastRun, at: Date, options: DueOptions): boolean {
  if (last.state !== 'active') return false
  return !last.ownerLives || at.getTime() - last.progressTime.getTime() > options.stallTimeoutMs
}

function withinCatchUp(due: DueSlots, reached: Date, { catchUpMs }: DueOptions): boolean {
  return catchUpMs === undefined || reached.getTime() - due.slot.getTime() <= catchUpMs
}

function ofSlots(now: Situation, due: DueSlots): RunPlan {
  const { settingsVersion } = now
  return { reason: 'slot', origin: 'slot', ...due, continues: undefined, settingsVersion }
}

/** A run between slots: to finish what was not, because somebody wants it, or because something changed. */
function unscheduled(now: Situation, last: LastRun | undefined): RunPlan | undefined {
  if (last?.state === 'lost') return continuing(now, last, 'lost')
  if (last?.interrupted === true) return continuing(now, last, 'interrupted')
  if (now.requested) return other(now, 'requested')
  if (last !== undefined && last.settingsVersion < now.settingsSince) return other(now, 'settings')
  if (last !== undefined && last.settingsVersion < now.settingsVersion) return other(now, 'changes')
  const [slot] = now.backfill
  return slot === undefined ? undefined : { ...other(now, 'backfill'), slot: new Date(slot) }
}

/** It answers for the settings of the run that it continues: what changed since gets one run more. */
function continuing(now: Situation, last: LastRun, reason: Reason): RunPlan {
  const { slotAt: slot, settingsVersion, origin } = last
  return { ...other(now, reason), origin, slot, continues: last.continues ?? last.runId, settingsVersion }
}

function other(now: Situation, reason: Reason): RunPlan {
  const { at: slot, settingsVersion } = now
  return { reason, origin: reason, slot, missed: 0, latenessMs: 0, continues: undefined, settingsVersion }
}

function start({ nextRunAt }: Situation, plan: RunPlan, lost: boolean): Verdict {
  return { lost, plan, nextRunAt, missed: plan.missed, waitMs: 0 }
}

/** For somebody, not for a slot. */
function waiting({ nextRunAt }: Situation, lost: boolean): Verdict {
  return { lost, plan: undefined, nextRunAt, missed: 0, waitMs: Infinity }
}

function nothing({ nextRunAt, at }: Situation, { jitterMs }: DueOptions, lost: boolean): Verdict {
  const waitMs = Math.max(0, nextRunAt.getTime() + jitterMs - at.getTime())
  return { lost, plan: undefined, nextRunAt, missed: 0, waitMs }
}
