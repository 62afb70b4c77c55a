import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SystemClock } from '../../src/base/clock'
import { importIncident } from '../../src/foolscap/import'
import { readFoolscap, readFoolscapFile } from '../../src/foolscap/reader'
import { readIncidentFile } from '../../src/incident/reader'
import { verifyIncidentFile } from '../../src/incident/verify'
import { eventLine, FIXTURES, flogfile, READABLE } from './fixtures'
import { gathered } from './read'

const options = { clock: new SystemClock(), version: '0.0.0' }
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flog-import-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

test.each([...READABLE, 'bad/torn-last-line.flog'])(
  '%s reads the same from the incident file made of it',
  async (path) => {
    const theirs = await gathered(readFoolscapFile(join(FIXTURES, path)))
    const made = await importIncident(readFoolscapFile(join(FIXTURES, path)), directory, options)
    const ours = await gathered(readIncidentFile(made.path))
    expect(ours.events).toEqual(theirs.events)
    expect(ours.header).toMatchObject({
      id: theirs.header?.id,
      trigger: theirs.header?.trigger,
      rewritten: [{ by: 'import' }],
    })
    expect(made).toMatchObject({ events: theirs.events.length, source: { state: theirs.verdict.state } })
    expect((await verifyIncidentFile(made.path)).verdict).toMatchObject({ state: 'whole', hasTrailer: true })
    expect(basename(made.path)).toMatch(/^\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{16}-\d+\.incident\.flog\.gz$/)
    expect(readdirSync(directory)).toEqual([basename(made.path)])
  },
)

test('a file that is there already stays', async () => {
  const path = join(FIXTURES, READABLE[0] ?? '')
  await importIncident(readFoolscapFile(path), directory, options)
  await expect(importIncident(readFoolscapFile(path), directory, options)).rejects.toMatchObject({
    code: 'FLOG_WRITE_FAILED',
  })
})

test('an event that no incident file can hold loses its largest fields, and says so', async () => {
  const large = `{"num": 1, "message": "large", "small": 1, "blob": "${'x'.repeat(3_000_000)}", "list": [${'1.5,'.repeat(900_000)}1]}`
  const made = await importIncident(readFoolscap(bytesOf(flogfile(eventLine(large)))), directory, options)
  const { events, verdict } = await gathered(readIncidentFile(made.path))
  expect(verdict.state).toBe('whole')
  expect(events[0]?.event).toMatchObject({ message: 'large', fields: { small: 1 } })
  expect(events[0]?.event.fields).not.toHaveProperty('blob')
  expect(events[0]?.event.cut).toBeGreaterThan(10_000_000)
})

test('of a file without one event nothing is made', async () => {
  const reading = importIncident(readFoolscap(bytesOf(flogfile('{"head'))), directory, options)
  await expect(reading).rejects.toMatchObject({
    code: expect.stringMatching(/^FLOG_FILE_(CORRUPT|TRUNCATED)$/),
  })
  expect(readdirSync(directory)).toEqual([])
})
