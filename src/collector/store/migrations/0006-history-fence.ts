import type { Migration } from '../migrate'

/** Under which fence it was: whoever was cut off over the end of its work finds out what became of it. */
export const HISTORY_FENCE: Migration = {
  number: 6,
  name: 'history fence',
  addsOnly: true,
  sql: `
ALTER TABLE work_history ADD COLUMN fence bigint;           -- null where an older version wrote it
`,
}
