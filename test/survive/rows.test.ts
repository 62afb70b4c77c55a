import { join } from 'node:path'
import { ROWS, type Row } from '../../tools/survive/rows'
import { cannotRun, runRow } from '../../tools/survive/suite'

/** One of the runs that `npm run survive` makes by the hundred. */
const RUNS = 1

const dist = join(__dirname, '../../dist')

function rowsThat(canRun: boolean): [string, Row][] {
  return ROWS.filter((row) => (cannotRun(row) === undefined) === canRun).map((row) => [row.name, row])
}

test.each(rowsThat(true))('%s leaves what it should, and loses nothing that it may not', async (_, row) => {
  const signal = new AbortController().signal
  const result = await runRow(row, { dist, runs: RUNS, seed: 'a few', signal })
  expect(result).toMatchObject({ pass: true, found: row.leaves === undefined ? 0 : RUNS })
  expect(result.why).toBeUndefined()
})

const others = rowsThat(false)
if (others.length > 0) test.skip.each(others)('%s cannot be run here', () => {})

test('rows have names of their own', () => {
  const names = ROWS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
