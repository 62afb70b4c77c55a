import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentIdentity, identityOfPid } from '../../../../src/base/identity'
import { systemRandom } from '../../../../src/base/random'
import { lockDirectory } from '../../../../src/collector/store/embedded/lock'
import { kill, startProgram } from '../../../incident/programs'

const directory = mkdtempSync(join(tmpdir(), 'flog-lock-'))
const place = join(directory, 'db')
const path = `${place}.lock`
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(() => {
  rmSync(path, { force: true })
  expect(readdirSync(directory)).toEqual([])
})

const lock = () => lockDirectory(place, systemRandom)
const LOCKED = expect.objectContaining({ code: 'FLOG_DATABASE_LOCKED' })

test('is a file beside the directory that says whose it is, until it is released', () => {
  const held = lock()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(currentIdentity())
  held.release()
  held.release()
  expect(existsSync(path)).toBe(false)
})

test('is taken over from a process that was killed, not from one that lives', async () => {
  const program = startProgram('idle')
  writeFileSync(path, JSON.stringify(identityOfPid(Number(program.pid))))
  expect(lock).toThrow(LOCKED)
  await kill(program)
  lock().release()
})

test('is not taken from a process that is stopped', async () => {
  const program = startProgram('idle')
  program.kill('SIGSTOP')
  writeFileSync(path, JSON.stringify(identityOfPid(Number(program.pid))))
  expect(lock).toThrow(LOCKED)
  await kill(program)
})

test.each([
  ['of another machine', JSON.stringify({ ...currentIdentity(), bootId: 'another' })],
  ['of another container', JSON.stringify({ ...currentIdentity(), pidNamespace: 'pid:[1]' })],
  ['that is empty', ''],
  ['that says something else', '[1]'],
])('one %s is left alone, and the message says what to do', (_, text) => {
  writeFileSync(path, text)
  expect(lock).toThrow(
    expect.objectContaining({ message: expect.stringContaining(`if it is not, remove ${path}`) }),
  )
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test('another holder’s is not removed by who had it before', () => {
  const held = lock()
  const other = JSON.stringify({ ...currentIdentity(), startTime: '1' })
  writeFileSync(path, other)
  held.release()
  expect(readFileSync(path, 'utf8')).toBe(other)
})

test('a place where no file can be made is named', () => {
  expect(() => lockDirectory(join(directory, 'missing/db'), systemRandom)).toThrow(
    expect.objectContaining({ code: 'FLOG_DATABASE_FAILED', message: expect.stringContaining('ENOENT') }),
  )
})
