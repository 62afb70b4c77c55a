import { type Clock, SystemClock } from '../../base/clock'
import { LEASE_FORGET_MS, LEASE_REAP_MS } from '../../base/limits'
import { parseWhole } from '../../base/numbers'
import { systemRandom } from '../../base/random'
import type { Database } from '../store/database'
import type { LoopWorker } from './control-loop'
import { type ReapOptions, reap } from './reaper'
import { forget, type RetentionOptions } from './retention'
import { Waiter } from './waiter'

export interface JanitorOptions extends Partial<ReapOptions>, RetentionOptions {
  readonly database: Database
  readonly processes: ReapOptions['processes']
  /** Milliseconds between two looks for dead sessions; default 10,000. */
  readonly everyMs?: number
  readonly clock?: Clock
  readonly onTrouble?: (error: unknown) => void
}

/** Takes the work of dead sessions from them, and forgets what is old. Any number of these may run beside each other. */
export function janitor(options: JanitorOptions): LoopWorker {
  const { clock = new SystemClock(), random = systemRandom, database, onTrouble = () => {} } = options
  const everyMs = parseWhole('everyMs', options.everyMs ?? LEASE_REAP_MS, 100, 3_600_000)
  const waiter = new Waiter(clock)
  const counts = { sessions: 0, work: 0, forgotten: 0 }
  let killed = false
  let forgetAt = clock.monotonic()

  async function round(): Promise<void> {
    for (let more = true; more && !killed; ) {
      const reaped = await reap(database, { ...options, random })
      counts.sessions += reaped.sessions
      counts.work += reaped.work
      more = reaped.more && reaped.work + reaped.sessions > 0
    }
    if (killed || clock.monotonic() < forgetAt) return
    forgetAt = clock.monotonic() + LEASE_FORGET_MS
    const { history, sessions } = await forget(database, options)
    counts.forgotten += history + sessions
  }

  async function run(): Promise<void> {
    while (!killed) {
      await round().catch(onTrouble)
      await waiter.wait(everyMs * (0.5 + random.fraction()), ['killed'])
    }
  }

  const done = run()
  const kill = () => {
    killed = true
    waiter.wake('killed')
  }
  return { kill, wait: () => done, report: () => counts }
}
