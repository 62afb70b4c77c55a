import { execFile } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { entriesOf } from '../../tools/build/entries'

const ROOT = join(__dirname, '../..')
const MiB = 1024 * 1024
const run = promisify(execFile)

const directory = mkdtempSync(join(tmpdir(), 'flog-packed-'))
const installed = join(directory, 'node_modules/flight-log')
const entries = entriesOf(ROOT).map(({ name }) => name.replace('.', 'flight-log'))

/** The real thing: what `npm publish` would send, installed by npm into an empty project. */
beforeAll(async () => {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory, ...quiet], {
    cwd: ROOT,
  })
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[]
  const { overrides } = readPackage(ROOT)
  write('package.json', JSON.stringify({ private: true, overrides }))
  await run('npm', ['install', ...quiet.slice(1), `./${packed?.filename}`], { cwd: directory })
}, 120_000)

afterAll(() => rmSync(directory, { recursive: true }))

test('what an app installs stays under 10 MB', () => {
  expect(existsSync(join(directory, 'node_modules/winston'))).toBe(false)
  const bytes = bytesUnder(join(directory, 'node_modules'))
  expect(bytes).toBeGreaterThan(MiB / 2)
  expect(bytes).toBeLessThan(10 * 1e6)
})

test('nothing is run when the package is installed', () => {
  const { scripts = {} } = readPackage(installed)
  expect(Object.keys(scripts)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]),
  )
})

test('it holds what is needed, and no sources or tests', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(installed, path)).isFile(),
  )
  expect(files.filter((path) => !/^(dist|src)\//.test(path)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'package.json',
  ])
  expect(files.filter((path) => path.startsWith('src/') && !path.endsWith('.md'))).toEqual([])
  expect(files.filter((path) => /\/(bench|check|build|test|fixtures)\//.test(path))).toEqual([])
})

test('the command is there, and can be run', async () => {
  const command = join(directory, 'node_modules/.bin/flog')
  expect(lstatSync(join(installed, 'dist/tools/flog/main.js')).mode & 0o111).toBe(0o111)
  const { stdout } = await run(command, ['--version'])
  expect(stdout.trim()).toBe(readPackage(ROOT).version)
})

describe('import and require of one entry get the same objects', () => {
  test.each(entries)('%s', async (name) => {
    write(
      'same.mjs',
      `import * as imported from '${name}'
       import { createRequire } from 'node:module'
       const required = createRequire(import.meta.url)('${name}')
       const names = Object.keys(required)
       console.log(JSON.stringify({
         names: names.length,
         missing: names.filter((name) => imported[name] !== required[name]),
         more: Object.keys(imported).filter((name) => !(name in required)),
       }))`,
    )
    const { stdout } = await run(process.execPath, ['same.mjs'], { cwd: directory })
    expect(JSON.parse(stdout)).toEqual({ names: expect.any(Number), missing: [], more: [] })
    expect(JSON.parse(stdout).names).toBeGreaterThan(0)
  })
})

test('an app that adds the transport loads no library that it does not need', async () => {
  write(
    'app.cjs',
    `const { IncidentTransport } = require('flight-log/winston')
     new IncidentTransport({ directory: 'incidents' })
     console.log(Object.keys(require.cache).join('\\n'))`,
  )
  const { stdout } = await run(process.execPath, ['app.cjs'], { cwd: directory })
  const packages = [...stdout.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(([, name]) => name)
  expect(packages).toContain('winston-transport')
  for (const lazy of ['ws', 'chokidar', 'commander', 'croner', 'fflate', 'msgpackr', 'yaml'])
    expect(packages).not.toContain(lazy)
})

test.each([
  ['postgres://localhost/flog', 'a collector needs pg, which is not installed: run npm install pg'],
  [
    'incidents/db',
    'needs @electric-sql/pglite, which is not installed: run npm install pg @electric-sql/pglite',
  ],
])('a collector with its database at %s says which optional package is missing', async (where, message) => {
  const store = join(installed, 'dist/src/collector/store/database.js')
  write(
    'collector.cjs',
    `require(${JSON.stringify(store)}).openDatabase('${where}').catch((e) => console.log(JSON.stringify(e.message)))`,
  )
  const { stdout } = await run(process.execPath, ['collector.cjs'], { cwd: directory })
  expect(JSON.parse(stdout)).toContain(message)
})

test('recorders made by import and by require count their events together', async () => {
  write(
    'one.mjs',
    `import { createRecorder, FlogError } from 'flight-log'
     import { createRequire } from 'node:module'
     const other = createRequire(import.meta.url)('flight-log')
     const seqs = [createRecorder().info('a'), other.createRecorder().info('b'), createRecorder().info('c')]
     let caught
     try { other.createRecorder({ service: 1 }) } catch (error) { caught = error }
     console.log(JSON.stringify({ steps: [seqs[1] - seqs[0], seqs[2] - seqs[1]], caught: caught instanceof FlogError }))`,
  )
  const { stdout } = await run(process.execPath, ['one.mjs'], { cwd: directory })
  expect(JSON.parse(stdout)).toEqual({ steps: [1, 1], caught: true })
})

test.each([
  ['an ES module', 'user.mts', 'nodenext'],
  ['CommonJS', 'user.cts', 'nodenext'],
])('the types are found from %s', async (_, file, module) => {
  const imports = entries.map(
    (name, index) => `import * as e${index} from '${name}'\nexport const use${index} = e${index}\n`,
  )
  write(
    file,
    `${imports.join('')}import { createRecorder, type LogEvent } from 'flight-log'
     const recorder = createRecorder({ service: 'shop' })
     const seq: number = recorder.info('typed', { a: 1 })
     // @ts-expect-error: an option of another type
     createRecorder({ service: seq })
     export type Message = LogEvent['message']`,
  )
  const tsc = join(ROOT, 'node_modules/@typescript/native/bin/tsc')
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')]
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', module, ...types]
  const { stdout } = await run(process.execPath, [tsc, ...options, file], { cwd: directory }).catch(
    (error: { readonly stdout: string }) => error,
  )
  expect(stdout).toBe('')
})

function write(name: string, text: string): void {
  const path = join(directory, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
}

interface PackageJson {
  readonly version: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly overrides?: object
}

function readPackage(path: string): PackageJson {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as PackageJson
}

function bytesUnder(path: string): number {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return stat.size
  return readdirSync(path).reduce((sum, name) => sum + bytesUnder(join(path, name)), 0)
}
