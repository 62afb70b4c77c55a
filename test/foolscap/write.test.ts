import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { LogEvent, Plain } from '../../src/event/event'
import { foolscapSeverity } from '../../src/event/severity'
import { messageText } from '../../src/event/template'
import { levelOf } from '../../src/foolscap/levels'
import { readFoolscapFile } from '../../src/foolscap/reader'
import { eventLine, type FlogfileOrigin, openingLines } from '../../src/foolscap/write'
import type { IncidentPart } from '../../src/incident/parser'
import type { RecordedEvent } from '../../src/incident/parts'
import { readIncidentFile } from '../../src/incident/reader'
import { exportFoolscap } from '../../tools/flog/export/foolscap'
import { anyText } from '../any-text'
import { asDumped, FIXTURES, parsed, READABLE } from './fixtures'
import { gathered } from './read'

const OWN = join(__dirname, '../../fixtures/incident/v1')
const OWN_FILES = [
  'whole.incident.flog.gz',
  'values.incident.flog',
  'error.incident.flog',
  'further-triggers.incident.flog',
  'cut-in-block.incident.flog',
  'damaged-header.incident.flog',
]
const ORIGIN: FlogfileOrigin = { incarnation: '0123456789abcdef', isForeign: false }

async function exported(parts: AsyncIterable<IncidentPart>): Promise<string> {
  let text = ''
  await exportFoolscap(parts, {
    write: (piece) => {
      text += piece
    },
  })
  return text
}

function written(event: LogEvent): LogEvent {
  const { events } = parsed(Buffer.from(openingLines(undefined, ORIGIN) + eventLine(event, ORIGIN)))
  if (events[0] === undefined) throw new Error('the line is no event')
  return events[0].event
}

const BASE: LogEvent = {
  seq: 7,
  time: 1_795_293_064_123_456,
  severity: 9,
  message: 'm',
  facility: 'a.b',
  fields: {},
}

test('what was read of Foolscap reads the same when it was written again', async () => {
  for (const path of READABLE) {
    const read = await gathered(readFoolscapFile(join(FIXTURES, path)))
    const again = parsed(Buffer.from(await exported(readFoolscapFile(join(FIXTURES, path)))))
    expect(again.events.map(asDumped)).toEqual(read.events.map(asDumped))
    expect(
      again.events.map(({ event: { severity, facility, parent } }) => [severity, facility, parent]),
    ).toEqual(read.events.map(({ event: { severity, facility, parent } }) => [severity, facility, parent]))
    expect(again.header).toMatchObject({ id: read.header?.id, extra: read.header?.extra })
  }
})

test('a template becomes a format as far as Python shows the same', () => {
  const line = (message: string, fields: Record<string, Plain>): string =>
    eventLine({ ...BASE, message, fields }, ORIGIN)
  expect(line('order {id} at 100%', { id: 7 })).toContain('"format": "order %(id)s at 100%%", "id": 7')
  expect(line('is {ok}', { ok: true })).toContain('"message": "is true", "ok": true')
  expect(line('{user.name}', { user: { name: 'x' } })).toContain('"message": "x"')
  expect(line('plain {} 5%', {})).toContain('"message": "plain {} 5%"')
})

test('a field never takes the place of a part of the event', () => {
  const fields = { num: 1, time: 2, level: 3, message: 'x', args: [1], from: 'y', failure: 4, incarnation: 5 }
  const event = written({ ...BASE, fields })
  expect(event).toMatchObject({ seq: 7, time: BASE.time, severity: 9, message: 'm' })
  expect(event).not.toHaveProperty('error')
  expect(event.fields).toMatchObject({ num_: 1, time_: 2, args_: [1], from: 'y' })
})

test('the line of any event is ASCII, and its message, number, time and severity come back', () => {
  const value = fc.oneof(anyText(), fc.double(), fc.boolean(), fc.constant(null))
  const event = fc.record({
    message: fc.oneof(anyText(), fc.constantFrom('a {b} %s {{c}}', '%(b)s {b}', '{b}{b.c}')),
    fields: fc.dictionary(
      fc.oneof(fc.constantFrom('b', 'args', '$', 'text'), fc.string()),
      fc.oneof(value, fc.array(value)),
    ),
    severity: fc.integer({ min: 1, max: 24 }),
    seq: fc.maxSafeInteger().map(Math.abs),
  })
  fc.assert(
    fc.property(event, (parts) => {
      const given: LogEvent = { ...BASE, ...parts }
      expect(eventLine(given, ORIGIN)).toMatch(/^[ -~]*\n$/)
      const back = written(given)
      expect([back.seq, back.time, back.severity]).toEqual([given.seq, given.time, given.severity])
      expect(messageText(back)).toBe(messageText(given).toWellFormed())
    }),
  )
})

