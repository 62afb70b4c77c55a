import { Processes as WorkProcesses } from '../../src/collector/lease/processes'
import { type Session, startSession } from '../../src/collector/lease/session'
import { checkDefinition } from '../../src/collector/process/definition'
import { look } from '../../src/collector/process/look'
import { Processes } from '../../src/collector/process/processes'
import { takeItem } from '../../src/collector/process/run-items'
import { type BegunRun, type RunFigures, writeProgress } from '../../src/collector/process/runs'
import { databaseTime } from '../../src/collector/process/time'
import { type Database, openDatabase } from '../../src/collector/store/database'
import { median, type Result, result, round } from './measure'
import { inNewSchema } from './new-schema'

const FEW = 10
const MANY = 10_000

/** The same statements: more than this a machine with other things to do does not add to a median. */
const TARGET = 1.25

/** Who looks for one item must not look at all of them: that would be 100 and more. */
const TAKE_TARGET = 3

const FIGURES: RunFigures = {
  stats: { errors: 2, 'work.bytes': 123_456, 'work.removed': 17, workItems: 5000 },
  errors: [{ item: 'publisher-17', message: 'it does not answer' }],
  totalErrors: 2,
}

/** Writing the progress of a run over 10,000 items, and taking one of them, against one over ten; in turns, on PostgreSQL. */
export function progress(quick: boolean): Promise<readonly Result[]> {
  return inNewSchema(async (url) => {
    const database = await openDatabase(url)
    const session = await startSession(database, { component: 'bench', processes: new WorkProcesses([]) })
    try {
      const few = await begin(database, session, 'few', FEW)
      const many = await begin(database, session, 'many', MANY)
      const turns = quick ? 100 : 1000
      const writing = await compared((run) => write(session, run), few, many, turns)
      const taking = await compared((run) => take(session, run), few, many, turns)
      return [
        result(`progress of ${MANY} items`, writing.ratio, TARGET, { figures: writing.figures }),
        result(`taking one of ${MANY} items`, taking.ratio, TAKE_TARGET, { figures: taking.figures }),
      ]
    } finally {
      await session.close()
      await database.close()
    }
  })
}

async function compared(
  action: (run: BegunRun) => Promise<unknown>,
  few: BegunRun,
  many: BegunRun,
  turns: number,
): Promise<{ readonly ratio: number; readonly figures: Readonly<Record<string, number>> }> {
  const times = { few: [] as number[], many: [] as number[] }
  for (let turn = -turns / 10; turn < turns; turn++) {
    const first = await milliseconds(() => action(few))
    const second = await milliseconds(() => action(many))
    if (turn < 0) continue
    times.few.push(first)
    times.many.push(second)
  }
  const figures = { [`ms of ${FEW}`]: round(median(times.few)), [`ms of ${MANY}`]: round(median(times.many)) }
  return { ratio: median(times.many) / median(times.few), figures }
}

function write(session: Session, run: BegunRun): Promise<unknown> {
  return session.transact((tx) => writeProgress(tx, run, FIGURES, databaseTime))
}

/** Rolled back: the next one takes the same. */
async function take(session: Session, run: BegunRun): Promise<void> {
  const undo = new Error('undo')
  const taking = session.transact(async (tx) => {
    if ((await takeItem(tx, run, 'active', databaseTime)) === undefined) throw new Error('no item was left')
    throw undo
  })
  await taking.catch((error: unknown) => {
    if (error !== undo) throw error
  })
}

async function begin(database: Database, session: Session, name: string, items: number): Promise<BegunRun> {
  const nothing = async (): Promise<void> => {}
  const schedule = { everyMs: 3_600_000 }
  await new Processes(database).define(checkDefinition({ name, schedule, active: nothing, cleanup: nothing }))
  await database.query(
    `INSERT INTO process_item (process, name, list)
     SELECT $1, 'item-' || n, 'active' FROM generate_series(1, $2::integer) AS n`,
    [name, items],
  )
  const options = {
    jitter: false,
    stallTimeoutMs: 3_600_000,
    catchUpMs: undefined,
    pauseOnFailure: undefined,
    backoff: {},
  }
  const { run } = await session.transact((tx) => look(tx, name, session.id, options, databaseTime))
  if (run === undefined) throw new Error(`no run of ${name} was due`)
  return run
}

async function milliseconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}
