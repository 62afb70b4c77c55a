import { invalidOption } from '../../base/errors'
import {
  PROCESS_CATCH_UP_MIN_MS,
  PROCESS_DROP_RETENTION_MS,
  PROCESS_FIRST_WAIT_MS,
  PROCESS_ITEM_BACKOFF_MAX_MS,
  PROCESS_ITEM_BACKOFF_MS,
  PROCESS_ITEM_GRACE_MS,
  PROCESS_ITEM_TIMEOUT_MS,
  PROCESS_SCHEDULE_FLOOR_MS,
  PROCESS_SCHEDULE_MIN_MS,
} from '../../base/limits'
import { checkNames } from '../../base/names'
import { parseWhole } from '../../base/numbers'
import { type Backoff, parseBackoff } from '../lease/backoff'
import type { PlainJson, Transaction } from '../store/database'
import { isStorableText, storableJson } from '../store/storable'
import type { AfterError } from './budget'
import { CronTimes } from './cron'
import type { Schedule } from './schedule'

/** What a run hands to a worker with each item. */
export interface RunContext<S extends PlainJson = PlainJson> {
  /** Aborts when the item's time is over, when the collector ends, and when the run belongs to another instance. */
  readonly signal: AbortSignal
  /** Grows with each run of the process: whoever is given it can refuse what an earlier run still sends. */
  readonly fence: bigint
  readonly runId: bigint
  readonly settings: S
  /** The moment that the run stands for; with `backfill` one of the past. */
  readonly slot: Date
  /**
   * Adds to a count of the item, and to `work.<name>` of the run. Names are to be few: some 200 are kept of a process, of 200
   * characters, and what is counted under others is added up as `other`.
   */
  stats(n: number, name: string): void
  /** Notes an error of the item. At `abort` there were too many: what is returned afterwards changes nothing about that. */
  error(error: unknown): AfterError
  /** Says that it goes on. Written at intervals only. */
  progress(): Promise<Progress>
  /** A transaction that is rolled back when the run has been taken over. */
  transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
}

/** `merged`: settings or items changed; the settings are the new ones now. `conflict`: the run is another instance's. */
export type Progress = 'none' | 'updated' | 'merged' | 'conflict'

export interface WorkItem {
  readonly name: string
  readonly params: PlainJson
  /** Grows whenever the item is registered with other parameters, or unregistered. */
  readonly version: bigint
}

export interface FlowControl {
  /** Milliseconds before the first look at a process after a start; default one minute. */
  readonly initialWaitMs?: number
  /** Intervals below are raised to it; default 15 minutes, at least a second. Cron expressions are taken as they are. */
  readonly minScheduleMs?: number
  /**
   * Milliseconds between two writes of progress; default a tenth of the interval, at most a third of the shortest one. Less
   * where `stallTimeoutMs` asks for it.
   */
  readonly progressMs?: number
}

export interface ProcessDefinition<S extends PlainJson = PlainJson> extends FlowControl {
  readonly name: string
  readonly schedule: Schedule
  /** What it starts with; an operator may change it. Default `{}`. */
  readonly settings?: S
  /** Does what is to be done about one item. Rejecting is an error of the item. */
  active(item: WorkItem, context: RunContext<S>): Promise<void>
  /** Removes what there is of an item that was unregistered. A {@link GoneError} counts as done. */
  cleanup(item: WorkItem, context: RunContext<S>): Promise<void>
  /** Items at a time; default 1. */
  readonly concurrency?: number
  /** Milliseconds for one item; default 10 minutes. */
  readonly itemTimeoutMs?: number
  /** Milliseconds for items under way to end when the collector does, and for one to end after its time-out; default 5 s. */
  readonly graceMs?: number
  /** A run of a living owner that made no progress for so long is taken over; default twice the item's time-out and a minute. */
  readonly stallTimeoutMs?: number
  /** A slot that is later than this, at least a second, is missed, jitter not counted; default: what was missed is run once, however late. */
  readonly catchUpMs?: number
  /** Pauses the process after so many runs in a row that failed or were lost; default never. */
  readonly pauseOnFailure?: number
  /**
   * How long an item is left alone that had too many errors, or that its owner died over twice in a row; default one minute,
   * doubled up to an hour.
   */
  readonly backoff?: ItemBackoff
  /** Milliseconds for which a dropped item is kept; default 7 days. */
  readonly dropRetentionMs?: number
}

export type ItemBackoff = Pick<Backoff, (typeof BACKOFF_NAMES)[number]>

const BACKOFF_NAMES = ['initialMs', 'maximumMs', 'exponent'] as const

/** A definition with all that it did not say. */
export type CheckedDefinition = Required<
  Omit<ProcessDefinition, 'catchUpMs' | 'pauseOnFailure' | 'progressMs'>
> &
  Pick<ProcessDefinition, 'catchUpMs' | 'pauseOnFailure' | 'progressMs'>

