import type { Migration } from '../migrate'

/** The central error log. */
export const ERRORS: Migration = {
  number: 4,
  name: 'errors',
  addsOnly: true,
  sql: `
CREATE TABLE error_event (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at           timestamptz NOT NULL,
  received_at  timestamptz NOT NULL DEFAULT now(),
  node         text        NOT NULL,
  part         text        NOT NULL,
  kind         text        NOT NULL CHECK (kind IN ('error','info','action')),
  level        text        NOT NULL CHECK (level IN ('error','warning','info','debug')),
  fingerprint  text        NOT NULL,
  message      text        NOT NULL,
  error        jsonb,
  context      jsonb,                                    -- the message/incident in progress
  action       text        CHECK (action IN ('continue','retry','restart','kill','escalate')),
  repeat       integer     NOT NULL DEFAULT 1
);
CREATE INDEX error_event_at ON error_event (at);
CREATE INDEX error_event_fp ON error_event (fingerprint, at);
`,
}
