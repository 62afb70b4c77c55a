import type { Migration } from '../migrate'

/**
 * What tells items that changed from settings that did, what the runs that continue each other were for, and since when items
 * wait for their turn. The indexes that go stood in the way: without statistics the planner took one, and sorted all items for
 * each that was taken. Older versions do without them.
 */
export const PROCESS_CHANGES: Migration = {
  number: 11,
  name: 'process changes',
  addsOnly: true,
  sql: `
ALTER TABLE process
  ADD COLUMN settings_since    bigint NOT NULL DEFAULT 1,         -- settings_version when the settings themselves changed last
  ADD COLUMN drop_retention_ms bigint NOT NULL DEFAULT 604800000; -- of the code that defined it last
ALTER TABLE process_run
  ADD COLUMN origin text NOT NULL DEFAULT 'slot';                 -- reason of the first of the runs that continue each other
ALTER TABLE process_item
  ADD COLUMN waits_since timestamptz NOT NULL DEFAULT now();       -- when it changed, or was processed, last
DROP INDEX process_item_list;
DROP INDEX process_item_order;
CREATE INDEX process_item_turn ON process_item (process, list, waits_since, name);
CREATE INDEX process_item_changed ON process_item (process, list, waits_since, name)
 WHERE processed_version IS NULL OR processed_version < version;
`,
}