test('every severity is a level of its own, and a whole number: flogtool links to no others', () => {
  const levels = Array.from({ length: 24 }, (_, index) => levelOf(index + 1))
  expect(levels.filter((level) => !Number.isInteger(level))).toEqual([])
  expect(levels.map(foolscapSeverity)).toEqual(levels.map((_, index) => index + 1))
})

test('a trigger that is not among the events comes behind them', async () => {
  const parts = (events: readonly RecordedEvent[]): Promise<string> => exported(cutTo(events))
  const { header, events } = await gathered(readIncidentFile(join(OWN, 'whole.incident.flog.gz')))
  const seq = header?.trigger.event.seq
  const others = events.filter(({ event }) => event.seq !== seq)
  const read = parsed(Buffer.from(await parts(others)))
  expect(read.events.map(({ event }) => event.seq)).toEqual([...others.map(({ event }) => event.seq), seq])
  expect(read.events.at(-1)?.mark).toBe('trigger')
  expect(parsed(Buffer.from(await parts(events))).events).toHaveLength(events.length)
})

/** The file as a filter would leave it. */
async function* cutTo(events: readonly RecordedEvent[]): AsyncGenerator<IncidentPart, void> {
  for await (const part of readIncidentFile(join(OWN, 'whole.incident.flog.gz'))) {
    if (part.kind === 'header') yield* [part, { kind: 'events', events } as const]
    else if (part.kind !== 'events') yield part
  }
}

async function portOf(output: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of output) {
    text += chunk.toString()
    const port = /http:\/\/localhost:(\d+)/.exec(text)?.[1]
    if (port !== undefined) return port
  }
  throw new Error(`flogtool ended: ${text}`)
}

const hasFlogtool = spawnSync('flogtool', ['--version']).status === 0

/** Skipped where flogtool (Debian: python3-foolscap) is not installed. */
describe.each(hasFlogtool ? ['flogtool'] : [])('%s', (flogtool) => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'flog-foolscap-'))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test.each(OWN_FILES)('dumps and filters %s', async (name) => {
    const path = join(directory, 'out.flog')
    writeFileSync(path, await exported(readIncidentFile(join(OWN, name))))
    const { header, events: own } = await gathered(readIncidentFile(join(OWN, name)))
    const isCut = !own.some(({ event }) => event.seq === header?.trigger.event.seq)
    const trigger = isCut && header !== undefined ? [header.trigger.event] : []
    const events = [...own, ...trigger.map((event) => ({ event, mark: 'trigger' as const }))]
    const run = (...args: readonly string[]) =>
      spawnSync(flogtool, args, {
        encoding: 'utf8',
        env: { ...process.env, TZ: 'UTC', PYTHONIOENCODING: 'utf-8' },
      })
    const dump = run('dump', path)
    expect([dump.status, dump.stderr]).toEqual([0, ''])
    for (const { num, time, text, isTrigger } of events.map(asDumped))
      expect(dump.stdout).toContain(
        `local#${num} ${time}: ${text.toWellFormed()}${isTrigger && header !== undefined ? ' [INCIDENT-TRIGGER]' : ''}\n`,
      )
    const filtered = join(directory, 'filtered.flog.bz2')
    expect(run('filter', '--above', 'WEIRD', '--strip-facility', 'nothing', path, filtered).status).toBe(0)
    const severe = parsed(readFileSync(filtered)).events.map(({ event }) => event.seq)
    expect(severe).toEqual(events.filter(({ event }) => event.severity >= 17).map(({ event }) => event.seq))
  })

  test.each(OWN_FILES)('shows %s, with all links of its page', async (name) => {
    const path = join(directory, 'shown.flog')
    writeFileSync(path, await exported(readIncidentFile(join(OWN, name))))
    const args = ['web-viewer', '--port', 'tcp:0:interface=127.0.0.1', path]
    const viewer = spawn(flogtool, args, { env: { ...process.env, PYTHONUNBUFFERED: '1' } })
    try {
      const port = await portOf(viewer.stdout)
      const page = async (link: string): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${port}/${link}`)
        expect([link, answer.status]).toEqual([link, 200])
        return answer.text()
      }
      const links = Array.from(
        (await page('')).matchAll(/href="(summary\/[^"]+)"/g),
        ([, link]) => link ?? '',
      )
      expect(links.length).toBeGreaterThan(0)
      for (const link of links) await page(link)
      expect(await page('all-events')).toContain('Event Log')
    } finally {
      viewer.kill()
    }
  })
})

const testWhereMissing = hasFlogtool ? test.skip : test
testWhereMissing('flogtool is not installed: that it takes our files is NOT tested here', () => {
  process.stderr.write(
    'test/foolscap/write.test.ts: skipped the tests with flogtool: apt-get install python3-foolscap\n',
  )
})
