import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { verifyIncidentFile } from '../../../../src/incident/verify'
import { buildFile, type FileSketch, gzipFile, plainFile } from '../../../../tools/fixtures/incident-file'
import { flog, scratchDirectory } from '../command'

const FIXTURES = join(__dirname, '../../../../fixtures/incident/v1')
const GOLDEN = join(__dirname, '../golden')
const cwd = scratchDirectory()
const BEARER = `Bearer ${'abcdef0123456789'.repeat(2)}`
const SKETCH: FileSketch = {
  name: 'scrub',
  history: [
    [
      { message: `sent ${BEARER}`, facility: 'http' },
      { message: 'login', fields: { user: { email: 'ada@shop.example' }, password: 'hunter2' } },
      { message: 'connecting to postgres://app:s3cr3t@db.example/shop' },
    ],
  ],
  trigger: {
    severity: 17,
    message: 'login of ada@shop.example with hunter2 failed',
    facility: 'shop.login',
    fields: { email: 'ada@shop.example' },
    more: { error: { name: 'E', message: 'refused', stack: `E: ${BEARER}\n    at login (login.js:1)` } },
  },
  after: [{ message: 'again', further: 'hunter2 again' }],
  header: { argv: ['server.js', '--token=t0ps3cret'], laterKey: { note: BEARER } },
}
const SECRETS = [BEARER.slice(7), 'hunter2', 's3cr3t', 't0ps3cret']

function make(name: string): string {
  const plain = plainFile(buildFile(SKETCH))
  writeFileSync(join(cwd, name), name.endsWith('.gz') ? gzipFile(plain) : plain)
  return name
}

function bytesOf(name: string): Buffer {
  const bytes = readFileSync(join(cwd, name))
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

describe.each(['in.incident.flog', 'in.incident.flog.gz'])('of %s', (name) => {
  test('nothing is left of what is redacted by default, in any byte, and verify has nothing to point out', async () => {
    make(name)
    for (const secret of SECRETS) expect(bytesOf(name).includes(secret)).toBe(true)
    const before = await flog(['verify', name], { cwd })
    expect(before).toMatchObject({ code: 0, stdout: expect.stringContaining('look like secrets') })
    const { code, stderr } = await flog(['scrub', name, '--default'], { cwd })
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^flog: took out \d+ values of the header/),
    })
    for (const secret of SECRETS) expect(bytesOf(name).includes(secret)).toBe(false)
    const { verdict, header } = await verifyIncidentFile(join(cwd, name))
    expect(verdict).toMatchObject({ state: 'whole', events: 5 })
    expect(header?.rewritten).toMatchObject([{ by: 'scrub', fields: ['(default list)'], patterns: 0 }])
    expect(header?.trigger.event.message).toBe('login of ada@shop.example with [redacted] failed')
    expect((await flog(['verify', name], { cwd })).stdout).toBe(`${name}: whole: 5 events\n`)
  })

  test('nothing is left of a field, or of what a pattern matches', async () => {
    make(name)
    const copy = `copy-${name}`
    const { code } = await flog(
      ['scrub', name, '-o', copy, '--field', 'email', 'nothing.here', '--pattern', 'h[a-z]+2', '/S3CR3T/i'],
      { cwd },
    )
    expect(code).toBe(0)
    for (const gone of ['ada@shop.example', 'hunter2', 's3cr3t'])
      expect(bytesOf(copy).includes(gone)).toBe(false)
    expect(bytesOf(copy).includes(BEARER)).toBe(true)
    expect(bytesOf(name).includes('hunter2')).toBe(true)
    const { header, trailer } = await verifyIncidentFile(join(cwd, copy))
    expect(header?.rewritten).toMatchObject([{ fields: ['email', 'nothing.here'], patterns: 2 }])
    expect(trailer?.furtherTriggers.map(({ reason }) => reason)).toEqual(['[redacted] again'])
  })
})

test('what is printed', async () => {
  make('a.flog')
  make('b.flog')
  for (const name of ['damaged-block', 'open', 'newer-minor', 'whole'])
    copyFileSync(join(FIXTURES, `${name}.incident.flog`), join(cwd, `${name}.flog`))
  const rounds = [
    [
      ['verify', 'a.flog', 'whole.flog'],
      ['verify', '--json', 'a.flog'],
      ['scrub', 'a.flog'],
      ['scrub', 'a.flog', '--pattern', '('],
      ['scrub', 'a.flog', '--pattern', '.*'],
      ['scrub', 'a.flog', '--field', ''],
      ['scrub', '--field', 'email', 'a.flog'],
      ['scrub', 'whole.flog', '--field', 'nowhere', '-o', 'same.flog'],
      ['scrub', 'whole.flog', '--default', '-o', '-'],
      ['scrub', '-', '--default'],
      ['scrub', 'a.flog', '-o', 'b.flog', '--default'],
      ['scrub', 'whole.flog', '--default'],
      ['scrub', 'newer-minor.flog', '--pattern', 'order'],
      ['scrub', 'open.flog', '--default'],
      ['scrub', 'damaged-block.flog', '--pattern', 'e'],
      ['scrub', 'nowhere.flog', '--default'],
    ],
    [['scrub', 'a.flog', '-o', 'b.flog', '--default', '--force']],
    [['scrub', 'a.flog', '--field', 'email']],
    [['scrub', 'a.flog', '--field', 'email']],
  ]
  const print = async (call: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await flog(call, { cwd })
    return `$ flog ${call.join(' ')}\n${stdout}${stderr}exit code ${code}\n\n`
  }
  let text = ''
  for (const calls of rounds) text += (await Promise.all(calls.map(print))).join('')
  for (const secret of SECRETS) expect(text).not.toContain(secret)
  expectGolden('scrub.txt', text)
}, 60_000)

function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name)
  if (process.env['FLOG_UPDATE_FIXTURES'] === '1') writeFileSync(path, text)
  expect(text).toBe(readFileSync(path, 'utf8'))
}
