import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VERSION } from '../../src/base/version'

const ROOT = join(__dirname, '../..')

test('the code, package.json, lock file and changelog name the same version', () => {
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
  expect((JSON.parse(read('package.json')) as { version: string }).version).toBe(VERSION)
  expect((JSON.parse(read('package-lock.json')) as { version: string }).version).toBe(VERSION)
  expect(read('CHANGELOG.md')).toContain(`\n## ${VERSION}`)
})

test('the lock file says nothing about the registry it was made with', () => {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  expect(lock).not.toContain('"resolved": "http')
})
