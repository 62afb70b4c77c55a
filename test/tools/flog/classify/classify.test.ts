import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { parseRules } from '../../../../src/query/rules/rules'
import { classify } from '../../../../tools/flog/verbs/classify'
import { samplePlain } from '../../../incident/samples'
import { flog, jsonLines, scratchDirectory } from '../command'

const FIXTURES = join(__dirname, '../../../../fixtures/incident/v1')
const GOLDEN = join(__dirname, '../golden/classify')
const directory = scratchDirectory()
const run = (args: readonly string[]) => flog(args, { cwd: directory })

const RULES = `# Kinds of trouble of the shop.
rules:
  - category: checkout
    trigger: facility:shop.checkout
  - categories: [payment, outside]
    any: error:PaymentError
  - category: steps
    sequence:
      - severity:trace
      - { event: 'is:trigger facility:shop.checkout', within: 1m }
`

beforeAll(() => {
  mkdirSync(join(directory, 'incidents'))
  for (const name of [
    'error.incident.flog',
    'further-triggers.incident.flog',
    'values.incident.flog',
    'whole.incident.flog',
    'whole.incident.flog.gz',
  ])
    copyFileSync(join(FIXTURES, name), join(directory, 'incidents', name))
  writeFileSync(join(directory, 'incidents', 'sample.incident.flog'), samplePlain())
  writeFileSync(join(directory, 'rules.yaml'), RULES)
})

function write(name: string, text: string): string {
  writeFileSync(join(directory, name), text)
  return name
}

function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name)
  if (process.env['FLOG_UPDATE_FIXTURES'] === '1') writeFileSync(path, text)
  expect(text).toBe(readFileSync(path, 'utf8'))
}

