import type { Database, Executor } from '../store/database'

/** Says when there may be work. A hint only: who relies on it polls as well. */
export interface Notifier {
  /** Calls `wake` when there may be work for `process`. @returns what ends that */
  subscribe(process: string, wake: () => void): () => void
}

const CHANNEL = 'flog_work'

/** Tells all control loops of a process, in any program, that there may be work; in a transaction, once it is committed. */
export async function announce(executor: Executor, process: string): Promise<void> {
  await executor.query(`SELECT pg_notify('${CHANNEL}', $1)`, [process])
}

/** Hears announcements, over one connection for all who subscribe. */
export async function openNotifier(database: Database): Promise<Notifier & { close(): Promise<void> }> {
  const wakers = new Map<string, Set<() => void>>()
  const listening = await database.listen(CHANNEL, (process) => {
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
