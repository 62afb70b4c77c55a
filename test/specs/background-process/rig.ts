import { randomUUID } from 'node:crypto'
import type { Timer, TimerOptions } from '../../../src/base/clock'
import type { ProcessDefinition } from '../../../src/collector/process/definition'
import type { Owner } from '../../../src/collector/process/owner'
import type { RunResult } from '../../../src/collector/process/run'
import {
  Scheduler,
  type SchedulerEvent,
  type SchedulerOptions,
} from '../../../src/collector/process/scheduler'
import type { Database, Executor, Param, Transaction } from '../../../src/collector/store/database'
import { FakeClock } from '../../remote/support/fake-clock'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** A database whose time is turned by hand, and instances that run the process `tidy` on it. */
export class Rig {
  readonly clock = new FakeClock()
  readonly events: SchedulerEvent[] = []
  now = new Date('2026-03-01T00:00:00.000Z')
  readonly time = (): Date => this.now

  constructor(readonly database: Database) {}

  pass(ms: number): void {
    this.now = new Date(this.now.getTime() + ms)
  }

  /** A session that lives until it is told to end. Of the lease's it has what processes use. */
  async owner(): Promise<TestOwner> {
    const id = randomUUID()
    await this.database.query(
      `INSERT INTO session (session_id, component, runtime_info, interval_ms, deadline)
       VALUES ($1, 'test', '', 15000, now() + interval '1 hour')`,
      [id],
    )
    return new TestOwner(id, this.database)
  }

  async instance(
    definition: Partial<ProcessDefinition> = {},
    options: SchedulerOptions & { readonly owner?: Owner } = {},
    database: Database = this.database,
  ): Promise<Scheduler> {
    const scheduler = new Scheduler(database, options.owner ?? (await this.owner()), {
      clock: this.clock,
      time: this.time,
      jitter: false,
      onEvent: (event) => this.events.push(event),
      ...options,
    })
    await scheduler.define(tidy(definition))
    return scheduler
  }

  async states(): Promise<Readonly<Record<string, string>>> {
    const { rows } = await this.database.query<{ name: string; list: string; state: string }>(
      `SELECT name, list, state FROM process_item WHERE process = 'tidy' ORDER BY name`,
    )
    return Object.fromEntries(rows.map((row) => [row.name, `${row.list} ${row.state}`]))
  }

  async lists(): Promise<Readonly<Record<string, string>>> {
    const states = Object.entries(await this.states())
    return Object.fromEntries(states.map(([name, state]) => [name, state.split(' ')[0] as string]))
  }
}

/** What a worker does is its own matter: a day's schedule, and nothing to do. */
export function tidy(definition: Partial<ProcessDefinition> = {}): ProcessDefinition {
  return {
    name: 'tidy',
    schedule: { everyMs: HOUR },
    minScheduleMs: 1000,
    active: async () => {},
    cleanup: async () => {},
    ...definition,
  }
}

export class TestOwner implements Owner {
  readonly #ended = new AbortController()
  /** Statements of its transactions, while it is asked to keep them. */
  statements: string[] | undefined
  /** How many of the next transactions that contain a statement fail. */
  failing: { times: number; readonly statement: RegExp } | undefined

  constructor(
    readonly id: string,
    readonly database: Database,
  ) {}

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction((tx) =>
      run({ signal: tx.signal, query: (text, params) => this.#query(tx, text, params) }),
    )
  }

  /** The database takes the session for dead. Its process does not know. */
  async die(): Promise<void> {
    await this.database.query(
      `UPDATE session SET deadline = now() - interval '1 second' WHERE session_id = $1`,
      [this.id],
    )
  }

  /** The process learns it. */
  expire(): void {
    this.#ended.abort(new Error('the session expired'))
  }

  #query<Row>(tx: Executor, text: string, params?: readonly Param[]) {
    this.statements?.push(text)
    if (this.failing !== undefined && this.failing.times > 0 && this.failing.statement.test(text)) {
      this.failing.times--
      throw new Error('the database does not answer')
    }
    return tx.query<Row>(text, params)
  }
}

/** The run that has to be due. */
export async function run(scheduler: Scheduler, stop?: AbortSignal): Promise<RunResult> {
  const { result } = await scheduler.turn('tidy', stop)
  if (result === undefined) throw new Error('no run was due')
  return result
}

/** A promise that somebody else settles. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** What waits for a while waits no longer; whatever else is under way goes on for a turn. */
export async function turnTimers(clock: FakeClock): Promise<void> {
  clock.advance(10_000)
  await new Promise((resolve) => setImmediate(resolve))
}

/** Whoever waits before trying again waits no longer; other timers are turned by hand. */
export class HastyClock extends FakeClock {
  override after(ms: number, action: () => void, options?: TimerOptions): Timer {
    if (options?.keepAlive !== true) return super.after(ms, action)
    setImmediate(action)
    return { cancel: () => {} }
  }
}
