import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from './bundle'

const root = mkdtempSync(join(tmpdir(), 'flog-place-'))
let program: string
beforeAll(() => {
  program = bundle('place', root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function run(joinable: string, directory: string, state: 'fresh' | 'counted'): unknown {
  return JSON.parse(
    execFileSync(process.execPath, [program, joinable, directory, state], { encoding: 'utf8' }),
  )
}

test('a worker thread of the same directory joins, and numbers its events with the main thread', () => {
  expect(run('/logs', '/logs', 'fresh')).toEqual({ here: 'main', there: 'joined', isSame: true })
})

test('one of another directory stands apart, and says why', () => {
  expect(run('/logs', '/others', 'fresh')).toMatchObject({
    there: 'apart',
    isSame: false,
    warning: expect.stringContaining('no recorder with `sidecar` and the directory /others'),
  })
})

test('so does one that has numbered events of its own already', () => {
  expect(run('/logs', '/logs', 'counted')).toMatchObject({
    there: 'apart',
    isSame: false,
    warning: expect.stringContaining('a recorder without `sidecar` before'),
  })
})
