import type { Migration } from '../migrate'

/** Work: who does what on which subject, under which fence; when it may be tried again; what became of it. */
export const WORK: Migration = {
  number: 2,
  name: 'work',
  addsOnly: true,
  sql: `
CREATE TABLE subject (
  subject_id   uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  kind         text        NOT NULL,                     -- 'publisher' | 'process-item'
  key          text        NOT NULL,                     -- tubid, 'retention/acme', ...
  created_at   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (kind, key)
);

CREATE TABLE work (
  subject_id   uuid        NOT NULL REFERENCES subject(subject_id) ON DELETE RESTRICT,
  process      text        NOT NULL,                     -- text + CHECK/lookup, not an ENUM (see spec)
  session_id   uuid        NOT NULL REFERENCES session(session_id) ON DELETE CASCADE,
  fence        bigint      NOT NULL,
  attempt      integer     NOT NULL,
  started_at   timestamptz NOT NULL DEFAULT now(),
  heartbeat    jsonb,                                    -- last progress details (Temporal-like)
  PRIMARY KEY (subject_id, process)
);
CREATE INDEX work_session ON work (session_id);

CREATE TABLE work_fence (                                -- survives work rows; monotonic per (subject, process)
  subject_id   uuid   NOT NULL REFERENCES subject(subject_id) ON DELETE CASCADE,
  process      text   NOT NULL,
  fence        bigint NOT NULL,
  PRIMARY KEY (subject_id, process)
);

CREATE TABLE work_backoff (
  subject_id       uuid        NOT NULL REFERENCES subject(subject_id) ON DELETE CASCADE,
  process          text        NOT NULL,
  until            timestamptz NOT NULL,
  cause            text        NOT NULL,
  last_interval_ms bigint      NOT NULL CHECK (last_interval_ms >= 1000),
  attempts         integer     NOT NULL,
  PRIMARY KEY (subject_id, process)
);
CREATE INDEX work_backoff_until ON work_backoff (process, until);

CREATE TABLE work_history (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject_id  uuid        NOT NULL,                      -- no FK on purpose: history outlives subjects
  process     text        NOT NULL,
  session_id  uuid,
  event       text        NOT NULL CHECK (event IN ('started','finished','failed','canceled','expired','stolen')),
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempt     integer,
  duration_ms bigint,
  cause       text,
  CHECK (cause IS NOT NULL OR event NOT IN ('failed','expired','stolen'))
);
CREATE INDEX work_history_subject ON work_history (subject_id, id);
CREATE INDEX work_history_at ON work_history (at);
`,
}
