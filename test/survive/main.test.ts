import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = mkdtempSync(join(tmpdir(), 'flog-survive-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function survive(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const program = join(__dirname, '../../dist/tools/survive/main.js')
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
}

test('runs the rows that are asked for, says its seed, and writes what it found', () => {
  const json = join(root, 'survived.json')
  const only = ['--only', 'SIGKILL in the window', '--only', 'normal end']
  const { status, stdout } = survive('--runs', '1', ...only, '--seed', 'one', '--json', json)
  expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/^seed one,/) })
  const found = JSON.parse(readFileSync(json, 'utf8'))
  const lost = { preLost: 0, postLost: 0, lossMsMax: 0, pass: true }
  expect(found).toMatchObject({
    runs: 1,
    seed: 'one',
    rows: [
      { name: 'SIGKILL in the window', runs: 1, found: 1, recoverMsMax: expect.any(Number), ...lost },
      { name: 'normal end', runs: 1, found: 0, ...lost },
    ],
  })
})

test.each([
  [['--runs', '0'], '--runs takes a whole number from 1, not 0'],
  [['--only', 'old age'], 'no row old age; there are:\n  process.exit in the window'],
  [['--often'], "Unknown option '--often'"],
])('called with %j it says what is wrong, and exits 2', (args, message) => {
  const { status, stderr } = survive(...args)
  expect(status).toBe(2)
  expect(stderr).toContain(message)
})
