import type { Backoff } from '../lease/backoff'
import type { Executor } from '../store/database'
import {
  type DueOptions,
  judge,
  type LastRun,
  type Reason,
  type RunPlan,
  type Situation,
  type Verdict,
} from './due'
import { setBackItems } from './items'
import { lockProcess, type ProcessRow, scheduleOf, unknownProcess } from './rows'
import { type BegunRun, pausedBecause } from './runs'
import { jitterMs, periodMs } from './schedule'
import type { RunState } from './states'
import { type Stats, sum } from './stats'
import type { DatabaseTime } from './time'

export interface LookOptions extends Omit<DueOptions, 'jitterMs'> {
  readonly jitter: boolean
  readonly backoff: Backoff
  readonly pauseOnFailure: number | undefined
}

export interface Looked {
  readonly verdict: Verdict
  readonly run: BegunRun | undefined
  /** The run that was found without a living owner. */
  readonly lostRun: bigint | undefined
}

interface LastRow {
  readonly last_run_id: bigint | null
  readonly last_state: RunState
  readonly last_progress_time: Date
  readonly last_slot_at: Date
  readonly last_settings_version: bigint
  readonly last_interrupted: boolean
  readonly last_continues: bigint | null
  readonly last_origin: Reason
  readonly last_lives: boolean
}

const LAST = `
r.run_id AS last_run_id, r.state AS last_state, r.progress_time AS last_progress_time, r.slot_at AS last_slot_at,
r.settings_version AS last_settings_version, r.interrupted AS last_interrupted, r.continues AS last_continues,
r.origin AS last_origin, EXISTS (
  SELECT 1 FROM session s
   WHERE s.session_id = r.session_id AND s.ended_at IS NULL AND s.deadline > now()) AS last_lives`

const GLANCE = `
SELECT p.*, COALESCE($2::timestamptz, now()) AS at, ${LAST}
  FROM process p LEFT JOIN process_run r ON r.run_id = p.run_id WHERE p.name = $1`

/** Not joined to the locked row: a statement that waited for a lock sees other tables as they were before. */
const LATEST = `SELECT ${LAST} FROM process_run r WHERE r.run_id = $1`

const LOSE = `
UPDATE process_run SET state = 'lost', finish_time = $2::timestamptz WHERE run_id = $1 AND state = 'active'
RETURNING stats`

const AFTER_LOSS = `
UPDATE process
   SET owner_session = NULL, aggregate_stats = $2::jsonb, failures = $3,
       paused = paused OR $4::text IS NOT NULL, paused_because = COALESCE($4, paused_because)
 WHERE name = $1`

const MISS = 'UPDATE process SET next_run_at = $2, missed_slots = missed_slots + $3 WHERE name = $1'

const BEGIN = `
WITH begun AS (
  INSERT INTO process_run (process, session_id, fence, slot_at, state, start_time, progress_time, settings_version,
                           reason, missed, lateness_ms, continues, origin)
  VALUES ($1, $2, $3, $4, 'active', $5, $5, $6, $7, $8, $9, $10, $11)
  RETURNING run_id, session_id, fence
)
UPDATE process
   SET owner_session = begun.session_id, fence = begun.fence, run_id = begun.run_id,
       run_requested = CASE WHEN $12 THEN false ELSE run_requested END,
       next_run_at = $13, missed_slots = missed_slots + $14
  FROM begun
 WHERE name = $1
RETURNING begun.run_id`

/**
 * Looks at a process without a transaction or a lock: most looks find nothing to do.
 * @returns undefined where there may be something: then {@link look}
 * @throws FlogError FLOG_PROCESS_UNKNOWN
 */
export async function glance(
  executor: Executor,
  name: string,
  options: LookOptions,
  time: DatabaseTime,
): Promise<Verdict | undefined> {
  const [row] = (await executor.query<ProcessRow & LastRow>(GLANCE, [name, time()])).rows
  if (row === undefined) throw unknownProcess(name)
  const verdict = judge(situation(row, lastRun(row)), dueOptions(row, options))
  return verdict.plan !== undefined || verdict.lost || verdict.missed > 0 ? undefined : verdict
}

