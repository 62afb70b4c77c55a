import { FlogError } from '../../base/errors'
import { PROCESS_PURGE_ITEMS, PROCESS_RUNS_KEPT } from '../../base/limits'
import type { Executor, PlainJson } from '../store/database'
import type { NotedError } from './budget'
import type { RunPlan } from './due'
import { purgeItems } from './items'
import type { RunState } from './states'
import { type Stats, sum } from './stats'
import { at, type DatabaseTime } from './time'

/** A run that was begun. Whoever writes for it shows its fence. */
export interface BegunRun {
  readonly process: string
  readonly runId: bigint
  readonly fence: bigint
  readonly plan: RunPlan
  readonly settings: PlainJson
  /** Of the process when it was begun; with a run that continues another, later than the plan's. */
  readonly settingsVersion: bigint
  /** Milliseconds between two slots. */
  readonly periodMs: number
}

/** How a run stands, as it is written. */
export interface RunFigures {
  readonly stats: Stats
  readonly errors: readonly NotedError[]
  readonly totalErrors: number
}

export interface RunEnd extends RunFigures {
  readonly state: RunState
  readonly interrupted: boolean
  readonly pauseOnFailure: number | undefined
  readonly dropRetentionMs: number
}

type Run = Pick<BegunRun, 'process' | 'runId' | 'fence'>

interface EndingRow {
  readonly failures: number
  readonly aggregate_stats: Stats
  readonly at: Date
  /** Null where there is no such run. */
  readonly state: RunState | null
  readonly start_time: Date
  readonly purgeable: boolean
}

const FENCE = `SELECT 1 FROM process_run WHERE run_id = $1 AND fence = $2 AND state = 'active' FOR SHARE`

const PROGRESS = `
UPDATE process_run
   SET progress_time = ${at(3)}, stats = $4::jsonb, errors = $5::jsonb, total_errors = $6,
       last_error_time = CASE WHEN total_errors < $6 THEN ${at(3)} ELSE last_error_time END
 WHERE run_id = $1 AND fence = $2 AND state = 'active'`

const SETTINGS = 'SELECT settings, settings_version FROM process WHERE name = $1'

/** What was read of the run while the row of the process was waited for may be old: FINISH looks again. */
const ENDING = `
SELECT p.failures, p.aggregate_stats, ${at(4)} AS at, r.state, r.start_time, EXISTS (
         SELECT 1 FROM process_item i
          WHERE i.process = p.name AND i.list = 'dropped'
            AND i.list_since <= ${at(4)} - $5 * interval '1 millisecond') AS purgeable
  FROM process p LEFT JOIN process_run r ON r.run_id = $2 AND r.fence = $3
 WHERE p.name = $1 FOR UPDATE OF p`

/** A slot of the past stays on the list until its run has ended, whoever ends it. */
const FINISH = `
WITH ended AS (
  UPDATE process_run
     SET state = $3, finish_time = $4::timestamptz, progress_time = $4::timestamptz, stats = $5::jsonb, errors = $6::jsonb,
         last_error_time = CASE WHEN total_errors < $7 THEN $4::timestamptz ELSE last_error_time END,
         total_errors = $7, interrupted = $8
   WHERE run_id = $1 AND fence = $2 AND state = 'active'
  RETURNING process
)
UPDATE process
   SET owner_session = NULL, aggregate_stats = $9::jsonb, failures = $10,
       paused = paused OR $11::text IS NOT NULL, paused_because = COALESCE($11, paused_because),
       backfill = CASE WHEN backfill ->> 0 = $12 THEN backfill - 0 ELSE backfill END
  FROM ended
 WHERE name = ended.process`

const TRIM = `
DELETE FROM process_run
 WHERE process = $1 AND run_id <= (
   SELECT run_id FROM process_run WHERE process = $1 ORDER BY run_id DESC OFFSET $2 LIMIT 1)`

