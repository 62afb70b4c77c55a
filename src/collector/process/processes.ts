import { invalidOption } from '../../base/errors'
import { PROCESS_BACKFILL_SLOTS, PROCESS_RUNS_KEPT, PROCESS_VIEW_ITEMS } from '../../base/limits'
import { parseWhole } from '../../base/numbers'
import type { Database, Executor, PlainJson } from '../store/database'
import { TRAITS } from '../store/dialect'
import { storableJson, storableText } from '../store/storable'
import { type CheckedDefinition, checkName, checkSchedule } from './definition'
import { type Item, registerItem, unregisterItem } from './items'
import { lockProcess, sameJson, scheduleOf, unknownProcess } from './rows'
import { firstSlot, nextSlot, periodMs, type Schedule, slotsBetween } from './schedule'
import { type DatabaseTime, databaseTime, timeOf } from './time'
import { type ItemView, listItems, listProcesses, listRuns, type ProcessView, type RunView } from './views'

/** Those who run processes listen here: something changed that may have to be run. */
export const PROCESS_CHANNEL = 'flog_process'

export interface ProcessChanges {
  readonly schedule?: Schedule
  /** Replaces all settings. */
  readonly settings?: PlainJson
}

export interface ProcessesOptions {
  /** What the database is to take for its time; for tests. */
  readonly time?: DatabaseTime
}

const INSERT = `
INSERT INTO process (name, schedule_ms, cron, zone, min_schedule_ms, settings, defined, next_run_at, drop_retention_ms)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9)
ON CONFLICT (name) DO NOTHING`

const RESCHEDULE = `
UPDATE process SET schedule_ms = $2, cron = $3, zone = $4, next_run_at = $5 WHERE name = $1`

const SETTINGS = `
UPDATE process
   SET settings = $2::jsonb, settings_version = settings_version + 1, settings_since = settings_version + 1
 WHERE name = $1`

const DEFINED = `
UPDATE process SET min_schedule_ms = $2, defined = $3::jsonb, drop_retention_ms = $4 WHERE name = $1`

const PAUSE = 'UPDATE process SET paused = true, paused_because = $2 WHERE name = $1'
const RESUME = 'UPDATE process SET paused = false, paused_because = NULL, failures = 0 WHERE name = $1'
const RUN_NOW = 'UPDATE process SET run_requested = true WHERE name = $1'
const BACKFILL = 'UPDATE process SET backfill = backfill || $2::jsonb WHERE name = $1'

/**
 * The scheduled processes that a database knows, for whoever registers items or operates them: any program that reaches the
 * database, whether it runs processes or not. Each change is a transaction, or part of the caller's.
 */
export class Processes {
  readonly #database: Database
  readonly #time: DatabaseTime

  constructor(database: Database, options: ProcessesOptions = {}) {
    this.#database = database
    this.#time = options.time ?? databaseTime
  }

  /**
   * Makes a process known. Where it is already, its stored schedule and settings stay: an operator may have changed them. They
   * are replaced when the code asks for others than the last time.
   */
  async define(definition: CheckedDefinition): Promise<void> {
    await this.#change(definition.name, undefined, (tx) => this.#define(tx, definition))
  }

