import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FlogError } from '../../../../src/base/errors'
import { readIncidentFile } from '../../../../src/incident/reader'
import { buildFile, plainFile } from '../../../../tools/fixtures/incident-file'
import { jsonTarget } from '../../../../tools/flog/dump/json-target'
import { type TextOptions, textTarget } from '../../../../tools/flog/dump/text-target'
import { partsOf, type Target, writeParts } from '../../../../tools/flog/dump/write-parts'
import type { TimeMode } from '../../../../tools/flog/show/time'
import type { Surroundings } from '../../../../tools/flog/verb'
import { Flog, flog, jsonLines, scratchDirectory } from '../command'
import { capturedSurroundings } from '../surroundings'

const FIXTURES = join(__dirname, '../../../../fixtures/incident/v1')
const GOLDEN = join(__dirname, '../golden')
/** One of each kind that reads differently; the reader's own tests have them all. */
const SHOWN = [
  'whole.incident.flog.gz',
  'values.incident.flog',
  'error.incident.flog',
  'further-triggers.incident.flog',
  'open.incident.flog',
  'cut-in-block.incident.flog',
  'damaged-block.incident.flog',
  'damaged-header.incident.flog',
  'damaged-trailer.incident.flog',
  'newer-minor.incident.flog',
]

async function printed(
  name: string,
  targetOf: (io: Surroundings) => Target,
): Promise<{ out: string; talk: string; whole: boolean }> {
  const { io, text } = capturedSurroundings()
  const target = targetOf(io)
  const whole = await writeParts(partsOf(name, readIncidentFile(join(FIXTURES, name))), target, io)
  target.end?.()
  return { ...(await text()), whole }
}

async function asText(
  name: string,
  mode: TimeMode = 'relative',
  options: Omit<TextOptions, 'mode'> = {},
): Promise<string> {
  const { out, talk, whole } = await printed(name, (io) => textTarget(io.out, io.style, { ...options, mode }))
  return `${out}--- standard error\n${talk}--- exit code ${whole ? 0 : 1}\n`
}

async function asJson(name: string): Promise<{ lines: Record<string, unknown>[]; whole: boolean }> {
  const { out, whole } = await printed(name, (io) => jsonTarget(io.out))
  return { lines: jsonLines(out), whole }
}

function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name)
  if (process.env['FLOG_UPDATE_FIXTURES'] === '1') writeFileSync(path, text)
  expect(text).toBe(readFileSync(path, 'utf8'))
}

describe('the text of', () => {
  test.each(SHOWN)('%s', async (name) => expectGolden(`${name}.txt`, await asText(name)))

  test('a file with absolute times', async () => {
    expectGolden('whole.utc.txt', await asText('whole.incident.flog', 'utc'))
    expect(await asText('whole.incident.flog', 'epoch')).toMatch(/^1795293064\.\d{6} trace/m)
  })

  test('a file as a tree', async () => {
    expectGolden('error.tree.txt', await asText('error.incident.flog', 'relative', { tree: true }))
  })
})

describe('the JSON of', () => {
  test.each(SHOWN)('%s', async (name) => {
    const { lines } = await asJson(name)
    expectGolden(`${name}.jsonl`, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)
  })

  const readable = readdirSync(FIXTURES).filter((name) => /\.incident\.flog(\.gz)?$/.test(name))

  test.each(readable)('%s begins with the header and ends with the trailer', async (name) => {
    const read = await asJson(name).catch((error: unknown) => error)
    if (FlogError.is(read)) {
      expect(['FLOG_FILE_NOT_INCIDENT', 'FLOG_FILE_NEWER']).toContain(read.code)
      return
    }
    const { lines, whole } = read as Awaited<ReturnType<typeof asJson>>
    expect(Object.keys(lines[0] ?? {})).toEqual(['header'])
    expect(lines.at(-1)).toHaveProperty('trailer')
    if (!whole) expect(lines.at(-1)).toHaveProperty('verdict.state')
    for (const event of lines.slice(1, -1)) {
      expect(event).toMatchObject({
        seq: expect.any(Number),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        severity: expect.any(String),
        message: expect.any(String),
        facility: expect.any(String),
        fields: expect.any(Object),
      })
    }
  })

  test('a file that is open has no trailer, and a verdict that says so', async () => {
    const { lines, whole } = await asJson('open.incident.flog')
    expect(lines.at(-1)).toMatchObject({ trailer: null, verdict: { state: 'open' } })
    expect(whole).toBe(true)
  })

  test('exactly one event is the trigger, later ones are further ones', async () => {
    const { lines } = await asJson('further-triggers.incident.flog')
    expect(lines.filter((line) => line['trigger'] === true)).toHaveLength(1)
    expect(lines.filter((line) => line['trigger'] === 'further').length).toBeGreaterThan(0)
  })
})

/** Somewhere inside the trailer of a file, all of whose events come before. */
const TRAILER_BYTES = 64
const scratch = scratchDirectory()

