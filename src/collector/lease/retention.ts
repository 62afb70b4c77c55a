import { LEASE_HISTORY_BATCH, LEASE_HISTORY_MS, LEASE_SESSIONS_MS } from '../../base/limits'
import { parseWhole } from '../../base/numbers'
import type { Executor } from '../store/database'

export interface RetentionOptions {
  /** Milliseconds for which the history of work is kept; default 90 days. */
  readonly historyMs?: number
  /** Milliseconds for which sessions are kept after they ended; default 7 days. */
  readonly sessionsMs?: number
}

const HISTORY = `
DELETE FROM work_history WHERE id IN (
  SELECT id FROM work_history WHERE at < now() - $1::double precision * interval '1 millisecond' ORDER BY at LIMIT $2)`

const SESSIONS = `
DELETE FROM session WHERE session_id IN (
  SELECT session_id FROM session
   WHERE ended_at < now() - $1::double precision * interval '1 millisecond'
     AND NOT EXISTS (SELECT 1 FROM work w WHERE w.session_id = session.session_id)
   LIMIT $2)`

/** Forgets what is old, in pieces that do not hold others up. @returns how much it was */
export async function forget(
  executor: Executor,
  options: RetentionOptions = {},
): Promise<{ readonly history: number; readonly sessions: number }> {
  const historyMs = parseWhole('historyMs', options.historyMs ?? LEASE_HISTORY_MS, 0, Number.MAX_SAFE_INTEGER)
  const sessionsMs = parseWhole(
    'sessionsMs',
    options.sessionsMs ?? LEASE_SESSIONS_MS,
    0,
    Number.MAX_SAFE_INTEGER,
  )
  const history = await inBatches(executor, HISTORY, historyMs)
  return { history, sessions: await inBatches(executor, SESSIONS, sessionsMs) }
}

async function inBatches(executor: Executor, statement: string, olderThanMs: number): Promise<number> {
  let all = 0
  for (;;) {
    const { count } = await executor.query(statement, [olderThanMs, LEASE_HISTORY_BATCH])
    all += count
    if (count < LEASE_HISTORY_BATCH) return all
  }
}
