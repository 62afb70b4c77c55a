import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { flog, jsonLines, scratchDirectory } from '../command'

const FIXTURES = join(__dirname, '../../../../fixtures/foolscap')
const INCIDENT = join(FIXTURES, 'incident-trailing/incident-2026-11-21--20-34-11Z-wouiqja.flog.bz2')
const directory = scratchDirectory()

test('converts files into a directory, and what it made verifies and dumps', async () => {
  const output = join(directory, 'made')
  const { code, stdout, stderr } = await flog(['import', '-o', output, '--json', INCIDENT])
  expect([code, stderr]).toEqual([0, ''])
  const [line] = jsonLines(stdout)
  expect(line).toMatchObject({
    file: INCIDENT,
    id: '2597c0a9eaa79ea7-62',
    events: 67,
    verdict: { state: 'whole' },
  })
  const made = String(line?.['path'])
  expect(readdirSync(output).map((name) => join(output, name))).toEqual([made])
  expect((await flog(['verify', made])).code).toBe(0)
  const dump = await flog(['dump', made])
  expect([dump.code, dump.stdout]).toEqual([0, expect.stringContaining('hash mismatch on share 3')])
})

test('takes what it can of a torn file, and says what is missing', async () => {
  const torn = join(FIXTURES, 'bad/torn-last-line.flog')
  const { code, stdout, stderr } = await flog(['import', '-o', directory, torn])
  expect(code).toBe(1)
  expect(stdout).toMatch(/: 111 events of .*torn-last-line\.flog\n$/)
  expect(stderr).toMatch(/the file ends in the middle of a line/)
})

test('refuses other files with the reason, and goes on with the rest', async () => {
  const bad = [
    'old-pickle.flog',
    'furl-not-a-flogfile.flog',
    'empty.flog',
    'not-a-flogfile.flog',
    'old-pickle.flog.bz2',
  ]
  const own = join(__dirname, '../../../../fixtures/incident/v1/whole.incident.flog')
  const sigkill = join(FIXTURES, 'incident-sigkill/incident-2026-11-21--20-34-26Z-evl5ksa.flog')
  const paths = [...bad.map((name) => join(FIXTURES, 'bad', name)), own, sigkill]
  const { code, stdout, stderr } = await flog(['import', '-o', directory, ...paths])
  expect(code).toBe(1)
  expect(stdout).toMatch(/^[^\n]*: 61 events of [^\n]*\n$/)
  const reasons = [/pickle/, /FURL/, /empty/, /plain text/, /pickle/, /incident file of flog already/]
  for (const [i, line] of stderr.trimEnd().split('\n').entries()) expect(line).toMatch(reasons[i] ?? /never/)
})

test('dump reads the same files directly, and from standard input', async () => {
  const direct = await flog(['dump', '--json', INCIDENT])
  expect(direct.code).toBe(0)
  const { readFileSync } = await import('node:fs')
  const piped = await flog(['dump', '--json', '-'], { input: readFileSync(INCIDENT) })
  expect(piped.stdout).toBe(direct.stdout)
  const events = jsonLines(direct.stdout).filter((line) => 'seq' in line)
  expect(events).toHaveLength(67)
})
