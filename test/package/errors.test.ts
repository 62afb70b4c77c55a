import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES } from '../../src/base/errors'
import { sourceFiles } from '../../tools/check/sources'

const ROOT = join(__dirname, '../..')

const sources = sourceFiles(ROOT, ['src', 'tools/flog'])
  .filter((path) => path !== 'src/base/errors.ts')
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))

/** Made by `invalidOption`, which everybody calls instead. */
const MADE_BY_FUNCTION: Readonly<Record<string, RegExp>> = { FLOG_OPTION_INVALID: /\binvalidOption\(/ }

test.each(Object.keys(ERROR_CODES))('%s is the code of some error', (code) => {
  const made = MADE_BY_FUNCTION[code] ?? new RegExp(`^(?!\\s*\\*).*'${code}'`, 'm')
  expect(sources.some((source) => made.test(source))).toBe(true)
})
