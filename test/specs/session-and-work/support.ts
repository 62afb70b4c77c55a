import { type Clock, SystemClock, type Timer, type TimerOptions } from '../../../src/base/clock'
import type { Random } from '../../../src/base/random'
import {
  type ControlLoopOptions,
  controlLoop,
  type LoopWorker,
} from '../../../src/collector/lease/control-loop'
import type { LeaseCounters, LeaseMetrics } from '../../../src/collector/lease/metrics'
import { type ProcessDefinition, Processes } from '../../../src/collector/lease/processes'
import { reap } from '../../../src/collector/lease/reaper'
import { type Session, type SessionOptions, startSession } from '../../../src/collector/lease/session'
import type { Work } from '../../../src/collector/lease/work'
import type {
  Database,
  Dialect,
  Executor,
  Param,
  Rows,
  Transaction,
  TransactionOptions,
} from '../../../src/collector/store/database'

const DEFINITIONS: readonly ProcessDefinition[] = [
  { name: 'poll', excludes: ['erase'], backoff: { initialMs: 1000, exponent: 2, jitter: 0 } },
  { name: 'erase', backoff: { initialMs: 1000, exponent: 2, jitter: 0 } },
  { name: 'classify', backoff: { initialMs: 1000, exponent: 2, jitter: 0 } },
]

export const PROCESSES = new Processes(DEFINITIONS)
export const PUBLISHERS = { kind: 'publisher' }

/** Chance in the middle: jitter adds nothing, and takes nothing away. */
export const EVEN: Random = { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 }

/** Sessions, all closed after each test. */
export class Sessions {
  readonly #open = new Set<Session>()

