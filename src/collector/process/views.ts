import type { Executor, PlainJson } from '../store/database'
import type { NotedError } from './budget'
import { scheduleOf } from './rows'
import type { Schedule } from './schedule'
import { type ItemList, type ItemState, type ItemViewState, type RunState, viewState } from './states'
import type { Stats } from './stats'
import { at, type DatabaseTime } from './time'

/** A process as `/processes` shows it: JSON. Times are ISO 8601. */
export interface ProcessView {
  readonly name: string
  readonly schedule: Schedule
  readonly settings: PlainJson
  readonly settingsVersion: number
  readonly paused: boolean
  readonly pausedBecause: string | null
  readonly nextRunAt: string
  readonly requested: boolean
  /** Slots that are still to be run once more. */
  readonly backfill: number
  readonly fence: number
  /** Session that runs it now. */
  readonly owner: string | null
  readonly missedSlots: number
  /** Runs in a row that were not completed. */
  readonly failures: number
  readonly aggregateStats: Stats
  readonly lastRun: RunView | null
  readonly items: Readonly<Record<ItemList, number>>
}

export interface RunView {
  readonly run: number
  readonly state: RunState
  readonly reason: string
  readonly slot: string
  readonly start: string
  readonly progress: string
  readonly finish: string | null
  readonly session: string | null
  readonly missed: number
  readonly latenessMs: number
  readonly interrupted: boolean
  readonly stats: Stats
  readonly errors: readonly NotedError[]
  readonly totalErrors: number
  readonly lastError: string | null
}

export interface ItemView {
  readonly name: string
  readonly state: ItemViewState
  readonly params: PlainJson
  readonly version: number
  readonly modified: string
  readonly processed: string | null
  /** Left alone until then. */
  readonly retryAt: string | null
  readonly status: PlainJson
}

interface ViewRow {
  readonly name: string
  readonly schedule_ms: bigint
  readonly cron: string | null
  readonly zone: string | null
  readonly settings: PlainJson
  readonly settings_version: bigint
  readonly paused: boolean
  readonly paused_because: string | null
  readonly next_run_at: Date
  readonly run_requested: boolean
  readonly backfill: readonly string[]
  readonly fence: bigint
  readonly owner_session: string | null
  readonly missed_slots: bigint
  readonly failures: number
  readonly aggregate_stats: Stats
}

interface RunRow {
  readonly run_id: bigint
  readonly process: string
  readonly session_id: string | null
  readonly slot_at: Date
  readonly state: RunState
  readonly start_time: Date
  readonly progress_time: Date
  readonly finish_time: Date | null
  readonly stats: Stats
  readonly errors: readonly NotedError[]
  readonly total_errors: number
  readonly last_error_time: Date | null
  readonly reason: string
  readonly missed: number
  readonly lateness_ms: bigint
  readonly interrupted: boolean
}

interface ItemRow {
  readonly name: string
  readonly list: ItemList
  readonly state: ItemState
  readonly purgeable: boolean
  readonly params: PlainJson
  readonly version: bigint
  readonly modified: Date
  readonly processed_at: Date | null
  readonly retry_at: Date | null
  readonly status: PlainJson
}

const PROCESSES = 'SELECT * FROM process WHERE $1::text IS NULL OR name = $1 ORDER BY name'

const LATEST = `
SELECT r.* FROM process p JOIN process_run r ON r.run_id = p.run_id WHERE $1::text IS NULL OR p.name = $1`

const COUNTS = `
SELECT process, list, count(*) AS items FROM process_item WHERE $1::text IS NULL OR process = $1 GROUP BY process, list`

const RUNS = 'SELECT * FROM process_run WHERE process = $1 ORDER BY run_id DESC LIMIT $2'

const ITEMS = `
SELECT i.name, i.list, i.state, i.params, i.version, i.modified, i.processed_at, i.retry_at, i.status,
       i.list_since <= ${at(4)} - p.drop_retention_ms * interval '1 millisecond' AS purgeable
  FROM process_item i JOIN process p ON p.name = i.process
 WHERE i.process = $1 AND i.name > $2 ORDER BY i.name LIMIT $3`

/** All processes, or one. */
export async function listProcesses(
  executor: Executor,
  name: string | undefined,
): Promise<readonly ProcessView[]> {
  const only = [name ?? null]
  const { rows } = await executor.query<ViewRow>(PROCESSES, only)
  const latest = await executor.query<RunRow>(LATEST, only)
  const counts = await executor.query<{ process: string; list: ItemList; items: bigint }>(COUNTS, only)
  const runs = new Map(latest.rows.map((row) => [row.process, runView(row)]))
  return rows.map((row) => {
    const items = { active: 0, cleanup: 0, dropped: 0 }
    for (const count of counts.rows) if (count.process === row.name) items[count.list] = Number(count.items)
    return { ...processView(row), lastRun: runs.get(row.name) ?? null, items }
  })
}

export async function listRuns(
  executor: Executor,
  process: string,
  limit: number,
): Promise<readonly RunView[]> {
  const { rows } = await executor.query<RunRow>(RUNS, [process, limit])
  return rows.map(runView)
}

export async function listItems(
  executor: Executor,
  process: string,
  page: { readonly after: string; readonly limit: number },
  time: DatabaseTime,
): Promise<readonly ItemView[]> {
  const { rows } = await executor.query<ItemRow>(ITEMS, [process, page.after, page.limit, time()])
  return rows.map(itemView)
}

function processView(row: ViewRow): Omit<ProcessView, 'lastRun' | 'items'> {
  return {
    name: row.name,
    schedule: scheduleOf(row),
    settings: row.settings,
    settingsVersion: Number(row.settings_version),
    paused: row.paused,
    pausedBecause: row.paused_because,
    nextRunAt: row.next_run_at.toISOString(),
    requested: row.run_requested,
    backfill: row.backfill.length,
    fence: Number(row.fence),
    owner: row.owner_session,
    missedSlots: Number(row.missed_slots),
    failures: row.failures,
    aggregateStats: row.aggregate_stats,
  }
}

function runView(row: RunRow): RunView {
  return {
    run: Number(row.run_id),
    state: row.state,
    reason: row.reason,
    slot: row.slot_at.toISOString(),
    start: row.start_time.toISOString(),
    progress: row.progress_time.toISOString(),
    finish: row.finish_time?.toISOString() ?? null,
    session: row.session_id,
    missed: row.missed,
    latenessMs: Number(row.lateness_ms),
    interrupted: row.interrupted,
    stats: row.stats,
    errors: row.errors,
    totalErrors: row.total_errors,
    lastError: row.last_error_time?.toISOString() ?? null,
  }
}

function itemView(row: ItemRow): ItemView {
  return {
    name: row.name,
    state: viewState(row.list, row.state, row.purgeable),
    params: row.params,
    version: Number(row.version),
    modified: row.modified.toISOString(),
    processed: row.processed_at?.toISOString() ?? null,
    retryAt: row.retry_at?.toISOString() ?? null,
    status: row.status,
  }
}
