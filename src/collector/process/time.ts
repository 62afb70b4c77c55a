import type { Executor } from '../store/database'

/**
 * Slots, lateness and retention go by the database's time, which is the same for all instances. Statements take a parameter
 * for it that is null in earnest; a test gives the time that the database is to believe in.
 */
export type DatabaseTime = () => Date | null

export const databaseTime: DatabaseTime = () => null

/** SQL for the database's time, where the `n`th parameter is that of {@link DatabaseTime}. */
export function at(n: number): string {
  return `COALESCE($${n}::timestamptz, now())`
}

export async function timeOf(executor: Executor, time: DatabaseTime): Promise<Date> {
  const { rows } = await executor.query<{ at: Date }>(`SELECT ${at(1)} AS at`, [time()])
  return (rows[0] as { at: Date }).at
}
