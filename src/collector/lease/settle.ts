import { FlogError } from '../../base/errors'
import type { Executor, PlainJson } from '../store/database'
import { storableJson, storableText } from '../store/storable'
import { workLost } from './work-state'

const RELEASE = `
WITH released AS (
  DELETE FROM work WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4
  RETURNING subject_id, process, session_id, fence, attempt, started_at
)
INSERT INTO work_history (subject_id, process, session_id, fence, event, attempt, duration_ms, cause)
SELECT subject_id, process, session_id, fence, $5::text, attempt,
       (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint, $6::text
  FROM released
RETURNING attempt`

/** One holding of work. */
export interface Holding {
  readonly subject: string
  readonly process: string
  readonly sessionId: string
  readonly fence: bigint
}

/**
 * Gives the work back, with an entry in the history.
 * @returns false when it is held by somebody else by now, or by nobody
 */
export async function release(
  tx: Executor,
  held: Holding,
  event: 'finished' | 'failed' | 'canceled',
  cause?: string,
): Promise<boolean> {
  const { subject, process, sessionId, fence } = held
  const why = cause === undefined ? null : storableText(cause)
  const { rows } = await tx.query(RELEASE, [subject, process, sessionId, fence, event, why])
  return rows.length > 0
}

const ENDING = `
SELECT event FROM work_history
 WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4 AND event <> 'started'`

/** What became of work that is not held any more: `finished`, `failed`, `canceled`, `expired`, `stolen`. */
export async function endingOf(tx: Executor, held: Holding): Promise<string | undefined> {
  const { subject, process, sessionId, fence } = held
  const { rows } = await tx.query<{ event: string }>(ENDING, [subject, process, sessionId, fence])
  return rows[0]?.event
}

const LOCK = `
SELECT 1 FROM work WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4 FOR NO KEY UPDATE`

/** Holds on to the work until the transaction ends. @throws FlogError FLOG_WORK_LOST */
export async function lockHeld(tx: Executor, held: Holding): Promise<void> {
  const { rows } = await tx.query(LOCK, [held.subject, held.process, held.sessionId, held.fence])
  if (rows.length === 0) throw lost(held)
}

const BEAT = `
UPDATE work SET heartbeat = coalesce($5::jsonb, heartbeat), heartbeat_at = now()
 WHERE subject_id = $1 AND process = $2 AND session_id = $3 AND fence = $4
RETURNING 1`

/** Notes how far the work has come. @throws FlogError FLOG_WORK_LOST, FLOG_OPTION_INVALID for what cannot be stored */
export async function beat(tx: Executor, held: Holding, details: PlainJson | undefined): Promise<void> {
  const json = details === undefined ? null : storableJson('details', details)
  const { rows } = await tx.query(BEAT, [held.subject, held.process, held.sessionId, held.fence, json])
  if (rows.length === 0) throw lost(held)
}

/**
 * For what writes a backoff, before it touches the work: claims lock the subject first and then its work as well, so that the
 * two cannot wait for each other.
 */
export async function keepSubject(tx: Executor, held: Holding): Promise<void> {
  await tx.query('SELECT 1 FROM subject WHERE subject_id = $1 FOR KEY SHARE', [held.subject])
}

export async function clearBackoff(tx: Executor, held: Holding): Promise<void> {
  await tx.query('DELETE FROM work_backoff WHERE subject_id = $1 AND process = $2', [
    held.subject,
    held.process,
  ])
}

/** Asked for in each run of the transaction: what an earlier run saw may be old. */
export async function lastInterval(tx: Executor, held: Holding): Promise<number | undefined> {
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
  const params = [key.subject, key.process, delayMs, storableText(cause), intervalMs, attempts, dead]
  const { rows } = await tx.query<{ until: Date }>(PUT_BACKOFF, params)
  return (rows[0] as { until: Date }).until
}

export function lost({ subject, process, fence }: Omit<Holding, 'sessionId'>): FlogError {
  return workLost(`the work ${process} on ${subject} was taken by somebody else, or cancelled`, {
    subject,
    process,
    fence: String(fence),
  })
}

export function endedBefore({ subject, process, fence }: Holding, ending: string): FlogError {
  return new FlogError('FLOG_WORK_FINISHED', `the work ${process} on ${subject} had ${ending} already`, {
    details: { subject, process, fence: String(fence) },
  })
}

/** What an error says of this holding; one of another holding, which passed through its transaction, says nothing of it. */
export function endOf(error: unknown, held: Holding): 'lost' | 'done' | undefined {
  if (!FlogError.is(error)) return undefined
  const { subject, process, fence } = error.details
  if (subject !== held.subject || process !== held.process || fence !== String(held.fence)) return undefined
  if (error.code === 'FLOG_WORK_LOST') return 'lost'
  return error.code === 'FLOG_WORK_FINISHED' ? 'done' : undefined
}
