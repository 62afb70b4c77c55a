import type { ClientConfig } from 'pg'
import { SystemClock } from '../../base/clock'
import { FlogError, messageOf, systemCode } from '../../base/errors'
import {
  DATABASE_CONNECT_MS,
  DATABASE_CONNECTIONS,
  DATABASE_GRACE_MS,
  DATABASE_STATEMENT_MS,
  DATABASE_TRANSACTION_MS,
} from '../../base/limits'
import { systemRandom } from '../../base/random'
import { Connections } from './connections'
import type { Database, OpenOptions } from './database'
import { type DialectTraits, dialectOf, TRAITS } from './dialect'
import { cutOff, driver } from './driver'
import { databaseFailure } from './failures'
import { Listener } from './listener'
import { PooledDatabase } from './pooled'

/**
 * Opens a PostgreSQL, or a CockroachDB, by its URL, without migrating it.
 * @throws FlogError FLOG_DATABASE_UNREACHABLE, FLOG_DATABASE_FAILED for a wrong password or name, FLOG_DATABASE_VERSION,
 *   FLOG_ABORTED
 */
export async function openPostgres(url: string, options: OpenOptions = {}): Promise<Database> {
  const { clock = new SystemClock(), random = systemRandom } = options
  const where = withoutSecrets(url)
  const connectMs = options.connectTimeoutMs ?? DATABASE_CONNECT_MS
  const config = {
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    application_name: 'flog',
  }
  const dialect = await probe(config, where, options.signal)
  const statementTimeoutMs = options.statementTimeoutMs ?? DATABASE_STATEMENT_MS
  const max = sizeOf(TRAITS[dialect], options)
  const settings = {
    where,
    clock,
    connectMs,
    // It ends statements that take too long by itself: this is for one that does not answer at all.
    answerMs: statementTimeoutMs + DATABASE_GRACE_MS,
    greeting: () => greetingOf(TRAITS[dialect], statementTimeoutMs),
  }
  const listener = TRAITS[dialect].notifies
    ? new Listener({ config, where, clock, random, connectMs })
    : undefined
  return new PooledDatabase({
    dialect,
    connections: new Connections({ ...config, max }, settings),
    urgent: new Connections({ ...config, max: 1 }, settings),
    clock,
    random,
    transactionTimeoutMs: Math.max(DATABASE_TRANSACTION_MS, statementTimeoutMs),
    isSingle: max === 1,
    listen: async (channel, onNotice) => listener?.listen(channel, onNotice) ?? { close: async () => {} },
    onClose: async () => listener?.close(),
  })
}

/** A URL as it may be shown: without its password and its parameters, which may hold one; the path of a socket is kept. */
export function withoutSecrets(url: string): string {
  const shown = URL.canParse(url) ? new URL(url) : undefined
  // A password with a `/`, `?` or `#` in it looks like a host and what follows it.
  const isTorn =
    shown === undefined || /@/.test(shown.pathname) || /@/.test(shown.hash) || /^\?[^=]*@/.test(shown.search)
  if (isTorn) return url.replace(/\/\/.*@/s, '//').replace(/[?#].*$/s, '')
  const { protocol, username, host, pathname, searchParams } = shown
  const socket = searchParams.get('host')
  const where = host === '' && socket !== null ? `?host=${socket}` : ''
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}${where}`
}

/** @throws FlogError FLOG_OPTION_INVALID for a URL that cannot be read, or names a file that cannot */
function newClient(config: ClientConfig, where: string): import('pg').Client {
  const { Client } = driver()
  try {
    return new Client(config)
  } catch (error) {
    // Not as its cause: that may show all of the URL.
    const why =
      systemCode(error) === 'ERR_INVALID_URL'
        ? 'it is no URL; in a name or a password, write # as %23, % as %25, / as %2F, : as %3A, ? as %3F and @ as %40'
        : messageOf(error)
    throw new FlogError('FLOG_OPTION_INVALID', `the URL of the database ${where} cannot be used: ${why}`, {
      details: { option: 'database', where },
    })
  }
}

const WHAT_IS_IT = `SELECT version() AS version, current_setting('server_encoding') AS encoding`

/** What programs say has letters of all languages in it, and pictures. */
function checkEncoding(encoding: string, where: string): void {
  if (/^utf-?8$/i.test(encoding)) return
  throw new FlogError(
    'FLOG_DATABASE_FAILED',
    `the database ${where} has the encoding ${encoding}, which cannot hold all text: make one with UTF8`,
    { details: { where, encoding } },
  )
}

/** Asks what it is, over a connection of its own. */
async function probe(
  config: ClientConfig,
  where: string,
  signal: AbortSignal | undefined,
): Promise<'postgres' | 'cockroach'> {
  const client = newClient(config, where)
  client.on('error', () => {})
  const giveUp = () => cutOff(client)
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', giveUp, { once: true })
    await client.connect()
    const { rows } = await client.query<{ version: string; encoding: string }>(WHAT_IS_IT)
    checkEncoding(rows[0]?.encoding ?? '', where)
    return dialectOf(rows[0]?.version ?? '', where)
  } catch (cause) {
    if (!signal?.aborted) throw databaseFailure(cause, { where })
    throw new FlogError('FLOG_ABORTED', `opening ${where} was given up`, { cause, details: { where } })
  } finally {
    signal?.removeEventListener('abort', giveUp)
    cutOff(client)
  }
}

/** Where a row is the lock of migrations, its connection is not the one that migrates. */
function sizeOf({ migratesAtOnce }: DialectTraits, { poolSize = DATABASE_CONNECTIONS }: OpenOptions): number {
  return migratesAtOnce ? poolSize : Math.max(poolSize, 2)
}

function greetingOf({ greeting }: DialectTraits, statementMs: number): string {
  return greeting({ statementMs, idleMs: DATABASE_TRANSACTION_MS })
}
