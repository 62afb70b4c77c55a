/** Which subjects a process looks at, as a condition on `subject s`; its parameters begin at `$5`. */
export interface Selection {
  readonly where: string
  readonly params: readonly (string | readonly string[])[]
}

export function ofKind(kind: string): Selection {
  return { where: 's.kind = $5::text', params: [kind] }
}

export function ofIds(ids: readonly string[]): Selection {
  return { where: 's.subject_id = ANY($5::uuid[])', params: [ids] }
}

/**
 * A session is dead when it has ended, or has not been heard of for two intervals beyond its deadline: the reaper takes
 * after one, and says what became of the work. Stealing is for when no reaper runs.
 */
export const DEAD = `(o.ended_at IS NOT NULL OR o.deadline + 2 * o.interval_ms * interval '1 millisecond' <= now())`

const HELD = `(SELECT true FROM work w WHERE w.subject_id = s.subject_id AND w.process = $2::text)`

const HELD_BY_LIVING = `NOT (SELECT ${DEAD} FROM work w JOIN session o ON o.session_id = w.session_id
                  WHERE w.subject_id = s.subject_id AND w.process = $2::text)`

/**
 * $1 session, $2 process, $3 whether backoff is passed over, $4 processes that exclude this one.
 *
 * The order of the tests, and that each is a query of its own, is for a planner that knows nothing of the tables yet: each is
 * an index look-up, and a CASE that is not 0 is believed to let most subjects through, so that they are read in their order
 * until one does. With joins a claim beside 2,500 held took 782 ms, and with plain conditions it looked at all subjects.
 *
 * The first test is read by our snapshot, while `s` is read anew where its row was changed after that: by another claim, since
 * each moves what it takes. So what somebody took just now is passed over, and not picked in vain.
 */
function eligible(selection: Selection, isHeld = HELD_BY_LIVING): string {
  return `
  SELECT s.subject_id
    FROM subject s
   WHERE ${selection.where}
     AND EXISTS (SELECT 1 FROM alive)
     AND CASE
       WHEN s.turn > (SELECT t.turn FROM subject t WHERE t.subject_id = s.subject_id) THEN 0
       WHEN ${isHeld} THEN 0
       WHEN (SELECT b.dead_at IS NOT NULL OR (b.until > now() AND NOT $3::boolean) FROM work_backoff b
              WHERE b.subject_id = s.subject_id AND b.process = $2::text) THEN 0
       WHEN (SELECT true FROM work x
              WHERE x.subject_id = s.subject_id AND x.process = ANY($4::text[]) LIMIT 1) THEN 0
       ELSE 1 END <> 0`
}

const ALIVE = `
alive AS (
  SELECT session_id FROM session
   WHERE session_id = $1::uuid AND ended_at IS NULL AND deadline > now() FOR KEY SHARE
)`

const FIRST = `
   ORDER BY s.priority DESC, s.turn, s.subject_id
   LIMIT 1`

/** The subject that is taken, at the end of the order from now on, and the fence under which it is. */
const chosen = (selection: Selection, isHeld: string): string => `
WITH ${ALIVE}, candidate AS (${eligible(selection, isHeld)}${FIRST}
   FOR UPDATE OF s SKIP LOCKED
), moved AS (
  UPDATE subject SET turn = clock_timestamp() WHERE subject_id = (SELECT subject_id FROM candidate)
), fenced AS (
  INSERT INTO work_fence (subject_id, process, fence)
  SELECT subject_id, $2::text, 1 FROM candidate
  ON CONFLICT (subject_id, process) DO UPDATE SET fence = work_fence.fence + 1
  RETURNING subject_id, fence
)`

/**
 * Takes one subject in one statement: READ COMMITTED, so that clients do not fail because of each other, and past locked
 * rows, so that they do not wait for each other. Two may still pick the same one, when the second looked before the first
 * had committed; then the conflict on `work` decides, and the second has picked in vain. No row is returned then, nor where
 * all that is left is locked: {@link peekStatement} tells whether to look again. What is taken goes to the end of the order,
 * so that those that are held do not stand before those that are free. A dead owner's row is locked before it is taken: what
 * the owner just finished is not stolen any more.
 *
 * Most of its time goes into planning it, so it asks for what it needs and no more: scalars rather than joins.
 */
