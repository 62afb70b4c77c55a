import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Flog, flog, scratchDirectory } from './command'

const scratch = scratchDirectory()

test('flog demo --once ends by itself, leaves a finished incident, and shows how to read it', async () => {
  const directory = join(scratch, 'once')
  const { code, stdout, stderr } = await flog(['demo', '--once', '--directory', directory])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const files = readdirSync(directory).filter((name) => name.includes('.incident.flog'))
  expect(files).toEqual([expect.stringMatching(/\.incident\.flog\.gz$/)])
  const path = join(directory, String(files[0]))
  expect(stdout).toContain(`flog dump ${path}`)
  expect(stdout).toMatch(/GET \/orders\/\d+ failed {2}◀ TRIGGER/)
  expect(stdout).toContain('RangeError: coupon SUMMER25 has expired')
  const verified = await flog(['verify', path])
  expect(verified.stdout).toMatch(/whole: [\d,]+ events/)
  expect(spawnSync('gzip', ['-t', path]).status).toBe(0)
})

test('interrupted, it ends with 130 and leaves no process behind', async () => {
  const run = new Flog(['demo', '-d', join(scratch, 'interrupted')], { input: '' })
  const [, pid] = await run.until(/\(pid (\d+)\)/)
  run.kill('SIGINT')
  expect((await run.ended).code).toBe(130)
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
})
