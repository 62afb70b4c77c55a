import { SUBJECT_SILENT_MS, SUBJECT_START_MS } from '../../base/limits'
import type { Executor, Transaction } from '../store/database'

type Retrieval = (tx: Transaction, taken?: string | null) => Promise<readonly string[]>

/**
 * What is wanted of a subject, and what it has: a request has a number, its generation, and is fulfilled when a report names
 * the same one. Asking twice, or reporting twice, changes nothing; a report of an older generation fulfils nothing.
 */
export interface Report {
  /** The generation that was fulfilled. */
  readonly generation?: bigint
  /** Work on it has begun now. */
  readonly started?: boolean
  /** It was heard of now. */
  readonly heartbeat?: boolean
}

const REQUEST = `
INSERT INTO subject_request (subject_id, topic, generation) VALUES ($1, $2, 1)
ON CONFLICT (topic, subject_id) DO UPDATE SET generation = subject_request.generation + 1, requested_at = now()
RETURNING generation`

/** Wants it anew. @returns the generation that a report has to name */
export async function request(executor: Executor, subject: string, topic: string): Promise<bigint> {
  const { rows } = await executor.query<{ generation: bigint }>(REQUEST, [subject, topic])
  return (rows[0] as { generation: bigint }).generation
}

const REPORT = `
INSERT INTO subject_report (subject_id, topic, generation, started_at, heartbeat_at)
VALUES ($1, $2, $3::bigint, CASE WHEN $4::boolean THEN now() END, CASE WHEN $5::boolean THEN now() END)
ON CONFLICT (topic, subject_id) DO UPDATE
   SET generation   = coalesce(EXCLUDED.generation, subject_report.generation),
       started_at   = coalesce(EXCLUDED.started_at, subject_report.started_at),
       heartbeat_at = coalesce(EXCLUDED.heartbeat_at, subject_report.heartbeat_at)`

/** Notes what was seen of a subject; what is not named stays as it was. */
export async function report(
  executor: Executor,
  subject: string,
  topic: string,
  seen: Report,
): Promise<void> {
  const { generation = null, started = false, heartbeat = false } = seen
  await executor.query(REPORT, [subject, topic, generation, started, heartbeat])
}

const UNFULFILLED = `
SELECT r.subject_id AS id FROM subject_request r
  LEFT JOIN subject_report p ON p.topic = r.topic AND p.subject_id = r.subject_id
 WHERE r.topic = $1 AND r.generation IS DISTINCT FROM p.generation
   AND ($2::uuid IS NULL OR r.subject_id = $2::uuid)`

/** Subjects of which something is wanted that they do not have: to be retrieved for work. */
export function unfulfilled(topic: string): Retrieval {
  return async (tx, taken = null) => ids(await tx.query<{ id: string }>(UNFULFILLED, [topic, taken]))
}

export interface Silence {
  /** Milliseconds from the start to the first sign of life; default 30 minutes. */
  readonly startMs?: number
  /** Milliseconds between signs of life; default 10 minutes. */
  readonly silentMs?: number
}

const SILENT = `
SELECT p.subject_id AS id FROM subject_report p
  LEFT JOIN subject_request r ON r.topic = p.topic AND r.subject_id = p.subject_id
 WHERE p.topic = $1
   AND p.started_at IS NOT NULL
   AND (r.generation IS NULL OR r.generation IS DISTINCT FROM p.generation)
   AND CASE WHEN p.heartbeat_at IS NULL
            THEN p.started_at < now() - $2::double precision * interval '1 millisecond'
            ELSE p.heartbeat_at < now() - $3::double precision * interval '1 millisecond' END
   AND ($4::uuid IS NULL OR p.subject_id = $4::uuid)`

/** Subjects that began, have not fulfilled what was wanted, and are not heard of: to be retrieved for work that helps them. */
export function silent(topic: string, after: Silence = {}): Retrieval {
  const { startMs = SUBJECT_START_MS, silentMs = SUBJECT_SILENT_MS } = after
  return async (tx, taken = null) =>
    ids(await tx.query<{ id: string }>(SILENT, [topic, startMs, silentMs, taken]))
}

function ids({ rows }: { readonly rows: readonly { readonly id: string }[] }): readonly string[] {
  return rows.map(({ id }) => id)
}
