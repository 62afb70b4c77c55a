import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { layers } from '../../../tools/check/layers'

const CHECKOUT = join(__dirname, '../../..')
const roots: string[] = []
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true })
})

/** A checkout with these files and our rule. */
function checkout(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'flog-layers-'))
  roots.push(root)
  symlinkSync(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'))
  for (const name of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json', 'tsconfig.test.json']) {
    copyFileSync(join(CHECKOUT, name), join(root, name))
  }
  const some = { 'src/base/clock.ts': 'export const b = 1\n', 'tools/a.ts': 'export const a = 1\n' }
  for (const [path, text] of Object.entries({ ...some, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

function imports(path: string): string {
  return `import { b } from '${path}'\nexport const a = b\n`
}

test('imports downwards are fine', () => {
  const root = checkout({ 'src/ring/a.ts': imports('../base/clock') })
  expect(layers(root)).toEqual({ ok: true, report: '' })
})

test('a file that was not looked at is no file in which all is well', () => {
  const root = checkout({ 'src/ring/a.ts': 'export const a = 1\n' })
  const rule = join(root, '.dependency-cruiser.cjs')
  writeFileSync(
    rule,
    `${readFileSync(rule, 'utf8')}\nmodule.exports.options.exclude = { path: '^src/ring' }\n`,
  )
  expect(layers(root)).toEqual({ ok: false, report: 'was not looked at: src/ring/a.ts' })
})

describe('found is', () => {
  let report = ''

  beforeAll(() => {
    const lazily = "export const a = () => require('../recorder/b') as typeof import('../recorder/b')\n"
    const root = checkout({
      'src/index.ts': 'export const b = 1\n',
      'src/base/upwards.ts': "import type { B } from '../event/b'\nexport type A = B\n",
      'src/base/uses-entry.ts': imports('../index'),
      'src/base/uses-tool.ts': "import pino from 'pino'\nexport const a = pino\n",
      'src/base/cycle-a.ts': "import { b } from './cycle-b'\nexport const a = () => b\n",
      'src/base/cycle-b.ts': "import { a } from './cycle-a'\nexport const b = () => a\n",
      'src/event/b.ts': 'export type B = 1\n',
      'src/ring/lazily.ts': lazily,
      'src/recorder/b.ts': 'export const b = 1\n',
      'src/recorder/reads.ts': imports('../query/b'),
      'src/query/b.ts': 'export const b = 1\n',
      'src/remote/other.ts': "import { WebSocket } from 'ws'\nexport const a = WebSocket\n",
      'src/collector/lease/a.ts': imports('../../incident/b'),
      'src/incident/b.ts': 'export const b = 1\n',
    })
    const found = layers(root)
    expect(found.ok).toBe(false)
    report = found.report
  })

  test.each([
    ['an import upwards, of a type', 'src/base-imports-downwards: src/base/upwards.ts → src/event/b.ts'],
    ['an import upwards, loaded later', 'src/ring-imports-downwards: src/ring/lazily.ts → src/recorder/b.ts'],
    ['two files that need each other', 'no-cycles: src/base/cycle-a.ts → src/base/cycle-b.ts'],
    [
      'an entry point that is used inside',
      'entries-are-imported-by-nobody: src/base/uses-entry.ts → src/index.ts',
    ],
    ['a reader in what runs in the app', 'query-is-for-readers: src/recorder/reads.ts → src/query/b.ts'],
    ['a library in a second place', 'ws-in-one-place: src/remote/other.ts → '],
    [
      'a development tool in what is shipped',
      'only-dependencies-that-are-installed: src/base/uses-tool.ts → ',
    ],
    [
      'a part of the collector that knows incidents',
      'collector-engines-know-no-incidents: src/collector/lease/a.ts → src/incident/b.ts',
    ],
  ])('%s', (_, violation) => {
    expect(report).toContain(violation)
  })

  test('nothing else', () => {
    expect(report.split('\n').filter((line) => line.startsWith('no-cycles')).length).toBeGreaterThan(0)
    expect(report.split('\n').filter((line) => !line.startsWith('no-cycles'))).toHaveLength(7)
  })
})
