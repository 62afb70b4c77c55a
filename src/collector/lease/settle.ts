import type { Executor, PlainJson } from '../store/database'
import type { Claimed } from './claim'
import { workLost } from './work-state'

const RELEASE = `
WITH released AS (
  DELETE FROM work WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4
  RETURNING subject_id, process, session_id, attempt, started_at
)
INSERT INTO work_history (subject_id, process, session_id, event, attempt, duration_ms, cause)
SELECT subject_id, process, session_id, $5::text, attempt,
       (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint, $6::text
  FROM released
RETURNING attempt`

/**
 * Gives the work back, with an entry in the history.
 * @returns false when it is held by somebody else by now, or by nobody
 */
export async function release(
  tx: Executor,
  held: Claimed,
  event: 'finished' | 'failed' | 'canceled',
  cause?: string,
): Promise<boolean> {
  const { subject, process, sessionId, fence } = held
  const { rows } = await tx.query(RELEASE, [subject, process, sessionId, fence, event, cause ?? null])
  return rows.length > 0
}

/** @throws FlogError FLOG_WORK_LOST */
export async function assertReleased(
  tx: Executor,
  held: Claimed,
  event: 'finished' | 'failed',
  cause?: string,
): Promise<void> {
  if (!(await release(tx, held, event, cause))) throw lost(held)
}

const LOCK = `
SELECT 1 FROM work WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4 FOR NO KEY UPDATE`

/** Holds on to the work until the transaction ends. @throws FlogError FLOG_WORK_LOST */
export async function lockHeld(tx: Executor, held: Claimed): Promise<void> {
  const { rows } = await tx.query(LOCK, [held.subject, held.process, held.sessionId, held.fence])
  if (rows.length === 0) throw lost(held)
}

const BEAT = `
UPDATE work SET heartbeat = coalesce($5::jsonb, heartbeat), heartbeat_at = now()
 WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4
RETURNING 1`

/** Notes how far the work has come. @throws FlogError FLOG_WORK_LOST */
export async function beat(tx: Executor, held: Claimed, details: PlainJson | undefined): Promise<void> {
  const json = details === undefined ? null : JSON.stringify(details)
  const { rows } = await tx.query(BEAT, [held.subject, held.process, held.sessionId, held.fence, json])
  if (rows.length === 0) throw lost(held)
}

/**
 * For what writes a backoff, before it touches the work: claims lock the subject first and then its work as well, so that the
 * two cannot wait for each other.
 */
export async function keepSubject(tx: Executor, held: Claimed): Promise<void> {
  await tx.query('SELECT 1 FROM subject WHERE subject_id = $1 FOR KEY SHARE', [held.subject])
}

export async function clearBackoff(tx: Executor, held: Claimed): Promise<void> {
  await tx.query('DELETE FROM work_backoff WHERE subject_id = $1 AND process = $2', [
    held.subject,
    held.process,
  ])
}

/** Asked for in each run of the transaction: what an earlier run saw may be old. */
export async function lastInterval(tx: Executor, held: Claimed): Promise<number | undefined> {
  const { rows } = await tx.query<{ last: bigint }>(
    'SELECT last_interval_ms AS last FROM work_backoff WHERE subject_id = $1 AND process = $2',
    [held.subject, held.process],
  )
  return rows[0] === undefined ? undefined : Number(rows[0].last)
}

const PUT_BACKOFF = `
INSERT INTO work_backoff (subject_id, process, until, cause, last_interval_ms, attempts, dead_at)
VALUES ($1, $2, now() + $3::double precision * interval '1 millisecond', $4, $5::bigint, $6::integer,
        CASE WHEN $7::boolean THEN now() END)
ON CONFLICT (subject_id, process) DO UPDATE
   SET until = EXCLUDED.until, cause = EXCLUDED.cause, last_interval_ms = EXCLUDED.last_interval_ms,
       attempts = EXCLUDED.attempts, dead_at = EXCLUDED.dead_at
RETURNING until`

export interface NewBackoff {
  /** Milliseconds until it may be tried again, jitter included. */
  readonly delayMs: number
  readonly intervalMs: number
  readonly attempts: number
  readonly cause: string
  readonly dead: boolean
}

/** @returns when it may be tried again, by the database's clock */
export async function putBackoff(
  tx: Executor,
  key: { readonly subject: string; readonly process: string },
  { delayMs, cause, intervalMs, attempts, dead }: NewBackoff,
): Promise<Date> {
  const params = [key.subject, key.process, delayMs, cause, intervalMs, attempts, dead]
  const { rows } = await tx.query<{ until: Date }>(PUT_BACKOFF, params)
  return (rows[0] as { until: Date }).until
}

function lost(held: Claimed): Error {
  const { subject, process, fence } = held
  return workLost(`the work ${process} on ${subject} was taken by somebody else, or cancelled`, {
    subject,
    process,
    fence: String(fence),
  })
}
