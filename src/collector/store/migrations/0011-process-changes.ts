import type { Migration } from '../migrate'

/** What tells items that changed from settings that did, and what the runs that continue each other were for. */
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
CREATE INDEX process_item_changed ON process_item (process, list, processed_at NULLS FIRST, name)
 WHERE processed_version IS NULL OR processed_version < version;
`,
}
