import type { Migration } from '../migrate'

/** Sessions: who is alive, by a deadline that heartbeats move. */
export const SESSIONS: Migration = {
  number: 1,
  name: 'sessions',
  addsOnly: true,
  sql: `
CREATE TABLE session (
  session_id       uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  component        text        NOT NULL,                 -- collect and the like
  runtime_info     text        NOT NULL,                 -- host, pid, version
  created_at       timestamptz NOT NULL DEFAULT now(),
  interval_ms      integer     NOT NULL CHECK (interval_ms >= 1000),
  deadline         timestamptz NOT NULL,
  ended_at         timestamptz,                          -- clean close; reaper keeps the row a while for webug
  end_reason       text
);
CREATE INDEX session_live ON session (deadline) WHERE ended_at IS NULL;
`,
}
