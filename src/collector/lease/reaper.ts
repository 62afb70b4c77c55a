import { LEASE_REAP_SESSIONS, LEASE_REAP_WORK } from '../../base/limits'
import type { Random } from '../../base/random'
import type { Database, Executor } from '../store/database'
import { isDead, jittered, nextBackoff } from './backoff'
import type { LeaseMetrics } from './metrics'
import { NO_METRICS } from './metrics'
import { announce, announceLoss } from './notifier'
import type { Processes } from './processes'
import { putBackoff } from './settle'

export interface ReapOptions {
  readonly processes: Processes
  readonly random: Random
  readonly metrics?: LeaseMetrics
}

export interface Reaped {
  readonly sessions: number
  readonly work: number
  /** There was more than one go takes: go again at once. */
  readonly more: boolean
}

/**
 * Sessions that have not been heard of for an interval beyond their deadline. The interval is for what a holder that was only
 * slow still does outside of the database. A transaction of the session keeps its row locked, and the session with it.
 */
const EXPIRED = `
SELECT session_id AS id, component FROM session
 WHERE ended_at IS NULL AND deadline + interval_ms * interval '1 millisecond' <= now()
 ORDER BY deadline
 LIMIT $1
   FOR UPDATE SKIP LOCKED`

/** Subjects before their work, as claims lock them; whom somebody else has locked is left for the next time. */
const LOCK_WORK = `
SELECT w.subject_id, w.process
  FROM work w JOIN subject s ON s.subject_id = w.subject_id
 WHERE w.session_id = ANY($1::uuid[])
 ORDER BY w.subject_id, w.process
 LIMIT $2
   FOR UPDATE OF s SKIP LOCKED`

const EXPIRE = `
WITH taken AS (
  DELETE FROM work w USING unnest($1::uuid[], $2::text[]) AS given (subject_id, process)
   WHERE w.subject_id = given.subject_id AND w.process = given.process AND w.session_id = ANY($3::uuid[])
  RETURNING w.subject_id, w.process, w.session_id, w.fence, w.attempt, w.started_at
), written AS (
  INSERT INTO work_history (subject_id, process, session_id, fence, event, attempt, duration_ms, cause)
  SELECT t.subject_id, t.process, t.session_id, t.fence, 'expired', t.attempt,
         (extract(epoch FROM clock_timestamp() - t.started_at) * 1000)::bigint,
         'its session was not heard of any more (' || s.component || ')'
    FROM taken t JOIN session s ON s.session_id = t.session_id
)
SELECT t.subject_id AS subject, t.process, t.session_id AS session, t.attempt, b.last_interval_ms AS last
  FROM taken t LEFT JOIN work_backoff b ON b.subject_id = t.subject_id AND b.process = t.process`

const END = `
UPDATE session SET ended_at = now(), end_reason = 'expired'
 WHERE session_id = ANY($1::uuid[]) AND NOT EXISTS (SELECT 1 FROM work w WHERE w.session_id = session.session_id)
RETURNING 1`

/**
 * Ends sessions that died, and takes their work from them: with an entry in the history, and as a failure, so that what
 * crashes whoever works on it is tried less and less often. Any number of reapers may run.
 */
export async function reap(database: Database, options: ReapOptions): Promise<Reaped> {
  const { ended, dead, work } = await database.transaction((tx) => reapOnce(database, tx, options))
  for (const { process } of work) (options.metrics ?? NO_METRICS).count('work_expired', { process })
  const more = dead === LEASE_REAP_SESSIONS || work.length === LEASE_REAP_WORK
  return { sessions: ended, work: work.length, more }
}

interface ExpiredWork {
  readonly subject: string
  readonly process: string
  readonly session: string
  readonly attempt: number
  readonly last: bigint | null
}

async function reapOnce(database: Database, tx: Executor, options: ReapOptions) {
  const dead = await tx.query<{ id: string }>(EXPIRED, [LEASE_REAP_SESSIONS])
  if (dead.rows.length === 0) return { ended: 0, dead: 0, work: [] }
  const ids = dead.rows.map(({ id }) => id)
  const work = await expireWork(tx, ids)
  for (const one of work) await countAsFailure(tx, one, options)
  // The loops learn of the new backoffs; and a holder that lives, and was only not heard of, stops.
  const processes = work.map(({ process }) => process)
  const losers = work.map(({ session }) => session)
  await announce(database, processes, tx)
  await announceLoss(database, losers, tx)
  const ended = await tx.query(END, [ids])
  return { ended: ended.rows.length, dead: ids.length, work }
}

async function expireWork(tx: Executor, sessions: readonly string[]): Promise<readonly ExpiredWork[]> {
  const locked = await tx.query<{ subject_id: string; process: string }>(LOCK_WORK, [
    sessions,
    LEASE_REAP_WORK,
  ])
  if (locked.rows.length === 0) return []
  const subjects = locked.rows.map(({ subject_id }) => subject_id)
  const processes = locked.rows.map(({ process }) => process)
  return (await tx.query<ExpiredWork>(EXPIRE, [subjects, processes, sessions])).rows
}

async function countAsFailure(tx: Executor, work: ExpiredWork, { processes, random }: ReapOptions) {
  const backoff = processes.backoffOf(work.process)
  const intervalMs = nextBackoff(backoff, work.last === null ? undefined : Number(work.last))
  await putBackoff(tx, work, {
    delayMs: jittered(backoff, intervalMs, random),
    intervalMs,
    attempts: work.attempt,
    cause: 'its holder died',
    dead: isDead(backoff, work.attempt),
  })
}
