import type { PoolConfig } from 'pg'
import { SystemClock } from '../../base/clock'
import { FlogError } from '../../base/errors'
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
  const config: PoolConfig = {
    connectionString: url,
    max: options.poolSize ?? DATABASE_CONNECTIONS,
    keepAlive: true,
    application_name: 'flog',
  }
  const dialect = await probe(config, where, options.signal)
  const statementTimeoutMs = options.statementTimeoutMs ?? DATABASE_STATEMENT_MS
  const connections = new Connections(config, {
    where,
    clock,
    // It ends statements that take too long by itself: this is for one that does not answer at all.
    answerMs: statementTimeoutMs + DATABASE_GRACE_MS,
    greeting: () => greetingOf(TRAITS[dialect], statementTimeoutMs),
  })
  const listener = TRAITS[dialect].notifies ? new Listener({ config, where, clock, random }) : undefined
  return new PooledDatabase({
    dialect,
    connections,
    clock,
    random,
    transactionTimeoutMs: Math.max(DATABASE_TRANSACTION_MS, statementTimeoutMs),
    isSingle: false,
    listen: async (channel, onNotice) => listener?.listen(channel, onNotice) ?? { close: async () => {} },
    onClose: async () => listener?.close(),
  })
}

/** A URL as it may be shown: neither its password nor its parameters, which may hold one. */
export function withoutSecrets(url: string): string {
  try {
    const { protocol, username, host, pathname } = new URL(url)
    return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
  } catch {
    return url.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/s, '')
  }
}

/** Asks what it is, over a connection of its own. */
async function probe(
  config: PoolConfig,
  where: string,
  signal: AbortSignal | undefined,
): Promise<'postgres' | 'cockroach'> {
  const { Client } = driver()
  const client = new Client({ connectionTimeoutMillis: DATABASE_CONNECT_MS, ...config })
  client.on('error', () => {})
  const giveUp = () => cutOff(client)
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', giveUp, { once: true })
    await client.connect()
    const { rows } = await client.query<{ version: string }>('SELECT version() AS version')
    return dialectOf(rows[0]?.version ?? '', where)
  } catch (cause) {
    if (!signal?.aborted) throw databaseFailure(cause, { where })
    throw new FlogError('FLOG_ABORTED', `opening ${where} was given up`, { cause, details: { where } })
  } finally {
    signal?.removeEventListener('abort', giveUp)
    cutOff(client)
  }
}

function greetingOf({ greeting }: DialectTraits, statementMs: number): string {
  return greeting({ statementMs, idleMs: DATABASE_TRANSACTION_MS })
}
