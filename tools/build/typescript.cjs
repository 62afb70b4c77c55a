/**
 * Lets Node load TypeScript, for programs that tests start by the hundred: `node -r ./tools/build/typescript.cjs PROGRAM.ts`.
 * As in tests themselves, swc only takes the types away. What came of a file is kept in `.build/`, so that a program starts as
 * fast as a compiled one; `esbuild-register`, which keeps nothing, takes three times as long.
 */
const { createHash } = require('node:crypto')
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const Module = require('node:module')
const { join } = require('node:path')

const KEPT = join(__dirname, '../../.build/typescript')
const OPTIONS = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
}
const VERSION = `${require('@swc/core/package.json').version} ${JSON.stringify(OPTIONS)}`

process.setSourceMapsEnabled(true)
Module._extensions['.ts'] = (module, filename) => module._compile(plain(filename), filename)

/** Kept by the file's name, so that there is one for each file; its last line tells of what it was made. */
function plain(filename) {
  const source = readFileSync(filename, 'utf8')
  const kept = join(KEPT, `${hash(filename)}.js`)
  const mark = `\n// of ${hash(VERSION, source)}\n`
  const found = contentOf(kept)
  if (found?.endsWith(mark)) return found
  const { code } = require('@swc/core').transformSync(source, { ...OPTIONS, filename })
  keep(kept, code + mark)
  return code
}

function hash(...texts) {
  return texts.reduce((sum, text) => sum.update(text), createHash('sha1')).digest('hex')
}

function contentOf(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** In one step, since others may read it meanwhile. */
function keep(path, code) {
  const unfinished = `${path}.${process.pid}.${Math.random()}`
  mkdirSync(KEPT, { recursive: true })
  writeFileSync(unfinished, code)
  renameSync(unfinished, path)
}
