import fc from 'fast-check'
import type { Processes } from '../../../src/collector/process/processes'
import type { Scheduler } from '../../../src/collector/process/scheduler'
import { type Database, openDatabase, type PlainJson } from '../../../src/collector/store/database'
import { emptyTables, onPostgres } from '../support/databases'
import { HastyClock, HOUR, MINUTE, Rig, type TestOwner } from './rig'

type Step =
  | { readonly act: 'register'; readonly item: string; readonly params: PlainJson }
  | { readonly act: 'unregister'; readonly item: string }
  | { readonly act: 'settings'; readonly days: number }
  | { readonly act: 'runNow' | 'pause' | 'resume' | 'backfill' | 'kill' }
  | { readonly act: 'pass'; readonly ms: number }

const item = fc.constantFrom('a', 'b', 'c', 'd')
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ act: fc.constant('register'), item, params: fc.record({ n: fc.nat(3) }) }),
  },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('unregister'), item }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('settings'), days: fc.nat(5) }) },
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constantFrom('runNow', 'pause', 'resume', 'backfill', 'kill') }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('pass'), ms: fc.constantFrom(1000, MINUTE, HOUR) }) },
) as fc.Arbitrary<Step>

onPostgres('processes in a storm', (urlOf) => {
  let database: Database
  beforeAll(async () => {
    database = await openDatabase(await urlOf())
  }, 60_000)
  afterAll(() => database.close())

  test('33. whatever instances, operators and deaths do at once, all comes to what was asked for last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 20, maxLength: 40 }), async (steps) => {
        await emptyTables(database)
        const storm = new Storm(database)
        for (let n = 0; n < 3; n++) await storm.begin()
        for (const step of steps) await storm.step(step)
        await storm.settle()
        expect(await storm.state()).toEqual(storm.wanted())
        expect(storm.inTwoHands).toEqual([])
      }),
      { numRuns: 5, endOnFailure: true },
    )
  }, 120_000)
})

interface Instance {
  readonly scheduler: Scheduler
  readonly owner: TestOwner
  /** Settles when its owner has died. */
  readonly turning: Promise<void>
}

class Storm {
  readonly #rig: Rig
  readonly #instances: Instance[] = []
  readonly #items = new Map<string, PlainJson | 'gone'>()
  /** What was done last about an item, and by whom it is being done. */
  readonly #done = new Map<string, PlainJson | 'gone'>()
  readonly #hands = new Map<string, TestOwner>()
  readonly inTwoHands: string[] = []

  constructor(database: Database) {
    this.#rig = new Rig(database)
  }

  async begin(): Promise<void> {
    const owner = await this.#rig.owner()
    const scheduler = await this.#rig.instance(
      {
        concurrency: 2,
        progressMs: 0,
        stallTimeoutMs: 1000 * HOUR,
        active: ({ name, params }) => this.#work(owner, name, params),
        cleanup: ({ name }) => this.#work(owner, name, 'gone'),
      },
      { owner, clock: new HastyClock() },
    )
    const turning = this.#turn(scheduler, owner)
    this.#instances.push({ scheduler, owner, turning })
  }

  async step(step: Step): Promise<void> {
    const { act } = step
    if (act === 'register') {
      await this.#processes.register('tidy', step.item, step.params)
      this.#items.set(step.item, step.params)
    } else if (act === 'unregister') {
      await this.#processes.unregister('tidy', step.item)
      this.#items.set(step.item, 'gone')
    } else if (act === 'settings') await this.#processes.update('tidy', { settings: { days: step.days } })
    else if (act === 'pass') this.#rig.pass(step.ms)
    else if (act === 'backfill') await this.#processes.backfill('tidy', this.#ago(HOUR), this.#rig.now)
    else if (act === 'kill') {
      await this.#kill()
      await this.begin()
    } else await this.#processes[act]('tidy')
  }

  /** The last instance of all does what is left. */
  async settle(): Promise<void> {
    await this.#processes.resume('tidy')
    while (this.#instances.length > 0) await this.#kill()
    await this.begin()
    const [{ scheduler }] = this.#instances as [Instance]
    // What its owner died over twice in a row is left alone for a while.
    for (let round = 0; round < 2; round++) {
      this.#rig.pass(HOUR)
      while (await this.#isBusy(scheduler)) await new Promise((resolve) => setImmediate(resolve))
    }
    await this.#kill()
  }

  async state(): Promise<Readonly<Record<string, unknown>>> {
    const { rows } = await this.#rig.database.query<{ name: string; state: string; current: boolean }>(
      `SELECT name, CASE list WHEN 'active' THEN state ELSE list END AS state, processed_version = version AS current
         FROM process_item`,
    )
    return Object.fromEntries(
      rows.map(({ name, state, current }) => [name, [state, current, this.#done.get(name)]]),
    )
  }

  wanted(): Readonly<Record<string, unknown>> {
    const wanted = [...this.#items].map(([name, params]) => [
      name,
      [params === 'gone' ? 'dropped' : 'completed', true, params],
    ])
    return Object.fromEntries(wanted)
  }

  get #processes(): Processes {
    return (this.#instances[0] as Instance).scheduler.processes
  }

  #ago(ms: number): Date {
    return new Date(this.#rig.now.getTime() - ms)
  }

  async #work(owner: TestOwner, name: string, what: PlainJson | 'gone'): Promise<void> {
    const other = this.#hands.get(name)
    if (other !== undefined && other !== owner && !other.signal.aborted) this.inTwoHands.push(name)
    this.#hands.set(name, owner)
    await this.#rig.database.query('SELECT 1')
    if (owner.signal.aborted) return
    this.#hands.delete(name)
    this.#done.set(name, what)
  }

  async #turn(scheduler: Scheduler, owner: TestOwner): Promise<void> {
    while (!owner.signal.aborted) {
      await scheduler.turn('tidy').catch((error: unknown) => {
        if (!owner.signal.aborted) throw error
      })
    }
  }

  async #kill(): Promise<void> {
    const { owner, turning } = this.#instances.shift() as Instance
    owner.expire()
    await owner.die()
    await turning
  }

  async #isBusy({ processes }: Scheduler): Promise<boolean> {
    const { nextRunAt, requested, backfill, lastRun, owner } = await processes.view('tidy')
    if (requested || backfill > 0 || owner !== null || nextRunAt <= this.#rig.now.toISOString()) return true
    if (lastRun?.state === 'lost' || lastRun?.interrupted === true) return true
    const { rows } = await this.#rig.database.query(
      `SELECT 1 FROM process p JOIN process_run r ON r.run_id = p.run_id WHERE r.settings_version < p.settings_version`,
    )
    return rows.length > 0
  }
}
