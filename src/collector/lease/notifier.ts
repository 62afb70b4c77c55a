import type { Database, Executor, Listening } from '../store/database'
import { TRAITS } from '../store/dialect'

/** Says when there may be work. A hint only: who relies on it polls as well. */
export interface Notifier {
  /** Calls `wake` when there may be work for `process`. @returns what ends that */
  subscribe(process: string, wake: () => void): () => void
}

/** Processes for which there may be work. */
const WORK_CHANNEL = 'flog_work'
/** Sessions from which work was taken. */
const LOST_CHANNEL = 'flog_lost'

/**
 * Tells all control loops of processes, in any program, that there may be work; in a transaction, once it is committed. Where
 * a database has no NOTIFY it does nothing, and they find out when they poll.
 */
export async function announce(
  database: Database,
  processes: string | readonly string[],
  tx: Executor = database,
): Promise<void> {
  await notify(database, WORK_CHANNEL, typeof processes === 'string' ? [processes] : processes, tx)
}

/** Tells sessions, in whatever program they are, that work was taken from them: else their next heartbeat does. */
export async function announceLoss(
  database: Database,
  sessions: readonly string[],
  tx: Executor = database,
): Promise<void> {
  await notify(database, LOST_CHANNEL, sessions, tx)
}

/** Calls `onLoss` when work may have been taken from a session. */
export function hearOfLoss(database: Database, session: string, onLoss: () => void): Promise<Listening> {
  return database.listen(LOST_CHANNEL, (lost) => {
    // Without a payload some may have been missed.
    if (lost === undefined || lost === session) onLoss()
  })
}

/** Hears announcements, over one connection for all who subscribe. */
export async function openNotifier(database: Database): Promise<Notifier & { close(): Promise<void> }> {
  const wakers = new Map<string, Set<() => void>>()
  const listening = await database.listen(WORK_CHANNEL, (process) => {
    // Without a payload some may have been missed: everybody looks.
    const woken = process === undefined ? [...wakers.values()] : [wakers.get(process) ?? new Set()]
    for (const wake of woken.flatMap((set) => [...set])) wake()
  })
  return {
    subscribe: (process, wake) => {
      const set = wakers.get(process) ?? new Set()
      wakers.set(process, set.add(wake))
      return () => void set.delete(wake)
    },
    close: () => listening.close(),
  }
}

async function notify(database: Database, channel: string, payloads: readonly string[], tx: Executor) {
  const each = [...new Set(payloads)]
  if (each.length === 0 || !TRAITS[database.dialect].notifies) return
  await tx.query('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [channel, each])
}