export function claimStatement(selection: Selection): string {
  return `${chosen(selection, HELD_BY_LIVING)}, owner AS (
  SELECT session_id, fence, attempt, started_at FROM work
   WHERE subject_id = (SELECT subject_id FROM candidate) AND process = $2::text FOR UPDATE
), taken AS (
  INSERT INTO work (subject_id, process, session_id, fence, attempt)
  SELECT f.subject_id, $2::text, $1::uuid, f.fence, 1 + greatest(0, (SELECT attempt FROM owner), (
           SELECT attempts FROM work_backoff b WHERE b.subject_id = f.subject_id AND b.process = $2::text))
    FROM fenced f
  ON CONFLICT (subject_id, process) DO UPDATE
     SET session_id = EXCLUDED.session_id, fence = EXCLUDED.fence, attempt = EXCLUDED.attempt, started_at = now()
   WHERE EXISTS (SELECT 1 FROM session o WHERE o.session_id = work.session_id AND ${DEAD})
  RETURNING subject_id, fence, attempt, heartbeat
), written AS (
  INSERT INTO work_history (subject_id, process, session_id, fence, event, attempt, duration_ms, cause)
  SELECT t.subject_id, $2::text, o.session_id, o.fence, 'stolen', o.attempt,
         (extract(epoch FROM clock_timestamp() - o.started_at) * 1000)::bigint, 'its session was dead'
    FROM taken t CROSS JOIN owner o
  UNION ALL
  SELECT t.subject_id, $2::text, $1::uuid, t.fence, 'started', t.attempt, NULL, NULL FROM taken t
)
SELECT subject_id AS subject, fence, attempt, heartbeat AS details, (SELECT session_id FROM owner) AS "takenFrom"
  FROM taken`
}

/**
 * As {@link claimStatement}, of what nobody holds only: a quarter of the time goes into looking after those that died, who
 * are few. It is for most claims, and not for all: else what the dead hold would wait until nothing else is left.
 */
export function claimFreeStatement(selection: Selection): string {
  return `${chosen(selection, HELD)}, taken AS (
  INSERT INTO work (subject_id, process, session_id, fence, attempt)
  SELECT f.subject_id, $2::text, $1::uuid, f.fence, 1 + coalesce((
           SELECT attempts FROM work_backoff b WHERE b.subject_id = f.subject_id AND b.process = $2::text), 0)
    FROM fenced f
  ON CONFLICT (subject_id, process) DO NOTHING
  RETURNING subject_id, fence, attempt
), written AS (
  INSERT INTO work_history (subject_id, process, session_id, fence, event, attempt)
  SELECT subject_id, $2::text, $1::uuid, fence, 'started', attempt FROM taken
)
SELECT subject_id AS subject, fence, attempt, NULL::jsonb AS details, NULL::uuid AS "takenFrom" FROM taken`
}

/**
 * Locks one subject that could be taken. What excludes other processes needs it: whoever waited for such a lock has to look
 * at `work` again, in a statement of its own, to see what the one before it did.
 */
export function lockStatement(selection: Selection): string {
  return `WITH ${ALIVE} ${eligible(selection)}${FIRST} FOR UPDATE OF s SKIP LOCKED`
}

/** Why nothing was taken: whether the session lives, and whether there is anything to take, locked or not. */
export function peekStatement(selection: Selection): string {
  return `
WITH ${ALIVE}
SELECT EXISTS (SELECT 1 FROM alive) AS alive, EXISTS (${eligible(selection)}) AS "left"`
}

/** Whether any of these subjects is held by this process, or by one that excludes it. */
export const TAKEN = `
SELECT 1 FROM work WHERE subject_id = ANY($1::uuid[]) AND (process = $2 OR process = ANY($3::text[])) LIMIT 1`
