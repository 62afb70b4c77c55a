import { isDeepStrictEqual } from 'node:util'
import { FlogError } from '../../base/errors'
import type { Executor, PlainJson } from '../store/database'
import type { Schedule } from './schedule'

/** A row of the table `process`, as far as it decides what is run. */
export interface ProcessRow {
  readonly name: string
  readonly at: Date
  readonly schedule_ms: bigint
  readonly cron: string | null
  readonly zone: string | null
  readonly min_schedule_ms: bigint
  readonly settings: PlainJson
  readonly settings_version: bigint
  /** Its value when the settings themselves changed last. */
  readonly settings_since: bigint
  readonly drop_retention_ms: bigint
  readonly defined: PlainJson
  readonly paused: boolean
  readonly owner_session: string | null
  readonly fence: bigint
  readonly run_id: bigint | null
  readonly next_run_at: Date
  readonly run_requested: boolean
  readonly backfill: readonly string[]
  readonly failures: number
  readonly aggregate_stats: Readonly<Record<string, number>>
}

const LOCK = 'SELECT *, COALESCE($2::timestamptz, now()) AS at FROM process WHERE name = $1 FOR UPDATE'

/**
 * The row of a process, locked until the transaction ends. Who locks rows takes them in this order: process, run, item.
 * @throws FlogError FLOG_PROCESS_UNKNOWN
 */
export async function lockProcess(tx: Executor, name: string, at: Date | null): Promise<ProcessRow> {
  const { rows } = await tx.query<ProcessRow>(LOCK, [name, at])
  if (rows[0] === undefined) throw unknownProcess(name)
  return rows[0]
}

export function unknownProcess(name: string): FlogError {
  return new FlogError('FLOG_PROCESS_UNKNOWN', `no scheduled process is called ${JSON.stringify(name)}`, {
    details: { process: name },
  })
}

export function scheduleOf(row: Pick<ProcessRow, 'schedule_ms' | 'cron' | 'zone'>): Schedule {
  if (row.cron === null) return { everyMs: Number(row.schedule_ms) }
  return row.zone === null ? { cron: row.cron } : { cron: row.cron, zone: row.zone }
}

/** Whether two values are the same as JSON: what is stored has no undefined, and its keys in another order. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
}
