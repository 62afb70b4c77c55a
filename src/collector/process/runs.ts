import { FlogError } from '../../base/errors'
import { PROCESS_PURGE_ITEMS, PROCESS_RUNS_KEPT } from '../../base/limits'
import type { Executor, PlainJson } from '../store/database'
import type { NotedError } from './budget'
import { type DueOptions, judge, type LastRun, type RunPlan, type Situation, type Verdict } from './due'
import { purgeItems } from './items'
import { lockProcess, type ProcessRow, scheduleOf } from './rows'
import { jitterMs, periodMs } from './schedule'
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

export interface LookOptions extends Omit<DueOptions, 'jitterMs'> {
  readonly jitter: boolean
}

export interface Looked {
  readonly verdict: Verdict
  readonly run: BegunRun | undefined
  /** The run that was found without a living owner. */
  readonly lostRun: bigint | undefined
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

interface LastRow {
  readonly run_id: bigint
  readonly state: RunState
  readonly progress_time: Date
  readonly slot_at: Date
  readonly settings_version: bigint
  readonly interrupted: boolean
  readonly continues: bigint | null
  readonly lives: boolean
}

/** Not joined to the locked row: a statement that waited for a lock sees other tables as they were before. */
const LAST = `
SELECT r.*, EXISTS (
         SELECT 1 FROM session s
          WHERE s.session_id = r.session_id AND s.ended_at IS NULL AND s.deadline > now()) AS lives
  FROM process_run r WHERE r.run_id = $1`

const LOSE = `
UPDATE process_run SET state = 'lost', finish_time = $2::timestamptz WHERE run_id = $1 AND state = 'active'`

const AFTER_LOSS = 'UPDATE process SET owner_session = NULL, aggregate_stats = $2::jsonb WHERE name = $1'

const MISS = 'UPDATE process SET next_run_at = $2, missed_slots = missed_slots + $3 WHERE name = $1'

const INSERT = `
INSERT INTO process_run (process, session_id, fence, slot_at, state, start_time, progress_time, settings_version,
                         reason, missed, lateness_ms, continues)
VALUES ($1, $2, $3, $4, 'active', $5, $5, $6, $7, $8, $9, $10)
RETURNING run_id`

const OWN = `
UPDATE process
   SET owner_session = $2, fence = $3, run_id = $4,
       run_requested = CASE WHEN $5 THEN false ELSE run_requested END,
       backfill = CASE WHEN $6 THEN backfill - 0 ELSE backfill END,
       next_run_at = $7, missed_slots = missed_slots + $8
 WHERE name = $1`

const FENCE = `SELECT 1 FROM process_run WHERE run_id = $1 AND fence = $2 AND state = 'active' FOR SHARE`

const PROGRESS = `
UPDATE process_run
   SET progress_time = ${at(3)}, stats = $4::jsonb, errors = $5::jsonb, total_errors = $6,
       last_error_time = CASE WHEN total_errors < $6 THEN ${at(3)} ELSE last_error_time END
 WHERE run_id = $1 AND fence = $2 AND state = 'active'`

const SETTINGS = 'SELECT settings, settings_version FROM process WHERE name = $1'

const STATE = 'SELECT state, start_time FROM process_run WHERE run_id = $1 AND fence = $2'

const FINISH = `
UPDATE process_run
   SET state = $3, finish_time = $4::timestamptz, progress_time = $4::timestamptz, stats = $5::jsonb, errors = $6::jsonb,
       last_error_time = CASE WHEN total_errors < $7 THEN $4::timestamptz ELSE last_error_time END,
       total_errors = $7, interrupted = $8
 WHERE run_id = $1 AND fence = $2 AND state = 'active'`

const RELEASE = `
UPDATE process
   SET owner_session = NULL, aggregate_stats = $2::jsonb, failures = $3,
       paused = paused OR $4::text IS NOT NULL, paused_because = COALESCE($4, paused_because)
 WHERE name = $1`

const TRIM = `
DELETE FROM process_run
 WHERE process = $1 AND run_id <= (
   SELECT run_id FROM process_run WHERE process = $1 ORDER BY run_id DESC OFFSET $2 LIMIT 1)`

/** Looks at a process, and begins a run where one is due: in one transaction, with its row locked. */
export async function look(
  tx: Executor,
  name: string,
  owner: string,
  options: LookOptions,
  time: DatabaseTime,
): Promise<Looked> {
  const row = await lockProcess(tx, name, time())
  const last = await lastRun(tx, row.run_id)
  const period = periodMs(scheduleOf(row), row.at)
  const jitter = options.jitter ? jitterMs(name, period) : 0
  const verdict = judge(situation(row, last), { ...options, jitterMs: jitter })
  if (verdict.lost) await lose(tx, row)
  const lostRun = verdict.lost ? last?.runId : undefined
  if (verdict.plan !== undefined) {
    const run = await begin(tx, row, { ...verdict, plan: verdict.plan }, owner)
    return { verdict, run: { ...run, periodMs: period }, lostRun }
  }
  if (verdict.missed > 0) await tx.query(MISS, [name, verdict.nextRunAt, verdict.missed])
  return { verdict, run: undefined, lostRun }
}

/** @throws FlogError FLOG_PROCESS_CONFLICT where the run is not the caller's any more; its row stays locked against a takeover */
export async function checkFence(tx: Executor, run: Run): Promise<void> {
  if ((await tx.query(FENCE, [run.runId, run.fence])).count === 0) throw conflict(run)
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
export async function finishRun(tx: Executor, run: Run, end: RunEnd, time: DatabaseTime): Promise<Stats> {
  const row = await lockProcess(tx, run.process, time())
  const { rows } = await tx.query<{ state: RunState; start_time: Date }>(STATE, [run.runId, run.fence])
  const [stored] = rows
  if (stored === undefined || stored.state === 'lost') throw conflict(run)
  if (stored.state !== 'active') return end.stats
  const purged = await purgeItems(tx, run.process, end.dropRetentionMs, row.at, PROCESS_PURGE_ITEMS)
  const stats = sum(end.stats, {
    ...(purged > 0 ? { workItemsPurged: purged } : {}),
    duration: row.at.getTime() - stored.start_time.getTime(),
    errors: end.totalErrors,
    runs: 1,
    [`state.${end.state}`]: 1,
  })
  const { errors, totalErrors, state, interrupted } = end
  const written = [JSON.stringify(stats), JSON.stringify(errors), totalErrors, interrupted]
  await tx.query(FINISH, [run.runId, run.fence, state, row.at, ...written])
  const failures = state === 'completed' ? 0 : row.failures + (interrupted ? 0 : 1)
  const because = isTooMany(failures, end) ? `after ${failures} runs that failed` : null
  const aggregate = JSON.stringify(sum(row.aggregate_stats, stats))
  await tx.query(RELEASE, [run.process, aggregate, failures, because])
  // Some more may be kept for a while.
  if (run.runId % 16n === 0n) await tx.query(TRIM, [run.process, PROCESS_RUNS_KEPT])
  return stats
}

async function lastRun(tx: Executor, runId: bigint | null): Promise<LastRun | undefined> {
  if (runId === null) return undefined
  const [row] = (await tx.query<LastRow>(LAST, [runId])).rows
  if (row === undefined) return undefined
  return {
    runId: row.run_id,
    state: row.state,
    ownerLives: row.lives,
    progressTime: row.progress_time,
    slotAt: row.slot_at,
    settingsVersion: row.settings_version,
    interrupted: row.interrupted,
    continues: row.continues ?? undefined,
  }
}

function situation(row: ProcessRow, last: LastRun | undefined): Situation {
  return {
    at: row.at,
    schedule: scheduleOf(row),
    nextRunAt: row.next_run_at,
    paused: row.paused,
    requested: row.run_requested,
    backfill: row.backfill,
    settingsVersion: row.settings_version,
    last,
  }
}

async function lose(tx: Executor, row: ProcessRow): Promise<void> {
  await tx.query(LOSE, [row.run_id, row.at])
  const aggregate = sum(row.aggregate_stats, { runs: 1, 'state.lost': 1 })
  await tx.query(AFTER_LOSS, [row.name, JSON.stringify(aggregate)])
}

async function begin(
  tx: Executor,
  row: ProcessRow,
  verdict: Verdict & { readonly plan: RunPlan },
  owner: string,
): Promise<Omit<BegunRun, 'periodMs'>> {
  const fence = row.fence + 1n
  const { plan, nextRunAt } = verdict
  const { slot, reason, missed, latenessMs, settingsVersion, continues } = plan
  const why = [settingsVersion, reason, missed, latenessMs, continues ?? null]
  const { rows } = await tx.query<{ run_id: bigint }>(INSERT, [row.name, owner, fence, slot, row.at, ...why])
  const { run_id: runId } = rows[0] as { run_id: bigint }
  const backfilled = reason === 'backfill'
  const answers = continues === undefined && !backfilled
  const schedule = [nextRunAt, verdict.missed]
  await tx.query(OWN, [row.name, owner, fence, runId, answers, backfilled, ...schedule])
  const { name: process, settings, settings_version } = row
  return { process, runId, fence, plan, settings, settingsVersion: settings_version }
}

function isTooMany(failures: number, { pauseOnFailure, state, interrupted }: RunEnd): boolean {
  return state !== 'completed' && !interrupted && failures >= (pauseOnFailure ?? Infinity)
}

function conflict({ process, runId }: Run): FlogError {
  return new FlogError('FLOG_PROCESS_CONFLICT', `run ${runId} of ${process} is not ours any more`, {
    details: { process, run: Number(runId) },
  })
}