  constructor() {
    afterEach(async () => {
      await Promise.allSettled([...this.#open].map((session) => session.close()))
      this.#open.clear()
    })
  }

  async start(database: Database, options: Partial<SessionOptions> = {}): Promise<Session> {
    const session = await startSession(database, {
      component: 'test',
      processes: PROCESSES,
      intervalMs: 60_000,
      random: EVEN,
      ...options,
    })
    this.#open.add(session)
    return session
  }
}

/** The control loops of a suite, which end with the test that starts them. */
export class Loops {
  readonly #all = new Set<LoopWorker>()

  constructor() {
    afterEach(async () => {
      for (const loop of this.#all) loop.kill()
      await Promise.all([...this.#all].map((loop) => loop.wait()))
      this.#all.clear()
    })
  }

  start(database: Database, options: LoopOptions): LoopWorker {
    return this.add(
      controlLoop({
        database,
        processes: PROCESSES,
        process: 'classify',
        retrieve: PUBLISHERS,
        rate: { everyMs: 1, burst: 100 },
        pollMs: 100,
        ...options,
      }),
    )
  }

  add(loop: LoopWorker): LoopWorker {
    this.#all.add(loop)
    return loop
  }
}

type LoopOptions = Partial<ControlLoopOptions> & Pick<ControlLoopOptions, 'run'>

/** Subjects p0000, p0001, …, whose turn it is in this order. @returns their ids */
export async function subjects(database: Database, count: number): Promise<readonly string[]> {
  const { rows } = await database.query<{ id: string }>(
    `INSERT INTO subject (kind, key, turn)
     SELECT 'publisher', 'p' || lpad(i::text, 4, '0'), now() + i * interval '1 microsecond' FROM generate_series(0, $1::integer - 1) AS i
     ON CONFLICT (kind, key) DO UPDATE SET priority = EXCLUDED.priority
     RETURNING subject_id AS id`,
    [count],
  )
  return rows.map(({ id }) => id)
}

/** Many of them, in one statement. */
export async function manySubjects(database: Database, count: number): Promise<void> {
  await database.query(
    `INSERT INTO subject (kind, key) SELECT 'publisher', 'p' || i FROM generate_series(1, $1::integer) AS i`,
    [count],
  )
}

/** The work that has to be there. */
export async function take(
  session: Session,
  process = 'classify',
  retrieve: Parameters<Session['work']>[1] = PUBLISHERS,
): Promise<Work> {
  const work = await session.work(process, retrieve)
  if (work === undefined) throw new Error(`there was no work ${process}`)
  return work
}

/** What a session looks like whose program died long ago. */
export async function letDie(database: Database, session: Session): Promise<void> {
  await database.query(`UPDATE session SET deadline = now() - interval '1 hour' WHERE session_id = $1`, [
    session.id,
  ])
}

/** For the database, as far as sessions go. */
export async function letTimePass(database: Database, ms: number): Promise<void> {
  await database.query(`UPDATE session SET deadline = deadline - $1::integer * interval '1 millisecond'`, [
    ms,
  ])
}

export async function history(database: Database): Promise<readonly string[]> {
  const { rows } = await database.query<{ text: string }>(
    `SELECT event || coalesce(' ' || cause, '') AS text FROM work_history ORDER BY id`,
  )
  return rows.map(({ text }) => text)
}

export interface BackoffRow {
  /** Milliseconds until it may be tried again. */
  readonly ms: number
  readonly last: bigint
  readonly attempts: number
  readonly cause: string
}

export async function backoffs(database: Database): Promise<readonly BackoffRow[]> {
  return (
    await database.query<BackoffRow>(
      `SELECT (extract(epoch FROM until - now()) * 1000)::double precision AS ms, last_interval_ms AS last, attempts, cause
         FROM work_backoff ORDER BY subject_id, process`,
    )
  ).rows
}

export async function letBackoffsPass(database: Database): Promise<void> {
  await database.query('UPDATE work_backoff SET until = now()')
}

export function reapAll(database: Database, processes = PROCESSES) {
  return reap(database, { processes, random: EVEN })
}

/** A database that does as another one, and can be watched and disturbed. */
export class Watched implements Database {
  readonly #inner: Database
  /** Statements outside of transactions, and transactions. */
  calls = 0
  /** Called before each statement outside of transactions; what it throws is what the statement throws. */
  before = (_statement: string): void | Promise<void> => {}
  /** Called before each transaction. */
  beforeTransaction = (): void | Promise<void> => {}
  #answered = 0
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  constructor(inner: Database) {
    this.#inner = inner
  }

  get dialect(): Dialect {
    return this.#inner.dialect
  }

  get where() {
    return this.#inner.where
  }

  query<Row>(text: string, params?: readonly Param[]): Promise<Rows<Row>> {
    return this.#query(this.#inner, text, params)
  }

  get urgent(): Executor {
    return { query: (text, params) => this.#query(this.#inner.urgent, text, params) }
  }

  async #query<Row>(on: Executor, text: string, params: readonly Param[] | undefined): Promise<Rows<Row>> {
    this.calls++
    try {
      await this.before(text)
      return await on.query<Row>(text, params)
    } finally {
      // Whoever asked hears of it before whoever waits here.
      setImmediate(() => this.#answer())
    }
  }

  async transaction<T>(run: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    this.calls++
    await this.beforeTransaction()
    return this.#inner.transaction(run, options)
  }

  listen(channel: string, onNotice: (payload: string | undefined) => void) {
    return this.#inner.listen(channel, onNotice)
  }

  close() {
    return this.#inner.close()
  }

  /** Resolves when so many statements have been answered, well or badly. */
  answered(count: number): Promise<void> {
    if (this.#answered >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }

  #answer(): void {
    this.#answered++
    for (const { count, resolve } of this.#waiting) if (this.#answered >= count) resolve()
  }
}

/** One that hears nothing that is announced. */
export class Deaf extends Watched {
  override async listen() {
    return { close: async () => {} }
  }
}

/** The machine's clock, so many times as fast: for who waits a second before he goes on. The database keeps its own time. */
export class FastClock implements Clock {
  readonly #real = new SystemClock()

  constructor(readonly times = 10) {}

  now(): number {
    return this.#real.now()
  }

  monotonic(): number {
    return this.#real.monotonic() * this.times
  }

  after(ms: number, action: () => void, options?: TimerOptions): Timer {
    return this.#real.after(ms / this.times, action, options)
  }

  every(ms: number, action: () => void, options?: TimerOptions): Timer {
    return this.#real.every(ms / this.times, action, options)
  }
}

export class Counted implements LeaseMetrics {
  readonly seen: string[] = []

  count<Name extends keyof LeaseCounters>(name: Name, labels: LeaseCounters[Name]): void {
    this.seen.push(`${name} ${Object.values(labels).join(' ')}`)
  }

  of(name: keyof LeaseCounters): readonly string[] {
    return this.seen.filter((line) => line.startsWith(name))
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function latch(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** Waits for what no event tells. */
export async function eventually(holds: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  const until = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`it did not come true within ${withinMs} ms`)
    await sleep(20)
  }
}
