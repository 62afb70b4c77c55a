import { FlogError } from '../../../src/base/errors'
import type { Owner } from '../../../src/collector/process/owner'
import type { Database, Transaction } from '../../../src/collector/store/database'
import { openDatabase } from '../../../src/collector/store/database'
import { emptyTables, onPostgres } from '../support/databases'
import { HastyClock, Rig, type TestOwner } from './rig'

const ACTIVE = ['a', 'b']
const CLEANUP = ['x']
const ALL = [...ACTIVE, ...CLEANUP]
/** More than a run over these items has of statements, commits included. */
const STATEMENTS = 60

onPostgres('runs of processes that are interrupted at each of their statements', (urlOf) => {
  let database: Database
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
  }, 60_000)
  beforeEach(() => emptyTables(database))
  afterAll(() => database.close())

  /** Runs at each statement in turn; ends when there was none so late. */
  async function atEach(run: (at: number) => Promise<boolean>): Promise<number> {
    for (let at = 1; at < STATEMENTS; at++) {
      await emptyTables(database)
      if (!(await run(at))) return at - 1
    }
    throw new Error('a run has more statements than that')
  }

  async function instance(rig: Rig, owner: Owner, processed: string[], stop?: AbortController) {
    const worker = async ({ name }: { readonly name: string }): Promise<void> => {
      processed.push(name)
      if (name === 'a') stop?.abort()
    }
    const scheduler = await rig.instance(
      { active: worker, cleanup: worker, progressMs: 0 },
      { owner, clock: new HastyClock() },
    )
    for (const item of ACTIVE) await scheduler.processes.register('tidy', item)
    for (const item of CLEANUP) await scheduler.processes.unregister('tidy', item)
    return scheduler
  }

  /** Turns until nothing is due any more. */
  async function settle(turn: () => Promise<{ readonly result: unknown }>): Promise<void> {
    for (let idle = 0, turns = 0; idle < 2; turns++) {
      if (turns > 20) throw new Error('it does not come to rest')
      const wasRun = await turn().then(
        ({ result }) => result !== undefined,
        () => true,
      )
      idle = wasRun ? 0 : idle + 1
    }
  }

  async function expectDone(rig: Rig): Promise<void> {
    expect(await rig.states()).toEqual({
      a: 'active completed',
      b: 'active completed',
      x: 'dropped new',
    })
    const { rows } = await database.query<{
      runs: bigint
      state: string
      counted: bigint
      owner: string | null
    }>(
      `SELECT p.owner_session AS owner, (p.aggregate_stats ->> 'runs')::bigint AS counted, r.state,
              (SELECT count(*) FROM process_run) AS runs
         FROM process p JOIN process_run r ON r.run_id = p.run_id`,
    )
    expect(rows).toEqual([{ owner: null, runs: rows[0]?.runs, counted: rows[0]?.runs, state: 'completed' }])
  }

  test.each(['lost', 'unanswered'] as const)(
    '23. a statement that is %s is made up for, and no item is processed twice',
    async (how) => {
      const last = await atEach(async (at) => {
        const rig = new Rig(database)
        const owner = new Interrupted(await rig.owner(), at, how)
        const processed: string[] = []
        const scheduler = await instance(rig, owner, processed)
        await settle(() => scheduler.turn('tidy'))
        expect({ at, processed: processed.sort() }).toEqual({ at, processed: ALL })
        await expectDone(rig)
        return owner.wasInterrupted
      })
      expect(last).toBeGreaterThan(15)
    },
    60_000,
  )

  test.each(['lost', 'unanswered'] as const)(
    '14. what an owner leaves that dies when a statement is %s is done by another',
    async (how) => {
      const last = await atEach(async (at) => {
        const rig = new Rig(database)
        const mortal = await rig.owner()
        const owner = new Interrupted(mortal, at, how, async () => {
          await mortal.die()
          mortal.expire()
        })
        const processed: string[] = []
        const scheduler = await instance(rig, owner, processed)
        await scheduler.turn('tidy').catch(() => {})
        const before = processed.length
        const heir = await instance(rig, await rig.owner(), processed)
        await settle(() => heir.turn('tidy'))
        expect({ at, names: [...new Set(processed)].sort() }).toEqual({ at, names: ALL })
        // At most the one that it had in hand is processed again.
        expect(processed.length - ALL.length).toBeLessThanOrEqual(1)
        if (processed.length > ALL.length) expect(processed.slice(before)).toContain(processed[before - 1])
        await expectDone(rig)
        return owner.wasInterrupted
      })
      expect(last).toBeGreaterThan(15)
    },
    60_000,
  )

  test('22. a run that is stopped, and whose statements are lost, is gone on with', async () => {
    await atEach(async (at) => {
      const rig = new Rig(database)
      const owner = new Interrupted(await rig.owner(), at, 'lost')
      const processed: string[] = []
      const stop = new AbortController()
      const scheduler = await instance(rig, owner, processed, stop)
      await settle(() => scheduler.turn('tidy', stop.signal))
      const heir = await instance(rig, await rig.owner(), processed)
      await settle(() => heir.turn('tidy'))
      expect({ at, processed: processed.sort() }).toEqual({ at, processed: ALL })
      await expectDone(rig)
      return owner.wasInterrupted
    })
  }, 60_000)
})

/** Loses the connection at one statement; or, where that is a commit, the answer to it. */
class Interrupted implements Owner {
  readonly #owner: TestOwner
  readonly #at: number
  readonly #how: 'lost' | 'unanswered'
  readonly #then: () => Promise<void>
  #count = 0
  wasInterrupted = false

  constructor(
    owner: TestOwner,
    at: number,
    how: 'lost' | 'unanswered',
    then: () => Promise<void> = async () => {},
  ) {
    this.#owner = owner
    this.#at = at
    this.#how = how
    this.#then = then
  }

  get id(): string {
    return this.#owner.id
  }

  get signal(): AbortSignal {
    return this.#owner.signal
  }

  async transact<T>(run: (tx: Transaction) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted()
    const result = await this.#owner.transact((tx) =>
      run({
        signal: tx.signal,
        query: async (text, params) => {
          // Within a transaction nothing is known of a statement that got no answer but that it is undone.
          if (this.#isNow()) throw await this.#lost({})
          return tx.query(text, params)
        },
      }),
    )
    if (this.#how === 'unanswered' && this.#isNow()) throw await this.#lost({ outcome: 'unknown' })
    return result
  }

  #isNow(): boolean {
    return ++this.#count === this.#at
  }

  async #lost(details: Readonly<Record<string, string>>): Promise<FlogError> {
    this.wasInterrupted = true
    await this.#then()
    return new FlogError('FLOG_DATABASE_UNREACHABLE', 'the connection was lost', { details })
  }
}
