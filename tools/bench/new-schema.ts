import { Client } from 'pg'
import { randomHex, systemRandom } from '../../src/base/random'

/** The PostgreSQL that is measured. */
const URL_OF_POSTGRES = process.env['FLOG_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/test'

/** Runs `run` with the URL of an empty schema, which is dropped afterwards. */
export async function inNewSchema<T>(run: (url: string) => Promise<T>): Promise<T> {
  const schema = `flog_bench_${randomHex(systemRandom, 6)}`
  await onServer(`CREATE SCHEMA ${schema}`)
  try {
    const url = new URL(URL_OF_POSTGRES)
    url.searchParams.set('options', `-c search_path=${schema}`)
    return await run(url.href)
  } finally {
    await onServer(`DROP SCHEMA ${schema} CASCADE`)
  }
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: URL_OF_POSTGRES })
  await client.connect().catch((cause: unknown) => {
    throw new Error(`no PostgreSQL answers at ${new URL(URL_OF_POSTGRES).host}: set FLOG_TEST_POSTGRES`, {
      cause,
    })
  })
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
