import type { Migration } from '../migrate'

/** What scheduled processes need besides: cron, requests, the order of their items, and why a run was begun. */
export const PROCESS_RUNS: Migration = {
  number: 10,
  name: 'process runs',
  addsOnly: true,
  sql: `
ALTER TABLE process
  ADD COLUMN cron            text,                          -- where it is null, schedule_ms is the schedule
  ADD COLUMN zone            text,
  ADD COLUMN min_schedule_ms bigint  NOT NULL DEFAULT 1000,
  ADD COLUMN defined         jsonb   NOT NULL DEFAULT '{}', -- schedule and settings of the code that defined it last
  ADD COLUMN paused_because  text,
  ADD COLUMN run_requested   boolean NOT NULL DEFAULT false,
  ADD COLUMN backfill        jsonb   NOT NULL DEFAULT '[]', -- slots that are to be run once more
  ADD COLUMN failures        integer NOT NULL DEFAULT 0,    -- runs in a row that were not completed
  ADD COLUMN missed_slots    bigint  NOT NULL DEFAULT 0;
ALTER TABLE process_run
  ADD COLUMN fence       bigint  NOT NULL DEFAULT 0,
  ADD COLUMN reason      text    NOT NULL DEFAULT 'slot',
  ADD COLUMN missed      integer NOT NULL DEFAULT 0,
  ADD COLUMN lateness_ms bigint  NOT NULL DEFAULT 0,
  ADD COLUMN interrupted boolean NOT NULL DEFAULT false,
  ADD COLUMN continues   bigint;                            -- the first of the runs whose items are not done again
ALTER TABLE process_item
  ADD COLUMN settings_version bigint  NOT NULL DEFAULT 0,   -- of the process, when the item changed last
  ADD COLUMN processed_at     timestamptz,
  ADD COLUMN attempts         integer NOT NULL DEFAULT 0,   -- times in a row that it had too many errors
  ADD COLUMN backoff_ms       bigint,
  ADD COLUMN retry_at         timestamptz;
CREATE INDEX process_item_order ON process_item (process, list, processed_at NULLS FIRST, name);
`,
}
