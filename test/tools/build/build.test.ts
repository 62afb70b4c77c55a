import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from '../../../tools/build/build'

const CHECKOUT = join(__dirname, '../../..')

/** A package with one entry point and one command. */
class SmallPackage {
  readonly root = mkdtempSync(join(tmpdir(), 'flog-build-'))

  constructor() {
    symlinkSync(join(CHECKOUT, 'node_modules'), join(this.root, 'node_modules'))
    const condition = (extension: string) => ({
      types: `./dist/src/index.d.${extension === 'js' ? 'ts' : 'mts'}`,
      default: `./dist/src/index.${extension}`,
    })
    const exports = {
      '.': { import: condition('mjs'), require: condition('js') },
      './package.json': './package.json',
    }
    this.write(
      'package.json',
      JSON.stringify({ name: 'small', bin: { small: 'dist/tools/flog/main.js' }, exports }),
    )
    for (const name of ['tsconfig.json', 'tsconfig.build.json']) {
      this.write(name, readFileSync(join(CHECKOUT, name), 'utf8'))
    }
    this.write('src/index.ts', 'export class Thing {}\nexport const answer: number = 42\n')
    this.write('tools/flog/main.ts', '#!/usr/bin/env node\nprocess.stdout.write("ran")\n')
    this.write('tools/build/.keep', '')
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true })
    writeFileSync(join(this.root, path), text)
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8')
  }

  /** Changes whenever `dist/` is made anew. */
  get made(): number {
    return statSync(join(this.root, 'dist')).ino
  }
}

const small = new SmallPackage()
afterAll(() => rmSync(small.root, { recursive: true }))

test('the code is compiled, and each entry point gets an ES module with the same objects', async () => {
  expect(build(small.root)).toEqual({ ok: true, report: '' })
  expect(small.read('dist/src/index.mjs')).toBe(
    "import entry from './index.js'\n\nexport const {\n  Thing,\n  answer,\n} = entry\n",
  )
  expect(small.read('dist/src/index.d.mts')).toBe("export * from './index.js'\n")
  expect(small.read('dist/src/index.d.ts')).toContain('answer: number')
})

test('the command can be run', () => {
  expect(statSync(join(small.root, 'dist/tools/flog/main.js')).mode & 0o111).toBe(0o111)
  expect(small.read('dist/tools/flog/main.js')).toMatch(/^#!\/usr\/bin\/env node\n/)
})

test('nothing is done as long as nothing changes', () => {
  const before = small.made
  build(small.root)
  expect(small.made).toBe(before)
})

test('several processes that build at once do it once, and leave nothing but dist/ behind', async () => {
  small.write('src/more.ts', 'export const more = 1\n')
  const program = `require('esbuild-register')
    const { build } = require(${JSON.stringify(join(CHECKOUT, 'tools/build/build'))})
    const { statSync } = require('node:fs')
    const { ok } = build(process.cwd())
    process.stdout.write(JSON.stringify({ ok, made: statSync('dist').ino }))`
  const results = await Promise.all([1, 2, 3].map(() => outputOf(program)))
  expect(JSON.parse(results[0] ?? '')).toMatchObject({ ok: true })
  expect(new Set(results).size).toBe(1)
  expect(readdirSync(small.root).filter((name) => name.startsWith('.build'))).toEqual([])
})

test('an entry point that cannot be loaded is reported', () => {
  small.write('src/index.ts', "throw new Error('not today')\n")
  expect(build(small.root)).toEqual({
    ok: false,
    report: '. is in package.json, but cannot be loaded: not today',
  })
  small.write('src/index.ts', 'export class Thing {}\n')
})

test('wrong types are reported each time, and the code is there nevertheless', () => {
  small.write('src/wrong.ts', "export const wrong: number = 'text'\n")
  const first = build(small.root)
  expect(first).toEqual({ ok: false, report: expect.stringContaining('src/wrong.ts(1,14): error TS2322') })
  expect(small.read('dist/src/wrong.js')).toContain("'text'")
  expect(build(small.root)).toEqual(first)
  rmSync(join(small.root, 'src/wrong.ts'))
  expect(build(small.root).ok).toBe(true)
  expect(() => small.read('dist/src/wrong.js')).toThrow(/ENOENT/)
})

async function outputOf(program: string): Promise<string> {
  const child = spawn(process.execPath, ['-e', program], {
    cwd: small.root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  await once(child, 'close')
  return output
}
