import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withLock } from '../../../tools/build/lock'

const directory = mkdtempSync(join(tmpdir(), 'flog-lock-'))
const path = join(directory, 'lock')
afterAll(() => rmSync(directory, { recursive: true }))

test('the lock names its holder, and is gone afterwards', () => {
  expect(withLock(path, () => readlinkSync(path))).toBe(String(process.pid))
  expect(readdirSync(directory)).toEqual([])
})

test('the lock is gone after an error too', () => {
  expect(() =>
    withLock(path, () => {
      throw new Error('failed')
    }),
  ).toThrow('failed')
  expect(readdirSync(directory)).toEqual([])
})

test('the lock of a process that is gone is no lock', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '0'])
  symlinkSync(String(pid), path)
  expect(withLock(path, () => 'done')).toBe('done')
  expect(readdirSync(directory)).toEqual([])
})
