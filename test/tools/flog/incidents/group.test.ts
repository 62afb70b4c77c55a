import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SampleOptions, samplePlain } from '../../../incident/samples'
import { flog, jsonLines, scratchDirectory } from '../command'

const GOLDEN = join(__dirname, '../golden/classify')
const FIXTURES = join(__dirname, '../../../../fixtures/incident/v1')
const HOUR = 3_600_000_000
const directory = scratchDirectory()
const OPENED_AT = Date.UTC(2026, 10, 21, 20, 31, 5) * 1000
const incidents = scratchDirectory()

function sample(number: number, options: SampleOptions): void {
  const openedAt = OPENED_AT + number * HOUR
  writeFileSync(
    join(incidents, `${number}.incident.flog`),
    samplePlain({ ...options, id: `0123456789abcdef-${number}`, openedAt }),
  )
}

beforeAll(() => {
  for (const number of [1, 2, 3]) sample(number, {})
  copyFileSync(join(FIXTURES, 'error.incident.flog'), join(incidents, 'error.incident.flog'))
  writeFileSync(
    join(directory, 'rules.yaml'),
    '- { category: samples, fingerprint: f }\n- { category: early, any: "seq:0 message:event" }\n',
  )
})

function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name)
  if (process.env['FLOG_UPDATE_FIXTURES'] === '1') writeFileSync(path, text)
  expect(text).toBe(readFileSync(path, 'utf8'))
}

test('a line for each kind: how often, first and last seen, what set off the last one', async () => {
  const { code, stdout, stderr } = await flog(['incidents', incidents, '--group'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expectGolden('groups.txt', stdout)
})

test('with rules also the categories, wherever the directory stands', async () => {
  const rules = join(directory, 'rules.yaml')
  const { code, stdout, stderr } = await flog(['incidents', incidents, '--group', '--rules', rules])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expectGolden('groups-with-categories.txt', stdout)
  expect((await flog(['incidents', '--rules', rules, incidents])).stdout).toBe(stdout)
})

test('the same as JSON', async () => {
  const { stdout } = await flog(['incidents', incidents, '-g', '--json', '-r', join(directory, 'rules.yaml')])
  expectGolden('groups.jsonl', stdout)
  expect(jsonLines(stdout)[0]).toMatchObject({ count: 3, categories: ['early', 'samples'] })
})

test('--since leaves out what is older', async () => {
  const since = new Date((OPENED_AT + 2 * HOUR) / 1000).toISOString()
  const { stdout } = await flog(['incidents', incidents, '-g', '--json', '--since', since])
  expect(jsonLines(stdout)).toEqual([expect.objectContaining({ count: 2 })])
})

test('a broken rule is told, and the others count', async () => {
  const rules = join(directory, 'broken.yaml')
  writeFileSync(rules, '- { category: x }\n- { category: samples, fingerprint: f }\n')
  const { code, stdout, stderr } = await flog(['incidents', incidents, '-g', '-r', rules])
  expect(code).toBe(1)
  expect(stderr).toMatch(/broken\.yaml:1: a rule needs at least one of/)
  expect(stdout).toMatch(/^ {4}3 .* samples /m)
})

test('--follow cannot be had with it', async () => {
  expect(await flog(['incidents', incidents, '-g', '-f'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('leave out --follow'),
  })
})

test('nothing is said of an empty directory, but that it is one', async () => {
  const empty = join(directory, 'empty')
  mkdirSync(empty)
  expect(await flog(['incidents', empty, '--group'])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: `flog: no incidents in ${empty}\n`,
  })
})
