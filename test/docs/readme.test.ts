import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes } from '../../src/base/bytes'
import { ERROR_CODES } from '../../src/base/errors'
import * as limits from '../../src/base/limits'
import { DEFAULT_REDACTED_NAMES } from '../../src/base/secret-names'
import { allVerbs } from '../../tools/flog/verbs'
import { type CodeBlock, codeBlocks, tableRows } from './support/markdown'
import { UserProject } from './support/project'

const ROOT = join(__dirname, '../..')
const page = read('README.md')
const blocks = codeBlocks(page)

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

describe('every block of code runs, in the order of the page', () => {
  const project = new UserProject()
  afterAll(() => project.remove())

  const programs = blocks.filter(({ language }) => language === 'ts')
  const scriptOf = (block: CodeBlock) => `line-${block.line}.js`

  beforeAll(async () => {
    for (const block of programs) project.write(`line-${block.line}.ts`, block.code)
    await project.compile()
  })

  test('there is nothing but programs and commands', () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['ts', 'sh']))
  })

  const installing = blocks.filter(({ code }) => code.startsWith('npm install && '))
  test.each(blocks.filter((block) => !installing.includes(block)))('line $line', async (block) => {
    if (block.language === 'sh') expect(await project.sh(block.code)).not.toBe('')
    else if (block.code.includes('.listen(')) expect(await project.startService(scriptOf(block))).not.toBe('')
    else await project.node(scriptOf(block))
  })

  test('the two that begin with an installation are those of a checkout', () => {
    expect(installing.map(({ code }) => code)).toEqual([
      'npm install && npx flog demo\n',
      'npm install && npm test\n',
    ])
    const ci = read('.ci/run')
    expect(ci).toMatch(/npm install\b/)
    expect(ci).toMatch(/npm test\b/)
  })

  test('the demo ends by itself where nobody watches, and leaves an incident', async () => {
    expect(await project.npx('flog', 'demo', '--directory', 'demo')).toMatch(/npx flog dump \S+\/demo\//)
    expect(readdirSync(project.path('demo')).join('\n')).toMatch(/\.incident\.flog\.gz$/m)
  })
})

describe('the tables say what the code does', () => {
  test('options: all of them, and no other', () => {
    const names = tableRows(page, 'option').map(([name = '']) => name.split('.')[0])
    expect(new Set(names)).toEqual(new Set(optionNames('src/recorder/options.ts', 'RecorderOptions')))
    const named = (option: string) =>
      tableRows(page, 'option').flatMap(([name = '']) =>
        name.startsWith(`${option}.`) ? [name.slice(option.length + 1)] : [],
      )
    expect(named('limits')).toEqual(optionNames('src/incident/limits.ts', 'LimitOptions'))
    expect(named('reporter')).toEqual(optionNames('src/incident/reporter.ts', 'ReporterOptions'))
  })

  test('options: the defaults', () => {
    const defaults = Object.fromEntries(tableRows(page, 'option').map(([name, value]) => [name, value]))
    const size = (bytes: number) => formatBytes(bytes).replace('.0', '')
    const whole = (value: number) => value.toLocaleString('en-US')
    const { trace, debug, info, warn, error, fatal } = limits.RING_BYTES
    expect([trace, debug, error]).toEqual([info, info, fatal])
    expect(defaults).toMatchObject({
      rings: `trace, debug, info ${size(info)} each; warn ${size(warn)}; error, fatal ${size(error)} each`,
      'reporter.postTrigger': `${limits.POST_TRIGGER_EVENTS} events or ${limits.POST_TRIGGER_MS} ms`,
      'reporter.cap': `${whole(limits.POST_TRIGGER_MAX_EVENTS)} events or ${whole(limits.POST_TRIGGER_MAX_MS)} ms`,
      'limits.perHour': `${limits.INCIDENTS_PER_HOUR}`,
      'limits.perFingerprintPerHour': `${limits.INCIDENTS_PER_FINGERPRINT_PER_HOUR}`,
      'limits.coolDownMs': `${limits.INCIDENT_COOL_DOWN_MS}`,
      'retention.maxBytes': size(limits.DIRECTORY_MAX_BYTES),
      'retention.maxIncidents': `${limits.DIRECTORY_MAX_INCIDENTS}`,
      eventBytes: size(limits.EVENT_BYTES),
    })
  })

  test('names that are redacted', () => {
    const [, list = ''] =
      /`\[redacted\]`\s+before\s+the\s+event\s+is\s+recorded:\n\n((?:`\w+`[,\s]*)+)/.exec(page) ?? []
    expect([...list.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual([...DEFAULT_REDACTED_NAMES])
  })

  test('error codes', () => {
    expect(tableRows(page, 'code')).toEqual(Object.entries(ERROR_CODES))
  })

  test('commands', () => {
    const named = tableRows(page, 'command').map(([command = '']) => command.split(' ')[1])
    expect(named.sort()).toEqual(
      allVerbs()
        .map(({ name }) => name)
        .sort(),
    )
  })
})

test('every link leads to a file, or to a heading of the page', () => {
  const targets = [...page.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target = '']) => target)
  for (const target of targets) {
    if (target.startsWith('#')) expect(page).toMatch(new RegExp(`^#+ ${target.slice(1)}$`, 'im'))
    else expect(() => read(target)).not.toThrow()
  }
})

/** Names of the properties of an interface, in order. */
function optionNames(path: string, name: string): readonly string[] {
  const [, body = ''] = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(read(path)) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, option = '']) => option)
}
