import { SESSIONS } from './0001-sessions'
import { WORK } from './0002-work'
import { PROCESSES } from './0003-processes'
import { ERRORS } from './0004-errors'
import { WORK_ORDER } from './0005-work-order'
import { HISTORY_FENCE } from './0006-history-fence'
import { PROCESS_RUNS } from './0010-process-runs'
import { PROCESS_CHANGES } from './0011-process-changes'

/** In the order in which they are applied. One that was released is never changed: a new one changes what it made. */
export const MIGRATIONS = [
  SESSIONS,
  WORK,
  PROCESSES,
  ERRORS,
  WORK_ORDER,
  HISTORY_FENCE,
  PROCESS_RUNS,
  PROCESS_CHANGES,
] as const
