import { type Backoff, nextBackoff } from '../lease/backoff'
import type { Executor, PlainJson } from '../store/database'
import type { WorkItem } from './definition'
import { type BegunRun, checkFence } from './runs'
import type { ItemState } from './states'
import { at, type DatabaseTime } from './time'

/** What is stored of how an item was processed. */
export interface ItemEnd {
  readonly state: ItemState
  /** It did not come to its end: another run has to do it again. */
  readonly interrupted: boolean
  /** It had too many errors: it waits longer each time. */
  readonly leaveAlone: boolean
  readonly status: PlainJson
}

/** An item that a run has taken, at one version: what is written for another version is refused. */
export interface TakenItem extends WorkItem {
  readonly list: 'active' | 'cleanup'
  readonly backoffMs: bigint | null
}

interface TakenRow {
  readonly list: TakenItem['list']
  readonly name: string
  readonly params: PlainJson
  readonly version: bigint
  readonly backoff_ms: bigint | null
}

/**
 * What is left for a run, of one list or both (they are named in their order): items that stood there when it began. A run
 * that continues another leaves out what that one has done, but not what it was doing, nor what is still to be cleaned up. One
 * over changes takes what was not processed since it changed, which has an index of its own: there may be few among many.
 */
const left = (changesOnly: boolean): string => `
 process = $1 AND list >= $2 AND list < 'dropped' AND settings_version <= $5
   AND (run_id IS NULL OR run_id < $4 OR ((state = 'active' OR list = 'cleanup') AND run_id < $3))
   AND (retry_at IS NULL OR retry_at <= ${at(6)})
   ${changesOnly ? 'AND (processed_version IS NULL OR processed_version < version)' : ''}`

/**
 * The active item that waits for longest, then the one that is to be cleaned up. What was processed, or registered meanwhile, is
 * at the end of the index: it is never passed over to find the next one.
 */
const take = (changesOnly: boolean): string => `
UPDATE process_item
   SET state = CASE WHEN list = 'active' THEN 'active' ELSE state END, status = '{}', run_id = $3
 WHERE process = $1 AND name = (
   SELECT name FROM process_item
    WHERE ${left(changesOnly)}
      AND EXISTS (SELECT 1 FROM process_run WHERE run_id = $3 AND fence = $7 AND state = 'active')
    ORDER BY list, waits_since, name
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING list, name, params, version, backoff_ms`

const TAKE = { all: take(false), changes: take(true) }

/** Also what was taken, and is in nobody's hands: the answer was lost. */
const leftOver = (changesOnly: boolean): string => `
SELECT 1 FROM process_item
 WHERE (${left(changesOnly)}) OR (process = $1 AND list < 'dropped' AND run_id = $3 AND status = '{}')
 LIMIT 1`

const LEFT = { all: leftOver(false), changes: leftOver(true) }

const END = `
UPDATE process_item
   SET state = CASE WHEN list = 'active' THEN $5 ELSE state END, status = $6::jsonb,
       processed_at = ${at(7)}, waits_since = ${at(7)}, processed_version = CASE WHEN $8 THEN processed_version ELSE version END,
       run_id = CASE WHEN $8 THEN NULL ELSE run_id END,
       attempts = CASE WHEN $9::bigint IS NULL THEN 0 ELSE attempts + 1 END, backoff_ms = $9,
       retry_at = ${at(7)} + $9::bigint * interval '1 millisecond'
 WHERE process = $1 AND name = $2 AND version = $3 AND list = $10 AND run_id = $4`

const DROP = `
UPDATE process_item
   SET list = 'dropped', list_since = ${at(5)}, processed_at = ${at(5)}, waits_since = ${at(5)},
       processed_version = version, status = $6::jsonb, attempts = 0, backoff_ms = NULL, retry_at = NULL
 WHERE process = $1 AND name = $2 AND version = $3 AND list = 'cleanup' AND run_id = $4`

const DROPPED = `
SELECT 1 FROM process_item
 WHERE process = $1 AND name = $2 AND version = $3 AND list = 'dropped' AND run_id = $4`

/**
 * The fence is looked at, but the run is not locked: an item that is taken while the run is taken over can be taken again
 * by the next one.
 * @param from the list to begin with: who has seen that no active item is left need not look for one again
 * @returns undefined where none is left, or the run is not the caller's any more
 */
export async function takeItem(
  tx: Executor,
  run: BegunRun,
  from: TakenItem['list'],
  time: DatabaseTime,
): Promise<TakenItem | undefined> {
  const wanted = [...leftParams(run, from, time), run.fence]
  const [row] = (await tx.query<TakenRow>(TAKE[kindOf(run)], wanted)).rows
  if (row === undefined) return undefined
  const { list, name, params, version } = row
  return { list, name, params, version, backoffMs: row.backoff_ms }
}

/** Whether another run has to go on where this one ends. */
export async function isAnyLeft(tx: Executor, run: BegunRun, time: DatabaseTime): Promise<boolean> {
  return (await tx.query(LEFT[kindOf(run)], leftParams(run, 'active', time))).rows.length > 0
}

/**
 * Writes how an item ended. Too many errors leave it alone for a while.
 * @returns false where it was registered again or unregistered meanwhile: then what was done is not about it any more
 * @throws FlogError FLOG_PROCESS_CONFLICT
 */
export async function endItem(
  tx: Executor,
  run: BegunRun,
  item: TakenItem,
  end: ItemEnd,
  options: { readonly backoff: Backoff; readonly time: DatabaseTime },
): Promise<boolean> {
  await checkFence(tx, run)
  const previous = item.backoffMs === null ? undefined : Number(item.backoffMs)
  const backoffMs = end.leaveAlone ? nextBackoff(options.backoff, previous) : null
  const { state, status, interrupted } = end
  const which = [run.process, item.name, item.version, run.runId]
  const written = [state, JSON.stringify(status), options.time(), interrupted, backoffMs, item.list]
  return (await tx.query(END, [...which, ...written])).count > 0
}

/**
 * Moves an item that was cleaned up to the dropped ones; doing it again changes nothing.
 * @returns false where it was registered meanwhile: then it stays active
 * @throws FlogError FLOG_PROCESS_CONFLICT
 */
export async function dropItem(
  tx: Executor,
  run: BegunRun,
  item: TakenItem,
  status: PlainJson,
  time: DatabaseTime,
): Promise<boolean> {
  await checkFence(tx, run)
  const which = [run.process, item.name, item.version, run.runId]
  if ((await tx.query(DROP, [...which, time(), JSON.stringify(status)])).count > 0) return true
  return (await tx.query(DROPPED, which)).rows.length > 0
}

function kindOf({ plan }: BegunRun): 'all' | 'changes' {
  return plan.origin === 'changes' ? 'changes' : 'all'
}

function leftParams({ process, runId, plan }: BegunRun, from: TakenItem['list'], time: DatabaseTime) {
  return [process, from, runId, plan.continues ?? runId, plan.settingsVersion, time()]
}