const NAMES: readonly (keyof ProcessDefinition)[] = [
  'name',
  'schedule',
  'settings',
  'active',
  'cleanup',
  'concurrency',
  'itemTimeoutMs',
  'graceMs',
  'stallTimeoutMs',
  'catchUpMs',
  'pauseOnFailure',
  'backoff',
  'dropRetentionMs',
  'initialWaitMs',
  'minScheduleMs',
  'progressMs',
]

const LONGEST_MS = 10 * 366 * 86_400_000

/** @throws FlogError FLOG_OPTION_INVALID */
export function checkDefinition<S extends PlainJson>(given: ProcessDefinition<S>): CheckedDefinition {
  checkNames('', given, NAMES)
  for (const does of ['active', 'cleanup'] as const) {
    if (typeof given[does] !== 'function') throw invalidOption(does, 'a function', given[does])
  }
  const itemTimeoutMs = ms('itemTimeoutMs', given.itemTimeoutMs ?? PROCESS_ITEM_TIMEOUT_MS)
  const graceMs = ms('graceMs', given.graceMs ?? PROCESS_ITEM_GRACE_MS, 0)
  const minScheduleMs = ms(
    'minScheduleMs',
    given.minScheduleMs ?? PROCESS_SCHEDULE_MIN_MS,
    PROCESS_SCHEDULE_FLOOR_MS,
  )
  const stallTimeoutMs = ms('stallTimeoutMs', given.stallTimeoutMs ?? 2 * itemTimeoutMs + 60_000)
  if (stallTimeoutMs <= itemTimeoutMs + graceMs) {
    throw invalidOption(
      'stallTimeoutMs',
      `more than itemTimeoutMs and graceMs, ${itemTimeoutMs + graceMs}`,
      stallTimeoutMs,
    )
  }
  if (given.catchUpMs !== undefined) ms('catchUpMs', given.catchUpMs, PROCESS_CATCH_UP_MIN_MS)
  if (given.progressMs !== undefined) ms('progressMs', given.progressMs, 0)
  if (given.pauseOnFailure !== undefined) parseWhole('pauseOnFailure', given.pauseOnFailure, 1, 1e6)
  return {
    ...(given as unknown as ProcessDefinition),
    name: checkName('name', given.name),
    schedule: checkSchedule(given.schedule, minScheduleMs),
    settings: JSON.parse(storableJson('settings', given.settings ?? {})) as PlainJson,
    initialWaitMs: ms('initialWaitMs', given.initialWaitMs ?? PROCESS_FIRST_WAIT_MS, 0),
    minScheduleMs,
    itemTimeoutMs,
    graceMs,
    stallTimeoutMs,
    concurrency: parseWhole('concurrency', given.concurrency ?? 1, 1, 1000),
    backoff: checkBackoff(given.backoff ?? BACKOFF),
    dropRetentionMs: ms('dropRetentionMs', given.dropRetentionMs ?? PROCESS_DROP_RETENTION_MS, 0),
  }
}

function checkBackoff(given: ItemBackoff): ItemBackoff {
  checkNames('backoff', given, BACKOFF_NAMES)
  return parseBackoff('backoff', given)
}

const BACKOFF: ItemBackoff = {
  initialMs: PROCESS_ITEM_BACKOFF_MS,
  maximumMs: PROCESS_ITEM_BACKOFF_MAX_MS,
  exponent: 2,
}

/** An interval below the shortest is raised to it. */
export function checkSchedule(schedule: Schedule, minScheduleMs: number): Schedule {
  if ('everyMs' in schedule) return { everyMs: Math.max(ms('everyMs', schedule.everyMs), minScheduleMs) }
  new CronTimes(schedule.cron, schedule.zone)
  return schedule.zone === undefined ? { cron: schedule.cron } : { cron: schedule.cron, zone: schedule.zone }
}

/**
 * Two names have to fit into one entry of an index.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function checkName(option: string, name: unknown): string {
  const isName = typeof name === 'string' && name !== '' && name.length <= 500 && isStorableText(name)
  if (isName && Buffer.byteLength(name) <= 1000) return name
  throw invalidOption(option, 'a text of 1 to 500 characters and at most 1,000 bytes, without NUL', name)
}

/** Milliseconds between two writes of progress: so few that with the longest item between them nobody takes it for a standstill. */
export function progressMs(definition: CheckedDefinition, periodMs: number): number {
  const { progressMs, minScheduleMs, stallTimeoutMs, itemTimeoutMs, graceMs } = definition
  const wanted = progressMs ?? Math.min(periodMs / 10, minScheduleMs / 3)
  return Math.min(wanted, (stallTimeoutMs - itemTimeoutMs - graceMs) / 2)
}

function ms(option: string, value: number, min = 1): number {
  return parseWhole(option, value, min, LONGEST_MS)
}
