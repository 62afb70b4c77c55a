import type { Migration } from '../migrate'

/** Scheduled processes, their runs, and the items that they run over. */
export const PROCESSES: Migration = {
  number: 3,
  name: 'processes',
  addsOnly: true,
  sql: `
CREATE TABLE process (
  name              text        PRIMARY KEY,
  schedule_ms       bigint      NOT NULL CHECK (schedule_ms >= 1000),
  settings          jsonb       NOT NULL DEFAULT '{}',
  settings_version  bigint      NOT NULL DEFAULT 1,      -- replaces settings_time comparisons
  paused            boolean     NOT NULL DEFAULT false,
  owner_session     uuid        REFERENCES session(session_id) ON DELETE SET NULL,
  fence             bigint      NOT NULL DEFAULT 0,      -- replaces 'instance' equality
  run_id            bigint,
  next_run_at       timestamptz NOT NULL DEFAULT now(),
  aggregate_stats   jsonb       NOT NULL DEFAULT '{}'
);
CREATE TABLE process_run (
  run_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  process       text        NOT NULL REFERENCES process(name) ON DELETE CASCADE,
  session_id    uuid,
  slot_at       timestamptz NOT NULL,
  state         text        NOT NULL CHECK (state IN ('active','aborted','incomplete','completed','lost')),
  start_time    timestamptz NOT NULL DEFAULT now(),
  progress_time timestamptz NOT NULL DEFAULT now(),
  finish_time   timestamptz,
  settings_version bigint   NOT NULL,
  stats         jsonb       NOT NULL DEFAULT '{}',
  errors        jsonb       NOT NULL DEFAULT '[]',       -- first 25
  total_errors  integer     NOT NULL DEFAULT 0,
  last_error_time timestamptz
);
CREATE UNIQUE INDEX process_run_one_active ON process_run (process) WHERE state = 'active';
CREATE INDEX process_run_recent ON process_run (process, run_id DESC);
CREATE TABLE process_item (
  process      text        NOT NULL REFERENCES process(name) ON DELETE CASCADE,
  name         text        NOT NULL CHECK (name <> ''),
  list         text        NOT NULL CHECK (list IN ('active','cleanup','dropped')),
  params       jsonb       NOT NULL DEFAULT '{}',
  modified     timestamptz NOT NULL DEFAULT now(),       -- settings change, not status change
  version      bigint      NOT NULL DEFAULT 1,
  list_since   timestamptz NOT NULL DEFAULT now(),
  state        text        NOT NULL DEFAULT 'new' CHECK (state IN ('new','active','aborted','incomplete','completed')),
  status       jsonb       NOT NULL DEFAULT '{}',        -- times, stats, first 10 errors, total_errors
  processed_version bigint,
  run_id       bigint,
  PRIMARY KEY (process, name)
);
CREATE INDEX process_item_list ON process_item (process, list, name);
`,
}
