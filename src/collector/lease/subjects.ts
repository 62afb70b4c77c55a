import { FlogError, invalidOption } from '../../base/errors'
import { parseWhole } from '../../base/numbers'
import type { Database, Executor } from '../store/database'

const PUT = `
INSERT INTO subject (kind, key, priority) VALUES ($1, $2, $3)
ON CONFLICT (kind, key) DO UPDATE SET priority = EXCLUDED.priority
RETURNING subject_id AS id`

/**
 * Something that can be worked on, there once for each kind and key.
 * @param priority the higher, the sooner; among equals, whoever was worked on last waits longest
 * @returns its id, the same one whenever it is put
 */
export async function putSubject(
  executor: Executor,
  kind: string,
  key: string,
  priority = 0,
): Promise<string> {
  if (kind === '' || key === '') throw invalidOption(kind === '' ? 'kind' : 'key', 'a text', '')
  parseWhole('priority', priority, -1_000_000, 1_000_000)
  const { rows } = await executor.query<{ id: string }>(PUT, [kind, key, priority])
  return (rows[0] as { id: string }).id
}

/**
 * Forgets a subject and its backoff; its history stays.
 * @returns false where there is none
 * @throws FlogError FLOG_WORK_CONFLICT while somebody works on it
 */
export async function removeSubject(database: Database, subject: string): Promise<boolean> {
  return database.transaction(async (tx) => {
    const known = await tx.query('SELECT 1 FROM subject WHERE subject_id = $1 FOR UPDATE', [subject])
    if (known.rows.length === 0) return false
    const { rows } = await tx.query<{ process: string }>('SELECT process FROM work WHERE subject_id = $1', [
      subject,
    ])
    if (rows.length > 0) {
      const processes = rows.map(({ process }) => process)
      throw new FlogError(
        'FLOG_WORK_CONFLICT',
        `the subject ${subject} is worked on by ${processes.join(', ')}`,
        {
          details: { subject, processes },
        },
      )
    }
    await tx.query('DELETE FROM subject WHERE subject_id = $1', [subject])
    return true
  })
}
