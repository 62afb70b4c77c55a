import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { SystemClock } from '../../../base/clock'
import { type DirectoryLock, lockDirectory } from '../../../base/directory-lock'
import { FlogError, messageOf } from '../../../base/errors'
import { EMBEDDED_STATEMENT_MS, EMBEDDED_TRANSACTION_MS } from '../../../base/limits'
import { systemRandom } from '../../../base/random'
import { Channels, listenTo, type Notice, stopListening } from '../channels'
import { Connections } from '../connections'
import type { Database, Listening, OpenOptions } from '../database'
import { TRAITS } from '../dialect'
import { requireEmbedded } from '../driver'
import { PooledDatabase } from '../pooled'
import { Backend } from './backend'

/** The PostgreSQL that PGlite 0.5 is. Its directories are of no use to another one. */
export const EMBEDDED_MAJOR = 18

const MEMORY = 'memory:'

/** The embedded database has no lock of its own. */
const LOCK = {
  what: 'the data directory',
  advice: 'use another directory; several collectors need a PostgreSQL',
  lockedCode: 'FLOG_DATABASE_LOCKED',
  failedCode: 'FLOG_DATABASE_FAILED',
} as const

/**
 * Opens the embedded database, without migrating it.
 * @param where a directory, made where there is none; or `memory:`
 * @throws FlogError FLOG_DATABASE_LOCKED, FLOG_DATABASE_VERSION, FLOG_DATABASE_FAILED where PGlite or pg is not installed
 */
export async function openEmbedded(where: string, options: OpenOptions = {}): Promise<Database> {
  requireEmbedded()
  if (options.signal?.aborted) {
    const { reason: cause } = options.signal
    throw new FlogError('FLOG_ABORTED', `opening ${where} was given up`, { cause, details: { where } })
  }
  const { random = systemRandom } = options
  const directory = where === MEMORY ? undefined : placeOf(where)
  if (directory !== undefined) refuseMount(directory)
  const lock = directory === undefined ? undefined : await lockDirectory(directory, { random, ...LOCK })
  try {
    if (directory !== undefined) checkDirectory(directory)
    return await start(directory, lock, directory ?? 'in memory', options)
  } catch (error) {
    lock?.release()
    throw error
  }
}

async function start(
  directory: string | undefined,
  lock: DirectoryLock | undefined,
  where: string,
  options: OpenOptions,
): Promise<Database> {
  const { clock = new SystemClock(), random = systemRandom } = options
  const backend = new Backend({ directory, where, clock })
  const channels = new Channels()
  const statementTimeoutMs = options.statementTimeoutMs ?? EMBEDDED_STATEMENT_MS
  const connections = new Connections(
    // One that is idle is kept, and the first one waits until the database is made.
    {
      stream: () => backend.stream(),
      max: 1,
      idleTimeoutMillis: 0,
      user: 'postgres',
    },
    {
      where,
      clock,
      connectMs: 0,
      answerMs: statementTimeoutMs,
      greeting: () =>
        [TRAITS.pglite.greeting({ statementMs: 0, idleMs: 0 }), ...channels.names().map(listenTo)].join('; '),
      onNotification: (channel, payload) => channels.tell(channel, payload ?? ''),
      onReconnected: () => channels.tellAll(),
    },
  )
  const database: Database = new PooledDatabase({
    dialect: 'pglite',
    connections,
    clock,
    random,
    transactionTimeoutMs: Math.max(EMBEDDED_TRANSACTION_MS, statementTimeoutMs),
    isSingle: true,
    listen: (channel, onNotice) => listen(database, channels, channel, onNotice),
    onClosed: async () => {
      await backend.close()
      lock?.release()
    },
  })
  try {
    await database.query('SELECT 1')
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

async function listen(
  database: Database,
  channels: Channels,
  channel: string,
  onNotice: Notice,
): Promise<Listening> {
  const isFirst = channels.add(channel, onNotice)
  try {
    if (isFirst) await database.query(listenTo(channel))
  } catch (error) {
    channels.remove(channel, onNotice)
    throw error
  }
  // Where it fails the session is gone or will be, and the next one does not listen to it.
  const stop = () => database.query(stopListening(channel)).catch(() => {})
  return {
    close: async () => {
      if (channels.remove(channel, onNotice)) await stop()
    },
  }
}

/** One name for one directory, whichever way it is named, so that it has one lock. */
function placeOf(where: string): string {
  const path = resolve(where)
  try {
    if (existsSync(path)) return realpathSync(path)
    mkdirSync(dirname(path), { recursive: true })
    return join(realpathSync(dirname(path)), basename(path))
  } catch (cause) {
    throw new FlogError(
      'FLOG_DATABASE_FAILED',
      `the data directory ${where} cannot be made: ${messageOf(cause)}`,
      {
        cause,
        details: { directory: where },
      },
    )
  }
}

/**
 * The lock lies beside the directory. Where that is the root of a file system, as a volume of a container is, whoever has it
 * mounted elsewhere would not see the lock.
 */
function refuseMount(directory: string): void {
  if (!isMount(directory)) return
  throw new FlogError(
    'FLOG_DATABASE_FAILED',
    `${directory} is a file system of its own: use a directory inside of it, so that its lock is in it too`,
    { details: { directory } },
  )
}

function isMount(directory: string): boolean {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    const plain = (path = '') =>
      path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)))
    return mounts.some((mount) => plain(mount.split(' ')[4]) === directory)
  } catch {
    // Elsewhere than on Linux. One that is not there yet is none.
    return existsSync(directory) && statSync(directory).dev !== statSync(dirname(directory)).dev
  }
}

/** Before it is opened: what PGlite says of a directory that it cannot use is of no help. */
function checkDirectory(directory: string): void {
  if (!existsSync(directory)) return
  const version = join(directory, 'PG_VERSION')
  if (!existsSync(version)) {
    if (readdirSync(directory).length === 0) return
    throw new FlogError(
      'FLOG_DATABASE_FAILED',
      `${directory} has files in it that are no database: use an empty directory, or one that is not there yet`,
      { details: { directory } },
    )
  }
  const major = readFileSync(version, 'utf8').trim()
  if (major === String(EMBEDDED_MAJOR)) return
  throw new FlogError(
    'FLOG_DATABASE_VERSION',
    `${directory} was made by PostgreSQL ${major}, and the embedded database is PostgreSQL ${EMBEDDED_MAJOR}: ` +
      'move it away, and a new one is made',
    { details: { directory, major, expected: EMBEDDED_MAJOR } },
  )
}