test('a line for each incident, then rules for what nobody knew', async () => {
  const { code, stdout, stderr } = await run(['classify', 'incidents', '--rules', 'rules.yaml'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expectGolden('some-known.txt', stdout)
})

test('without rules all are unknown, and what is printed is a file of rules that knows them', async () => {
  const { code, stdout } = await run(['classify', 'incidents'])
  expect(code).toBe(0)
  expectGolden('none-known.txt', stdout)
  write('made.yaml', stdout.slice(stdout.indexOf('\n\n')))
  const again = await run(['classify', 'incidents', '--rules', 'made.yaml'])
  expect(again).toMatchObject({ code: 0, stderr: '' })
  expect(again.stdout.split('\n').filter(Boolean)).toEqual(
    ['error', 'further-triggers', 'sample', 'values', 'whole'].map((name) =>
      expect.stringMatching(`^incidents/${name}\\.incident\\.flog(\\.gz)?: name-me$`),
    ),
  )
})

test('the same as JSON', async () => {
  const { code, stdout } = await run(['classify', 'incidents', '--json', '-r', 'rules.yaml'])
  expect(code).toBe(0)
  expectGolden('some-known.jsonl', stdout)
  expect(jsonLines(stdout).at(-1)).toHaveProperty('unknown.rule')
})

test('asked again it says the same, and nothing was written', async () => {
  const first = await run(['classify', 'incidents', '--rules', 'rules.yaml'])
  expect(await run(['classify', 'incidents', '--rules', 'rules.yaml'])).toEqual(first)
})

test('what stands behind the rules and is none is classified', async () => {
  const before = await run(['classify', 'incidents', '--rules', 'rules.yaml'])
  expect(await run(['classify', '--rules', 'rules.yaml', 'incidents'])).toEqual(before)
})

test('modules are asked, of either kind', async () => {
  write('old.cjs', `module.exports = ({ header, events }) => [header.service, 'n' + events.length]`)
  write('new.mjs', `export default (recording) => recording.trailer === undefined ? 'torn' : null`)
  const whole = 'incidents/whole.incident.flog.gz'
  const { code, stdout, stderr } = await run(['classify', whole, '-r', 'old.cjs', 'new.mjs'])
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${whole}: n11,shop\n`, stderr: '' })
})

const known = memo(async () => (await run(['classify', 'incidents', '-r', 'rules.yaml'])).stdout)

describe('a broken classifier is told once, with file and line, and the others go on', () => {
  test.each<[string, string, RegExp]>([
    ['bad.yaml', 'rules:\n  - category: a\n   trigger: x\n', /^flog: bad\.yaml:3: .*; it is left out\n$/],
    ['twice.yaml', '- category: a\n  any: x\n  any: y\n', /^flog: twice\.yaml:3: Map keys must be unique/],
    ['bomb.yaml', bomb(), /^flog: bomb\.yaml:1: Excessive alias count/],
    ['typo.yaml', '- category: a\n  tigger: x\n', /^flog: typo\.yaml:2: a rule has no tigger/],
    [
      'filter.yaml',
      'rules:\n- category: a\n  any:\n  - x\n  - severity>=\n',
      /^flog: filter\.yaml:5: .*character 11/,
    ],
    ['regex.yaml', '- category: a\n  fields:\n    code: /(/\n', /^flog: regex\.yaml:3: .*regular expression/],
    ['list.yaml', 'category: a\ntrigger: x\n', /^flog: list\.yaml:1: a file of rules is a list/],
    ['syntax.cjs', 'module.exports = () => {\n  return ((\n}\n', /^flog: syntax\.cjs:3: Unexpected token/],
    ['loading.cjs', '\nthrow new Error("no")\n', /^flog: loading\.cjs:2: no; it is left out\n$/],
    ['wrong.cjs', 'module.exports = 7\n', /^flog: wrong\.cjs: .*exports a function/],
    ['throws.mjs', '\nexport default (r) =>\n  r.no.where\n', /^flog: throws\.mjs:3: it threw: .*undefined/],
    ['answer.cjs', 'module.exports = () => 7\n', /^flog: answer\.cjs: a category is a text/],
    ['later.mjs', 'await 1\nexport default () => 1\n', /^flog: later\.mjs: .*no await outside of functions/],
    [
      '\u001b[2J.cjs',
      'throw new Error("\\u001b[31m")',
      /^flog: \\x1b\[2J\.cjs:1: \\x1b\[31m; it is left out\n$/,
    ],
  ])('%j', async (name, text, told) => {
    write(name, text)
    const { code, stdout, stderr } = await run(['classify', 'incidents', '-r', name, 'rules.yaml'])
    expect(stderr).toMatch(told)
    expect(stderr.split('\n')).toHaveLength(2)
    expect(stdout).toBe(await known())
    expect(code).toBe(1)
  })

  test.each(['nowhere.yaml', 'nowhere.js'])('a file that is not there: %s', async (name) => {
    const { code, stderr } = await run(['classify', 'incidents', '-r', name])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `flog: ${name}: there is no such file; it is left out\n`,
    })
  })

  test('none by its name: nothing is classified without the rules that were meant', async () => {
    const { code, stdout, stderr } = await run(['classify', 'incidents', '-r', write('rules.txt', RULES)])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^flog: --rules rules\.txt: that is no file of rules\n {2}the names .*\.yaml/)
  })
})

test('a file that is damaged is classified as far as it goes; one that is none keeps no other from its turn', async () => {
  const files = ['damaged-block.incident.flog', 'foreign-text.incident.flog', 'whole.incident.flog.gz']
  const { code, stdout, stderr } = await flog(['classify', ...files, '-r', join(directory, 'rules.yaml')], {
    cwd: FIXTURES,
  })
  expect(code).toBe(1)
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    'damaged-block.incident.flog: checkout,steps',
    'whole.incident.flog.gz: checkout,steps',
  ])
  expect(stderr).toMatch(/damaged-block.incident.flog: corrupt: 7 events could be read, 4 are lost\n/)
  expect(stderr).toMatch(/foreign-text.incident.flog: not an incident file/)
})

test('nothing to classify is a mistake; an empty directory is not', async () => {
  expect(await run(['classify', '--rules', 'rules.yaml'])).toMatchObject({ code: 2, stdout: '' })
  mkdirSync(join(directory, 'empty'))
  expect(await run(['classify', 'empty'])).toEqual({
    code: 0,
    signal: null,
    stdout: '',
    stderr: 'flog: no incidents in empty\n',
  })
})

test('the rules in the help can be used', () => {
  const [, text = ''] = /so:\n([\s\S]*?)\nEach/.exec(classify.notes ?? '') ?? []
  const { classifiers, problems } = parseRules(parse(text), String)
  expect({ problems, rules: classifiers.length }).toEqual({ problems: [], rules: 1 })
})

function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Nine aliases of nine aliases of nine … */
function bomb(): string {
  const lines = Array.from(
    { length: 9 },
    (_, n) => `- &x${n} [${Array(9).fill(n === 0 ? 'a' : `*x${n - 1}`)}]`,
  )
  return `${lines.join('\n')}\n`
}