  /**
   * Puts an item on the active list, which is stored. What is new or has other parameters is processed at once, by a run of
   * its own; all else waits for the next slot.
   * @throws FlogError FLOG_OPTION_INVALID, FLOG_PROCESS_UNKNOWN
   */
  async register(process: string, item: string, params: PlainJson = {}, tx?: Executor): Promise<Item> {
    return this.#within(tx, async (inside) => {
      const stored = await registerItem(inside, process, item, params, this.#time)
      if (stored.changed) await this.#tell(inside, process)
      return stored.item
    })
  }

  /**
   * Puts an item on the cleanup list; it is cleaned up at once, by a run of its own.
   * @throws FlogError FLOG_OPTION_INVALID, FLOG_PROCESS_UNKNOWN
   */
  async unregister(process: string, item: string, tx?: Executor): Promise<void> {
    await this.#within(tx, async (inside) => {
      if (await unregisterItem(inside, process, item, this.#time)) await this.#tell(inside, process)
    })
  }

  /** A new schedule counts from its next slot on; new settings get one run over all items at once. */
  async update(process: string, changes: ProcessChanges, tx?: Executor): Promise<void> {
    const settings = changes.settings === undefined ? undefined : storableJson('settings', changes.settings)
    await this.#change(process, tx, async (inside) => {
      const row = await lockProcess(inside, process, this.#time())
      if (changes.schedule !== undefined) {
        const schedule = checkSchedule(changes.schedule, Number(row.min_schedule_ms))
        await reschedule(inside, process, schedule, nextSlot(schedule, row.at), row.at)
      }
      if (settings === undefined || sameJson(JSON.parse(settings), row.settings)) return
      await inside.query(SETTINGS, [process, settings])
    })
  }

  /** No run is begun until it is resumed, unless somebody asks for one; one that is under way goes on. */
  async pause(process: string, because = 'by an operator', tx?: Executor): Promise<void> {
    await this.#one(process, PAUSE, [storableText(because)], tx)
  }

  async resume(process: string, tx?: Executor): Promise<void> {
    await this.#one(process, RESUME, [], tx)
  }

  /** One run as soon as nothing is under way, paused or not. */
  async runNow(process: string, tx?: Executor): Promise<void> {
    await this.#one(process, RUN_NOW, [], tx)
  }

  /**
   * One run for each slot between two moments, both included, when nothing else is to do.
   * @returns how many
   * @throws FlogError FLOG_OPTION_INVALID where they are more than 1,000
   */
  async backfill(process: string, from: Date, to: Date, tx?: Executor): Promise<number> {
    return this.#change(process, tx, async (inside) => {
      const row = await lockProcess(inside, process, this.#time())
      const left = PROCESS_BACKFILL_SLOTS - row.backfill.length
      const slots = slotsBetween(scheduleOf(row), from, to, left + 1)
      if (slots.length > left) throw invalidOption('to', `a time at most ${left} slots after from`, to)
      await inside.query(BACKFILL, [process, JSON.stringify(slots)])
      return slots.length
    })
  }

  list(): Promise<readonly ProcessView[]> {
    return listProcesses(this.#database, undefined)
  }

  /** @throws FlogError FLOG_PROCESS_UNKNOWN */
  async view(process: string): Promise<ProcessView> {
    const [view] = await listProcesses(this.#database, storableText(process))
    if (view === undefined) throw unknownProcess(process)
    return view
  }

  /**
   * Runs of a process, the latest first.
   * @param limit 1 to 100
   * @throws FlogError FLOG_OPTION_INVALID
   */
  async runs(process: string, limit = 20): Promise<readonly RunView[]> {
    return listRuns(this.#database, storableText(process), parseWhole('limit', limit, 1, PROCESS_RUNS_KEPT))
  }

  /**
   * Items by name, from after `after` on.
   * @param limit 1 to 1,000
   * @throws FlogError FLOG_OPTION_INVALID
   */
  async items(process: string, after = '', limit = 100): Promise<readonly ItemView[]> {
    const page = { after: storableText(after), limit: parseWhole('limit', limit, 1, PROCESS_VIEW_ITEMS) }
    return listItems(this.#database, storableText(process), page, this.#time)
  }

  async #define(tx: Executor, definition: CheckedDefinition): Promise<void> {
    const { name, schedule, settings, minScheduleMs, dropRetentionMs } = definition
    const now = await timeOf(tx, this.#time)
    const defined = JSON.stringify({ schedule, settings })
    const [ms, cron, zone] = scheduleColumns(schedule, now)
    const first = firstSlot(schedule, now)
    const given = [minScheduleMs, JSON.stringify(settings), defined, first, dropRetentionMs]
    await tx.query(INSERT, [name, ms, cron, zone, ...given])
    const row = await lockProcess(tx, name, now)
    const limits = [Number(row.min_schedule_ms), Number(row.drop_retention_ms)]
    if (sameJson([row.defined, limits], [JSON.parse(defined), [minScheduleMs, dropRetentionMs]])) return
    if (!sameJson(row.defined['schedule'] ?? null, schedule)) {
      await reschedule(tx, name, schedule, nextSlot(schedule, now), now)
    } else if (row.cron === null && Number(row.schedule_ms) < minScheduleMs) {
      const raised = { everyMs: minScheduleMs }
      await reschedule(tx, name, raised, nextSlot(raised, now), now)
    }
    if (!sameJson(row.defined['settings'] ?? null, settings) && !sameJson(row.settings, settings)) {
      await tx.query(SETTINGS, [name, JSON.stringify(settings)])
    }
    await tx.query(DEFINED, [name, minScheduleMs, defined, dropRetentionMs])
  }

  async #one(process: string, statement: string, params: readonly string[], tx?: Executor): Promise<void> {
    await this.#change(process, tx, async (inside) => {
      if ((await inside.query(statement, [process, ...params])).count === 0) throw unknownProcess(process)
    })
  }

  async #change<T>(process: string, tx: Executor | undefined, run: (tx: Executor) => Promise<T>): Promise<T> {
    checkName('process', process)
    return this.#within(tx, async (inside) => {
      const result = await run(inside)
      await this.#tell(inside, process)
      return result
    })
  }

  /** In the caller's transaction, which is the caller's to end, or in one of its own. */
  #within<T>(tx: Executor | undefined, run: (tx: Executor) => Promise<T>): Promise<T> {
    return tx === undefined ? this.#database.transaction(run) : run(tx)
  }

  async #tell(tx: Executor, process: string): Promise<void> {
    if (TRAITS[this.#database.dialect].notifies) {
      await tx.query('SELECT pg_notify($1, $2)', [PROCESS_CHANNEL, process])
    }
  }
}

async function reschedule(
  tx: Executor,
  name: string,
  schedule: Schedule,
  next: Date,
  now: Date,
): Promise<void> {
  await tx.query(RESCHEDULE, [name, ...scheduleColumns(schedule, now), next])
}

/** Interval, expression, zone. The period of an expression is kept for those who look. */
function scheduleColumns(schedule: Schedule, now: Date): readonly [number, string | null, string | null] {
  if ('everyMs' in schedule) return [schedule.everyMs, null, null]
  return [periodMs(schedule, now), schedule.cron, schedule.zone ?? null]
}
