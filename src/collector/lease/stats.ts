import type { Executor } from '../store/database'
import type { Processes } from './processes'

/** How much of each process there is now. */
export interface ProcessStats {
  readonly held: number
  /** In backoff now; one whose time is over does not count. */
  readonly backedOff: number
  readonly dead: number
}

const STATS = `
SELECT process, sum(held)::integer AS held, sum(backed_off)::integer AS "backedOff", sum(dead)::integer AS dead
  FROM (
    SELECT process, 1 AS held, 0 AS backed_off, 0 AS dead FROM work
    UNION ALL
    SELECT process, 0, CASE WHEN dead_at IS NULL AND until > now() THEN 1 ELSE 0 END,
           CASE WHEN dead_at IS NULL THEN 0 ELSE 1 END
      FROM work_backoff
  ) one
 GROUP BY process`

/** Of each process that there is, also where all of it is 0, so that a graph has no holes; and of those that the database knows. */
export async function workStats(
  executor: Executor,
  processes: Processes,
): Promise<ReadonlyMap<string, ProcessStats>> {
  const { rows } = await executor.query<ProcessStats & { process: string }>(STATS)
  const none = processes.names.map((name) => [name, { held: 0, backedOff: 0, dead: 0 }] as const)
  const found = rows.map(
    ({ process, held, backedOff, dead }) => [process, { held, backedOff, dead }] as const,
  )
  return new Map([...none, ...found])
}
