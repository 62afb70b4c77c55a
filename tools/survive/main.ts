import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/base/errors'
import { randomHex, systemRandom } from '../../src/base/random'
import { VERSION } from '../../src/base/version'
import { ROWS, type Row } from './rows'
import { cannotRun, type RowResult, runRow } from './suite'

const USAGE = 'npm run survive -- --runs N [--only ROW]… [--seed TEXT] [--json FILE]'

interface Options {
  readonly runs: number
  readonly rows: readonly Row[]
  readonly seed: string
  readonly json: string | undefined
}

/**
 * Starts real programs, really ends them, and counts what is left. Exits 1 where a row falls short, 2 when called wrongly.
 * A row that cannot be run here is said not to have been.
 */
async function main(): Promise<void> {
  const options = parsed()
  if (options === undefined) return
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  say(`seed ${options.seed}, ${options.runs} runs a row`)
  const results: RowResult[] = []
  const notRun: { readonly name: string; readonly why: string }[] = []
  for (const row of options.rows) {
    const why = cannotRun(row)
    if (why !== undefined) {
      notRun.push({ name: row.name, why })
      say(`not run  ${row.name}: ${why}`)
      continue
    }
    const dist = join(__dirname, '../..')
    const result = await runRow(row, { ...options, dist, signal: stop.signal })
    results.push(result)
    say(line(result))
  }
  const { runs, seed } = options
  if (options.json !== undefined) {
    const content = { runs, seed, machine: machine(), rows: results, notRun }
    writeFileSync(options.json, `${JSON.stringify(content, null, 2)}\n`)
  }
  if (results.some(({ pass }) => !pass)) process.exitCode = 1
}

function parsed(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string', default: '20' },
        only: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string' },
        json: { type: 'string' },
      },
    })
    const runs = Number(values.runs)
    if (!Number.isInteger(runs) || runs < 1)
      throw new Error(`--runs takes a whole number from 1, not ${values.runs}`)
    const rows = values.only.length === 0 ? ROWS : values.only.map(rowNamed)
    return { runs, rows, seed: values.seed ?? randomHex(systemRandom, 4), json: values.json }
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}\n`)
    process.exitCode = 2
    return undefined
  }
}

function rowNamed(name: string): Row {
  const row = ROWS.find((one) => one.name === name)
  if (row === undefined)
    throw new Error(`no row ${name}; there are:\n  ${ROWS.map((one) => one.name).join('\n  ')}`)
  return row
}

function line(row: RowResult): string {
  const { name, runs, found, expected, preLost, postLost, lossMsMax, why } = row
  const recovery =
    row.recoverMsMedian === undefined
      ? ''
      : `, recovered in ${row.recoverMsMedian} ms (max ${row.recoverMsMax})`
  const counts = `${runs} runs, ${found} of ${expected} incidents, lost before ${preLost}, after ${postLost}`
  const verdict = row.pass ? 'ok     ' : 'SHORT  '
  return `${verdict}  ${name}: ${counts}, oldest loss ${lossMsMax} ms${recovery}${why === undefined ? '' : `\n         ${why}`}`
}

function machine(): object {
  const [first] = cpus()
  return { cpu: first?.model ?? 'unknown', cores: cpus().length, node: process.version, flog: VERSION }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
})