/** @throws FlogError FLOG_PROCESS_CONFLICT where the run is not the caller's any more; its row stays locked against a takeover */
export async function checkFence(tx: Executor, run: Run): Promise<void> {
  if (!(await isActive(tx, run))) throw conflict(run)
}

/** Whether a run that may have been begun was. */
export async function isActive(tx: Executor, run: Run): Promise<boolean> {
  return (await tx.query(FENCE, [run.runId, run.fence])).count > 0
}

/**
 * One row is written, whatever the process has of items.
 * @returns the settings as they are now
 * @throws FlogError FLOG_PROCESS_CONFLICT
 */
export async function writeProgress(
  tx: Executor,
  run: Run,
  figures: RunFigures,
  time: DatabaseTime,
): Promise<{ readonly settings: PlainJson; readonly version: bigint }> {
  const { stats, errors, totalErrors } = figures
  const written = [run.runId, run.fence, time(), JSON.stringify(stats), JSON.stringify(errors), totalErrors]
  if ((await tx.query(PROGRESS, written)).count === 0) throw conflict(run)
  const { rows } = await tx.query<{ settings: PlainJson; settings_version: bigint }>(SETTINGS, [run.process])
  if (rows[0] === undefined) throw conflict(run)
  return { settings: rows[0].settings, version: rows[0].settings_version }
}

/**
 * Ends a run, and removes what was dropped long ago. Doing it again, after an answer that was lost, changes nothing.
 * @returns the stats with duration and state, as they were added to those of the process
 * @throws FlogError FLOG_PROCESS_CONFLICT
 */
export async function finishRun(
  tx: Executor,
  run: BegunRun,
  end: RunEnd,
  time: DatabaseTime,
): Promise<Stats> {
  const { errors, totalErrors, state, interrupted, dropRetentionMs } = end
  const which = [run.process, run.runId, run.fence]
  const [row] = (await tx.query<EndingRow>(ENDING, [...which, time(), dropRetentionMs])).rows
  if (row === undefined || row.state === null || row.state === 'lost') throw conflict(run)
  const purged = row.purgeable
    ? await purgeItems(tx, run.process, dropRetentionMs, row.at, PROCESS_PURGE_ITEMS)
    : 0
  const stats = statsOf(end, row.at.getTime() - row.start_time.getTime(), purged)
  if (row.state !== 'active') return stats
  const figures = [JSON.stringify(stats), JSON.stringify(errors), totalErrors, interrupted]
  const failures = state === 'completed' ? 0 : row.failures + (interrupted ? 0 : 1)
  const because = failures > row.failures ? pausedBecause(failures, end.pauseOnFailure) : null
  const aggregate = JSON.stringify(sum(row.aggregate_stats, stats))
  const { origin, slot } = run.plan
  const backfilled = origin === 'backfill' && !interrupted ? slot.toISOString() : null
  const written = [state, row.at, ...figures, aggregate, failures, because, backfilled]
  if ((await tx.query(FINISH, [run.runId, run.fence, ...written])).count === 0) throw conflict(run)
  // Some more may be kept for a while. Fences count the runs of one process.
  if (run.fence % 16n === 0n) await tx.query(TRIM, [run.process, PROCESS_RUNS_KEPT])
  return stats
}

/** What is shown of a process that is paused after so many failures in a row; null where they are not too many. */
export function pausedBecause(failures: number, pauseOnFailure: number | undefined): string | null {
  return failures >= (pauseOnFailure ?? Infinity) ? `after ${failures} runs that failed` : null
}

function statsOf({ stats, totalErrors, state }: RunEnd, duration: number, purged: number): Stats {
  return sum(stats, {
    ...(purged > 0 ? { workItemsPurged: purged } : {}),
    duration,
    errors: totalErrors,
    runs: 1,
    [`state.${state}`]: 1,
  })
}

function conflict({ process, runId }: Run): FlogError {
  return new FlogError('FLOG_PROCESS_CONFLICT', `run ${runId} of ${process} is not ours any more`, {
    details: { process, run: Number(runId) },
  })
}
