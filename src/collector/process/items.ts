import { type Backoff, nextBackoff } from '../lease/backoff'
import type { Executor, PlainJson } from '../store/database'
import { storableJson } from '../store/storable'
import { checkName } from './definition'
import { sameJson, unknownProcess } from './rows'
import type { ItemList, ItemState } from './states'
import { at, type DatabaseTime } from './time'

/** What is stored of an item. */
export interface Item {
  readonly process: string
  readonly name: string
  readonly list: ItemList
  readonly params: PlainJson
  readonly modified: Date
  readonly version: bigint
  readonly state: ItemState
}

const COLUMNS = 'process, name, list, params, modified, version, state'

const FIND = `SELECT ${COLUMNS} FROM process_item WHERE process = $1 AND name = $2`

/** All changes of items of one process come one after the other: they lock its row first. */
const NEXT_VERSION = `
UPDATE process SET settings_version = settings_version + 1 WHERE name = $1 RETURNING settings_version AS version`

const ACTIVATE = `
INSERT INTO process_item (process, name, list, params, settings_version, modified, list_since, waits_since)
VALUES ($1, $2, 'active', $3::jsonb, $4, ${at(5)}, ${at(5)}, ${at(5)})
ON CONFLICT (process, name) DO UPDATE
   SET list = 'active', params = EXCLUDED.params, state = 'new', status = '{}',
       list_since = CASE WHEN process_item.list = 'active' THEN process_item.list_since ELSE EXCLUDED.list_since END,
       version = process_item.version + 1, settings_version = EXCLUDED.settings_version, modified = EXCLUDED.modified,
       waits_since = EXCLUDED.waits_since, run_id = NULL, attempts = 0, backoff_ms = NULL, retry_at = NULL
RETURNING ${COLUMNS}`

const CLEAN_UP = `
INSERT INTO process_item (process, name, list, settings_version, modified, list_since, waits_since)
VALUES ($1, $2, 'cleanup', $3, ${at(4)}, ${at(4)}, ${at(4)})
ON CONFLICT (process, name) DO UPDATE
   SET list = 'cleanup', version = process_item.version + 1, settings_version = EXCLUDED.settings_version,
       modified = EXCLUDED.modified, list_since = EXCLUDED.list_since, waits_since = EXCLUDED.waits_since,
       run_id = NULL, attempts = 0, backoff_ms = NULL, retry_at = NULL`

const PURGE = `
DELETE FROM process_item
 WHERE process = $1 AND name IN (
   SELECT name FROM process_item
    WHERE process = $1 AND list = 'dropped' AND list_since <= $3::timestamptz - $2 * interval '1 millisecond'
    LIMIT $4)`

/**
 * Puts an item on the active list. The same parameters again change nothing; others make it new, also when it is being
 * cleaned up.
 * @throws FlogError FLOG_OPTION_INVALID, FLOG_PROCESS_UNKNOWN
 */
export async function registerItem(
  tx: Executor,
  process: string,
  name: string,
  params: PlainJson,
  time: DatabaseTime,
): Promise<{ readonly item: Item; readonly changed: boolean }> {
  checkName('process', process)
  checkName('item', name)
  const json = storableJson('params', params)
  const stored = await findItem(tx, process, name)
  if (isActiveWith(stored, params)) return { item: stored, changed: false }
  const version = await nextVersion(tx, process)
  // Who came first may have registered the same meanwhile.
  const now = await findItem(tx, process, name)
  if (isActiveWith(now, params)) return { item: now, changed: true }
  const { rows } = await tx.query<Item>(ACTIVATE, [process, name, json, version, time()])
  return { item: rows[0] as Item, changed: true }
}

/**
 * Puts an item on the cleanup list, one that was never heard of as well: something may be left of it.
 * @returns false where it is there already, or cleaned
 * @throws FlogError FLOG_OPTION_INVALID, FLOG_PROCESS_UNKNOWN
 */
export async function unregisterItem(
  tx: Executor,
  process: string,
  name: string,
  time: DatabaseTime,
): Promise<boolean> {
  checkName('process', process)
  checkName('item', name)
  if (isGoing(await findItem(tx, process, name))) return false
  const version = await nextVersion(tx, process)
  if (isGoing(await findItem(tx, process, name))) return false
  await tx.query(CLEAN_UP, [process, name, version, time()])
  return true
}

const IN_HAND = `
SELECT name, attempts, backoff_ms FROM process_item
 WHERE process = $1 AND run_id = $2 AND list <> 'dropped' AND status = '{}'`

const SET_BACK = `
UPDATE process_item
   SET state = CASE WHEN list = 'active' THEN 'incomplete' ELSE state END, status = '{"interrupted": true}',
       run_id = NULL, waits_since = $3::timestamptz, attempts = attempts + 1, backoff_ms = $4,
       retry_at = $3::timestamptz + $4::bigint * interval '1 millisecond'
 WHERE process = $1 AND name = $2`

/**
 * Puts what a lost run had in hand behind all others: it may be what killed its owner. Once may be chance; from the second
 * time in a row on it is left alone for a while.
 */
export async function setBackItems(
  tx: Executor,
  { process, runId }: { readonly process: string; readonly runId: bigint },
  backoff: Backoff,
  now: Date,
): Promise<void> {
  const { rows } = await tx.query<InHand>(IN_HAND, [process, runId])
  for (const { name, attempts, backoff_ms } of rows) {
    const previous = backoff_ms === null ? undefined : Number(backoff_ms)
    const backoffMs = attempts === 0 ? null : nextBackoff(backoff, previous)
    await tx.query(SET_BACK, [process, name, now, backoffMs])
  }
}

interface InHand {
  readonly name: string
  readonly attempts: number
  readonly backoff_ms: bigint | null
}

/** Removes dropped items that were kept for long enough, at most `limit`. */
export async function purgeItems(
  tx: Executor,
  process: string,
  retentionMs: number,
  now: Date,
  limit: number,
): Promise<number> {
  return (await tx.query(PURGE, [process, retentionMs, now, limit])).count
}

export async function findItem(tx: Executor, process: string, name: string): Promise<Item | undefined> {
  return (await tx.query<Item>(FIND, [process, name])).rows[0]
}

function isActiveWith(item: Item | undefined, params: PlainJson): item is Item {
  return item?.list === 'active' && sameJson(item.params, params)
}

function isGoing(item: Item | undefined): boolean {
  return item !== undefined && item.list !== 'active'
}

async function nextVersion(tx: Executor, process: string): Promise<bigint> {
  const { rows } = await tx.query<{ version: bigint }>(NEXT_VERSION, [process])
  if (rows[0] === undefined) throw unknownProcess(process)
  return rows[0].version
}
