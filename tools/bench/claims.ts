import { Client } from 'pg'
import { messageOf } from '../../src/base/errors'
import { randomHex, systemRandom } from '../../src/base/random'
import { Processes } from '../../src/collector/lease/processes'
import { type Session, startSession } from '../../src/collector/lease/session'
import { type Database, openDatabase } from '../../src/collector/store/database'
import { median, type Result, result, round } from './measure'

const POSTGRES = process.env['FLOG_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/test'
const CLIENTS = 8
const SUBJECTS = 5000
const PUBLISHERS = { kind: 'publisher' }
const PROCESSES = new Processes([{ name: 'poll' }])
/** The shortest that is advised, so that there are many heartbeats in one run. */
const INTERVAL_MS = 5000
/** Claims of either kind in one turn. */
const TURN_CLAIMS = 200

/** Work taken by eight clients at once, on the PostgreSQL at FLOG_TEST_POSTGRES; without one there is nothing to measure. */
export async function claims(quick: boolean): Promise<readonly Result[]> {
  const schema = `flog_bench_${randomHex(systemRandom, 6)}`
  const server = new Client({ connectionString: POSTGRES })
  try {
    await server.connect()
  } catch (error) {
    process.stderr.write(`claims: nothing answers at ${POSTGRES}: ${messageOf(error)}\n`)
    return []
  }
  await server.query(`CREATE SCHEMA ${schema}`)
  try {
    const url = new URL(POSTGRES)
    url.searchParams.set('options', `-c search_path=${schema}`)
    return await measured(url.href, quick)
  } finally {
    await server.query(`DROP SCHEMA ${schema} CASCADE`)
    await server.end()
  }
}

async function measured(url: string, quick: boolean): Promise<readonly Result[]> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => openDatabase(url, { poolSize: 2 })))
  try {
    const [first] = clients as [Database]
    await first.query(
      `INSERT INTO subject (kind, key) SELECT 'publisher', 'p' || i FROM generate_series(1, ${SUBJECTS}) AS i`,
    )
    const beats: number[][] = []
    const sessions = await Promise.all(clients.map((client) => started(client, beats)))
    const turns = await inTurns(clients, sessions, quick ? 3 : 7)
    const ours = await takeAllOver(first, sessions, quick ? 1 : 4)
    await Promise.all(sessions.map((session) => session.close()))
    return results(turns, ours, beats)
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

function results(
  turns: readonly Turn[],
  ours: Ours,
  beats: readonly (readonly number[])[],
): readonly Result[] {
  const gaps = beats.flatMap((at) => at.slice(1).map((time, i) => time - (at[i] as number)))
  const longest = Math.max(...gaps)
  const figures = {
    'plain SERIALIZABLE claims/s': round(median(turns.map(({ plain }) => plain))),
    'claims/s': round(median(turns.map(({ ours }) => ours))),
    'claims/s until all are held': round(ours.claims / ours.seconds),
    turns: turns.length,
    clients: CLIENTS,
    subjects: SUBJECTS,
  }
  const heartbeats = { 'longest ms': round(longest), 'interval ms': INTERVAL_MS, heartbeats: gaps.length }
  return [
    result('claims: plain SERIALIZABLE / ours', median(turns.map(({ plain, ours }) => plain / ours)), 1 / 3, {
      figures,
    }),
    result('claims: subjects taken twice', ours.duplicates, 0, {
      unit: 'of all',
      figures: { claims: ours.claims },
    }),
    result('claims: longest time between heartbeats / half the interval', longest / (INTERVAL_MS / 2), 1, {
      figures: heartbeats,
    }),
  ]
}

interface Turn {
  readonly plain: number
  readonly ours: number
}

/** Either kind in turns, so that a machine that grows slower slows both. @returns claims a second */
async function inTurns(
  clients: readonly Database[],
  sessions: readonly Session[],
  turns: number,
): Promise<readonly Turn[]> {
  const all: Turn[] = []
  for (let turn = 0; turn < turns; turn++) {
    const plain = await plainClaims(clients, TURN_CLAIMS)
    await release(clients[0] as Database)
    const ours = await ourClaims(sessions, TURN_CLAIMS)
    await release(clients[0] as Database)
    all.push({ plain, ours })
  }
  return all
}

async function ourClaims(sessions: readonly Session[], count: number): Promise<number> {
  let taken = 0
  const from = performance.now()
  await Promise.all(
    sessions.map(async (session) => {
      for (; taken < count; taken++) await session.work('poll', PUBLISHERS)
    }),
  )
  return taken / ((performance.now() - from) / 1000)
}

const PICK = `
SELECT s.subject_id AS id FROM subject s
 WHERE s.kind = 'publisher' AND NOT EXISTS (SELECT 1 FROM work w WHERE w.subject_id = s.subject_id AND w.process = 'poll')
 ORDER BY s.priority DESC, s.turn, s.subject_id LIMIT 1`
const TAKE = `INSERT INTO work (subject_id, process, session_id, fence, attempt) VALUES ($1, 'poll', $2, 1, 1)`
const NOTE = `INSERT INTO work_history (subject_id, process, session_id, event) VALUES ($1, 'poll', $2, 'started')`

/** What one would write first: look, then take, in a serializable transaction. @returns claims a second */
async function plainClaims(clients: readonly Database[], count: number): Promise<number> {
  let taken = 0
  const options = { component: 'plain', intervalMs: 60_000, processes: PROCESSES }
  const open = await Promise.all(clients.map((database) => startSession(database, options)))
  const client = async (database: Database, index: number): Promise<void> => {
    const session = open[index] as Session
    const claim = () =>
      database.transaction(
        async (tx) => {
          const { rows } = await tx.query<{ id: string }>(PICK)
          const id = rows[0]?.id as string
          await tx.query(TAKE, [id, session.id])
          await tx.query(NOTE, [id, session.id])
        },
        { isolation: 'serializable', retries: 1000 },
      )
    // A conflict of keys is what READ COMMITTED would show; here it is one more try.
    for (; taken < count; taken++)
      while (
        !(await claim().then(
          () => true,
          () => false,
        ))
      );
  }
  const from = performance.now()
  await Promise.all(clients.map(client))
  const seconds = (performance.now() - from) / 1000
  await Promise.all(open.map((session) => session.close()))
  return taken / seconds
}

interface Ours {
  readonly claims: number
  readonly seconds: number
  readonly duplicates: number
}

/** All subjects, so many times over, each time by all clients until there is nothing left. */
async function takeAllOver(database: Database, sessions: readonly Session[], rounds: number): Promise<Ours> {
  let claims = 0
  let duplicates = 0
  let ms = 0
  for (let i = 0; i < rounds; i++) {
    const taken: string[] = []
    const from = performance.now()
    await Promise.all(sessions.map((session) => takeAll(session, taken)))
    ms += performance.now() - from
    claims += taken.length
    duplicates += taken.length - new Set(taken).size
    if (taken.length !== SUBJECTS) throw new Error(`${taken.length} of ${SUBJECTS} subjects were taken`)
    await release(database)
  }
  return { claims, seconds: ms / 1000, duplicates }
}

async function takeAll(session: Session, taken: string[]): Promise<void> {
  for (;;) {
    const work = await session.work('poll', PUBLISHERS)
    if (work === undefined) return
    taken.push(work.subject)
  }
}

/** A session whose heartbeats are noted when they are answered. */
async function started(database: Database, beats: number[][]): Promise<Session> {
  const at = [performance.now()]
  beats.push(at)
  const noting: Database = {
    dialect: database.dialect,
    where: database.where,
    transaction: (run, options) => database.transaction(run, options),
    listen: (channel, onNotice) => database.listen(channel, onNotice),
    close: () => database.close(),
    query: (text, params) => database.query(text, params),
    urgent: {
      query: async (text, params) => {
        const rows = await database.urgent.query<never>(text, params)
        if (/UPDATE session\s+SET deadline/.test(text)) at.push(performance.now())
        return rows
      },
    },
  }
  return startSession(noting, { component: 'bench', intervalMs: INTERVAL_MS, processes: PROCESSES })
}

async function release(database: Database): Promise<void> {
  await database.query('DELETE FROM work')
}
