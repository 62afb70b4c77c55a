import type { Migration } from '../migrate'

/** What work needs besides: the order of subjects, the dead list, when a holder was heard of; what is wanted, and what is. */
export const WORK_ORDER: Migration = {
  number: 5,
  name: 'work order',
  addsOnly: true,
  sql: `
ALTER TABLE subject
  ADD COLUMN priority integer     NOT NULL DEFAULT 0,       -- the higher, the sooner
  ADD COLUMN turn     timestamptz NOT NULL DEFAULT now();   -- who was worked on last waits longest
CREATE INDEX subject_order ON subject (kind, priority DESC, turn, subject_id);
ALTER TABLE work ADD COLUMN heartbeat_at timestamptz;
ALTER TABLE work_backoff ADD COLUMN dead_at timestamptz;    -- no attempts are left
CREATE TABLE subject_request (
  subject_id   uuid        NOT NULL REFERENCES subject(subject_id) ON DELETE CASCADE,
  topic        text        NOT NULL,
  generation   bigint      NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, subject_id)
);
CREATE TABLE subject_report (
  subject_id   uuid        NOT NULL REFERENCES subject(subject_id) ON DELETE CASCADE,
  topic        text        NOT NULL,
  generation   bigint,                                      -- the last one that was fulfilled
  started_at   timestamptz,
  heartbeat_at timestamptz,
  PRIMARY KEY (topic, subject_id)
);
`,
}