/** Looks at a process, and begins a run where one is due: in one transaction, with its row locked. */
export async function look(
  tx: Executor,
  name: string,
  owner: string,
  options: LookOptions,
  time: DatabaseTime,
): Promise<Looked> {
  const row = await lockProcess(tx, name, time())
  const last = row.run_id === null ? undefined : lastRun((await latest(tx, row.run_id))[0])
  const now = situation(row, last)
  const due = dueOptions(row, options)
  const seen = judge(now, due)
  const isPaused = seen.lost && (await lose(tx, row, options))
  const verdict = isPaused ? judge({ ...now, paused: true }, due) : seen
  const lostRun = verdict.lost ? last?.runId : undefined
  if (verdict.plan !== undefined) {
    const run = await begin(tx, row, { ...verdict, plan: verdict.plan }, owner)
    return { verdict, run, lostRun }
  }
  if (verdict.missed > 0) await tx.query(MISS, [name, verdict.nextRunAt, verdict.missed])
  return { verdict, run: undefined, lostRun }
}

async function latest(tx: Executor, runId: bigint): Promise<readonly LastRow[]> {
  return (await tx.query<LastRow>(LATEST, [runId])).rows
}

function dueOptions(row: ProcessRow, options: LookOptions): DueOptions {
  return { ...options, jitterMs: options.jitter ? jitterMs(row.name, period(row)) : 0 }
}

function period(row: ProcessRow): number {
  return periodMs(scheduleOf(row), row.at)
}

function lastRun(row: LastRow | undefined): LastRun | undefined {
  if (row === undefined || row.last_run_id === null) return undefined
  return {
    runId: row.last_run_id,
    state: row.last_state,
    ownerLives: row.last_lives,
    progressTime: row.last_progress_time,
    slotAt: row.last_slot_at,
    settingsVersion: row.last_settings_version,
    interrupted: row.last_interrupted,
    continues: row.last_continues ?? undefined,
    origin: row.last_origin,
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
    settingsSince: row.settings_since,
    last,
  }
}

/**
 * What the run had written of its counts stays counted.
 * @returns whether that was one failure too many: the process is paused now
 */
async function lose(tx: Executor, row: ProcessRow, options: LookOptions): Promise<boolean> {
  const { run_id: runId } = row
  if (runId === null) return false
  const [lost] = (await tx.query<{ stats: Stats }>(LOSE, [runId, row.at])).rows
  const aggregate = sum(sum(row.aggregate_stats, lost?.stats ?? {}), { runs: 1, 'state.lost': 1 })
  const failures = row.failures + 1
  const because = pausedBecause(failures, options.pauseOnFailure)
  await tx.query(AFTER_LOSS, [row.name, JSON.stringify(aggregate), failures, because])
  await setBackItems(tx, { process: row.name, runId }, options.backoff, row.at)
  return because !== null
}

async function begin(
  tx: Executor,
  row: ProcessRow,
  verdict: Verdict & { readonly plan: RunPlan },
  owner: string,
): Promise<BegunRun> {
  const fence = row.fence + 1n
  const { plan, nextRunAt } = verdict
  const { slot, reason, origin, missed, latenessMs, settingsVersion, continues } = plan
  const why = [settingsVersion, reason, missed, latenessMs, continues ?? null, origin]
  const answers = reason === origin && (origin === 'slot' || origin === 'requested' || origin === 'settings')
  const then = [answers, nextRunAt, verdict.missed]
  const written = [row.name, owner, fence, slot, row.at, ...why, ...then]
  const { rows } = await tx.query<{ run_id: bigint }>(BEGIN, written)
  const { run_id: runId } = rows[0] as { run_id: bigint }
  const { name: process, settings, settings_version } = row
  return { process, runId, fence, plan, settings, settingsVersion: settings_version, periodMs: period(row) }
}
