import type { Database, Executor } from '../store/database'
import { storableText } from '../store/storable'
import { announce, announceLoss } from './notifier'

/** One work of one process on one subject, however long it is held or backed off. */
export interface WorkKey {
  readonly subject: string
  readonly process: string
}

/**
 * Lets it be tried at once, also when no attempts were left; its failures still count.
 * @returns false when it was not in backoff
 */
export async function retryNow(
  database: Database,
  { subject, process }: WorkKey,
  tx: Executor = database,
): Promise<boolean> {
  const { count } = await tx.query(
    'UPDATE work_backoff SET until = now(), dead_at = NULL WHERE subject_id = $1 AND process = $2',
    [subject, process],
  )
  if (count > 0) await announce(database, process, tx)
  return count > 0
}

/** Forgets its failures: it can be tried at once, and begins anew. @returns false when it was not in backoff */
export async function clearBackoff(
  database: Database,
  { subject, process }: WorkKey,
  tx: Executor = database,
): Promise<boolean> {
  const { count } = await tx.query('DELETE FROM work_backoff WHERE subject_id = $1 AND process = $2', [
    subject,
    process,
  ])
  if (count > 0) await announce(database, process, tx)
  return count > 0
}

const CANCEL = `
WITH taken AS (
  DELETE FROM work WHERE subject_id = $1 AND process = $2
  RETURNING subject_id, process, session_id, fence, attempt, started_at
)
INSERT INTO work_history (subject_id, process, session_id, fence, event, attempt, duration_ms, cause)
SELECT subject_id, process, session_id, fence, 'canceled', attempt,
       (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint, $3
  FROM taken
RETURNING session_id AS session`

/**
 * Takes work from whoever holds it, who is told, and whose writes are refused from now on.
 * @returns false when nobody held it
 */
export async function cancelWork(
  database: Database,
  { subject, process }: WorkKey,
  why: string,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    await tx.query('SELECT 1 FROM subject WHERE subject_id = $1 FOR UPDATE', [subject])
    const { rows } = await tx.query<{ session: string }>(CANCEL, [subject, process, storableText(why)])
    if (rows.length === 0) return false
    await announce(database, process, tx)
    await announceLoss(
      database,
      rows.map(({ session }) => session),
      tx,
    )
    return true
  })
}

export interface BackoffView extends WorkKey {
  readonly kind: string
  readonly key: string
  readonly until: Date
  readonly cause: string
  readonly attempts: number
  readonly lastIntervalMs: number
  /** When it had no attempts left; null while it has. */
  readonly deadAt: Date | null
}

const BACKOFFS = `
SELECT b.subject_id AS subject, b.process, s.kind, s.key, b.until, b.cause, b.attempts,
       b.last_interval_ms::double precision AS "lastIntervalMs", b.dead_at AS "deadAt"
  FROM work_backoff b JOIN subject s ON s.subject_id = b.subject_id
 WHERE (b.dead_at IS NOT NULL) = $1::boolean AND (b.dead_at IS NOT NULL OR b.until > now())
 ORDER BY coalesce(b.dead_at, b.until) DESC
 LIMIT $2`

/** What is left alone for a while; or, with `dead`, what is not tried any more. */
export async function listBackoffs(
  executor: Executor,
  options: { readonly dead: boolean; readonly limit: number },
): Promise<readonly BackoffView[]> {
  return (await executor.query<BackoffView>(BACKOFFS, [options.dead, options.limit])).rows
}

export interface HistoryEntry {
  readonly process: string
  readonly sessionId: string | null
  /** Null for what an older version wrote. */
  readonly fence: bigint | null
  readonly event: 'started' | 'finished' | 'failed' | 'canceled' | 'expired' | 'stolen'
  readonly at: Date
  readonly attempt: number | null
  readonly durationMs: number | null
  readonly cause: string | null
}

const HISTORY = `
SELECT process, session_id AS "sessionId", fence, event, at, attempt, duration_ms::double precision AS "durationMs", cause
  FROM work_history WHERE subject_id = $1 ORDER BY id DESC LIMIT $2`

/** What became of the work on a subject, the newest first; also of one that is gone. */
export async function workHistory(
  executor: Executor,
  subject: string,
  limit: number,
): Promise<readonly HistoryEntry[]> {
  return (await executor.query<HistoryEntry>(HISTORY, [subject, limit])).rows
}
