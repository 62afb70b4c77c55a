import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../../src/collector/store/database'
import { MIGRATIONS } from '../../../src/collector/store/migrations'

/** What it is made of: with another schema, or another PGlite, another one is made. */
const KEY = createHash('sha256')
  .update(JSON.stringify([MIGRATIONS, pgliteVersion()]))
  .digest('hex')
  .slice(0, 16)

const TEMPLATE = join(tmpdir(), `flog-pglite-${KEY}`)

/**
 * A data directory of PGlite with the collector's schema, in a temporary directory that the caller removes. Making one takes
 * seconds of both cores: it is made once, kept from run to run, and copied.
 */
export async function embeddedCopy(): Promise<string> {
  if (!existsSync(TEMPLATE)) await makeTemplate()
  const place = join(mkdtempSync(join(tmpdir(), 'flog-pglite-copy-')), 'db')
  cpSync(TEMPLATE, place, { recursive: true })
  return place
}

/** Of several that make one at once, the first to be ready wins. */
async function makeTemplate(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'flog-pglite-making-'))
  const database = await openDatabase(join(work, 'db'), { statementTimeoutMs: 60_000 })
  await database.close()
  try {
    renameSync(join(work, 'db'), TEMPLATE)
  } catch (error) {
    if (!existsSync(TEMPLATE)) throw error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function pgliteVersion(): string | undefined {
  const { devDependencies } = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>
  }
  return devDependencies['@electric-sql/pglite']
}