describe('flog dump', () => {
  const whole = join(FIXTURES, 'whole.incident.flog.gz')

  test('reads standard input', async () => {
    const input = readFileSync(whole)
    const [file, piped, unnamed] = await Promise.all([
      flog(['dump', whole]),
      flog(['dump', '-'], { input }),
      flog(['dump'], { input }),
    ])
    expect(piped).toEqual(file)
    expect(unnamed).toEqual(file)
    expect(file.code).toBe(0)
  })

  test('one bad file does not keep the others from their turn', async () => {
    const { code, stdout, stderr } = await flog([
      'dump',
      join(FIXTURES, 'foreign-text.incident.flog'),
      '/nowhere',
      whole,
    ])
    expect(code).toBe(1)
    expect(stderr.match(/^flog: /gm)).toHaveLength(2)
    expect(stdout).toContain('whole: 11 events')
  })

  test('a damaged file is printed as far as it goes, with exit code 1', async () => {
    const { code, stdout, stderr } = await flog(['dump', join(FIXTURES, 'damaged-block.incident.flog')])
    expect(code).toBe(1)
    expect(stdout).toContain('◀ TRIGGER')
    expect(stderr).toMatch(
      /^flog: \S+\/damaged-block\.incident\.flog: a block does not match its checksum\n$/,
    )
  })

  test('shows a part of the events, and says of how many', async () => {
    const near = await flog(['dump', whole, '--around', '0.002', '--where', 'severity>=warn'])
    expect(near.stdout).toContain('2 of 11 events shown')
    expect(near.stdout.match(/^ +[-+0][.\d]* +(?:warn|error) /gm)).toHaveLength(2)
    const none = await flog(['dump', whole, '--only', 'trace=ffff'])
    expect(none.stdout).toContain('0 of 11 events shown')
    expect(none.code).toBe(0)
  })

  test.each([
    [['--only', 'thread=1'], /--only takes trace=ID/],
    [['--only', 'trace=ab12', '--only', 'thread=1'], /--only takes .*"thread=1"/],
    [['--around', 'soon'], /--around takes a time around/],
    [['--around', 'trigger'], /--around takes a time beside trigger/],
    [['--json', '--timestamps', 'utc'], /--timestamps is for text only/],
    [['--json', '--format', 'csv'], /both --json and --format csv/],
    [['--where', '('], /position|expected|column/i],
    [['--tree', '--json'], /--tree is for text only/],
    [['--follow', whole], /--follow takes one file/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await flog(['dump', whole, ...args])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  test('--only may be said several times, and before the files: events of any of them', async () => {
    const path = join(scratch, 'traces.incident.flog')
    const ids = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
    const history = [
      { message: 'of the trace', more: ids },
      { message: 'of the request', fields: { requestId: 'r-7' } },
      { message: 'of neither' },
    ]
    writeFileSync(path, plainFile(buildFile({ name: 'traces', history: [history] })))
    const calls = [
      [path, '--only', 'trace=4bf92f35', '--only', 'request=r-7'],
      ['--only', 'trace=4bf92f35', 'request=r-7', path],
    ]
    for (const args of calls) {
      const { code, stdout } = await flog(['dump', ...args])
      expect(code).toBe(0)
      expect(stdout).toContain('2 of 4 events shown')
      expect(stdout).not.toContain('of neither')
    }
    const { stderr } = await flog(['dump', '--only', path])
    expect(stderr).toMatch(/--only takes trace=ID/)
  })

  test('--around takes what people write', async () => {
    const near = ['0.002', '2ms', '±2ms', 'trigger ±0.002', '0.002,2ms']
    const shown = await Promise.all([
      ...near.map((text) => flog(['dump', whole, '--around', text])),
      flog(['dump', '--around', 'trigger', '±0.002', whole]),
    ])
    for (const { stdout, stderr } of shown) {
      expect(stderr).toBe('')
      expect(stdout).toContain('3 of 11 events shown')
    }
  })

  test('merged files are told apart above, in the middle and below', async () => {
    const damaged = join(FIXTURES, 'damaged-block.incident.flog')
    const { code, stdout } = await flog(['dump', '--merge', whole, damaged])
    expect(code).toBe(1)
    expect(stdout).toContain(`  below as   shop/4711  ${damaged}\n`)
    expect(stdout).toMatch(/^shop\/4711 +⋯ damage: 4 events missing here$/m)
    expect(stdout).toMatch(/^shop\/4711:$/m)
  })

  test('merges files by time, and says of which file each event is', async () => {
    const error = join(FIXTURES, 'error.incident.flog')
    const text = await flog(['dump', '--merge', error, whole])
    expect(text.code).toBe(0)
    expect(text.stdout.match(/^shop +[ -]/gm)?.length).toBeGreaterThan(3)
    expect(text.stdout.match(/^shop\/4711 +[-+ ]/gm)?.length).toBeGreaterThan(10)
    const { stdout } = await flog(['dump', '--merge', '--json', error, whole])
    const events = jsonLines(stdout).filter((line) => 'seq' in line)
    expect(events).toHaveLength(15)
    expect(new Set(events.map((event) => event['file']))).toEqual(new Set([error, whole]))
    expect(events.map((event) => event['time'])).toEqual([...events.map((event) => event['time'])].sort())
  })

  test('follows a file until its incident closes', async () => {
    const bytes = readFileSync(join(FIXTURES, 'whole.incident.flog'))
    const path = join(scratch, 'growing.incident.flog')
    writeFileSync(path, bytes.subarray(0, bytes.length - TRAILER_BYTES))
    const dumping = new Flog(['dump', '--follow', path], { input: '' })
    await dumping.until(/shop\.cart/)
    appendFileSync(path, bytes.subarray(bytes.length - TRAILER_BYTES))
    const { code, stdout } = await dumping.ended
    expect(stdout).toContain('whole: 11 events')
    expect(stdout).toContain('◀ TRIGGER')
    expect(code).toBe(0)
  })
})
