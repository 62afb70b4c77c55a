import type { Database, Executor } from '../store/database'
import { storableText } from '../store/storable'
import { announce } from './notifier'

/** What a session is in the database: who, and until when it lives unless it is heard of. */
export interface NewSession {
  readonly component: string
  readonly runtimeInfo: string
  readonly intervalMs: number
}

/** Work as the database sees it; `fence` tells one holding from the next. */
export interface HeldRow {
  readonly subject: string
  readonly process: string
  readonly fence: bigint
}

const INSERT = `
INSERT INTO session (component, runtime_info, interval_ms, deadline)
VALUES ($1, $2, $3::integer, now() + $3::integer * interval '1 millisecond')
RETURNING session_id AS id`

export async function insertSession(database: Executor, session: NewSession): Promise<string> {
  const { component, runtimeInfo, intervalMs } = session
  const params = [storableText(component), storableText(runtimeInfo), intervalMs]
  const { rows } = await database.query<{ id: string }>(INSERT, params)
  return (rows[0] as { id: string }).id
}

/** A session that has expired stays so: nobody may come back to work that others were told is free. */
const POKE = `
UPDATE session
   SET deadline = now() + interval_ms * interval '1 millisecond'
 WHERE session_id = $1 AND ended_at IS NULL AND deadline > now()
RETURNING (
  SELECT coalesce(jsonb_agg(jsonb_build_array(w.subject_id, w.process, w.fence::text)), '[]'::jsonb)
    FROM work w WHERE w.session_id = session.session_id
) AS held`

/** Moves the deadline. @returns what the session holds, or undefined when it does not live any more */
export async function pokeSession(database: Executor, id: string): Promise<readonly HeldRow[] | undefined> {
  const { rows } = await database.query<{ held: readonly [string, string, string][] }>(POKE, [id])
  return rows[0]?.held.map(([subject, process, fence]) => ({ subject, process, fence: BigInt(fence) }))
}

const LOOK = `
SELECT 1 FROM session WHERE session_id = $1 AND ended_at IS NULL AND deadline > clock_timestamp()`

/**
 * The lock is what makes it hold: with it, whoever takes the work of dead sessions waits, or passes this one over, until
 * the transaction has ended. It does not stand in the way of heartbeats, nor of other transactions of the session.
 */
const LOCK_ALIVE = `${LOOK} FOR KEY SHARE`

/** @param holds whether it is to stay so until the transaction ends; without that it has to be asked again before */
export async function isSessionAlive(transaction: Executor, id: string, holds: boolean): Promise<boolean> {
  return (await transaction.query(holds ? LOCK_ALIVE : LOOK, [id])).rows.length > 0
}

/** Waits for what the session still has under way, and lets nothing of it begin. */
const LOCK = 'SELECT 1 FROM session WHERE session_id = $1 FOR UPDATE'

const END = `
UPDATE session SET ended_at = now(), end_reason = $2 WHERE session_id = $1 AND ended_at IS NULL`

const RELEASE = `
WITH released AS (
  DELETE FROM work WHERE session_id = $1
  RETURNING subject_id, process, session_id, fence, attempt, started_at
)
INSERT INTO work_history (subject_id, process, session_id, fence, event, attempt, duration_ms, cause)
SELECT subject_id, process, session_id, fence, 'canceled', attempt,
       (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint, $2
  FROM released
RETURNING process`

/** Ends a session in order and gives back what it holds, which others are told of. */
export async function endSession(
  database: Database,
  id: string,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  const params = [id, storableText(reason)]
  await database.transaction(
    async (tx) => {
      await tx.query(LOCK, [id])
      await tx.query(END, params)
      const { rows } = await tx.query<{ process: string }>(RELEASE, params)
      const processes = rows.map(({ process }) => process)
      await announce(database, processes, tx)
    },
    { signal },
  )
}
