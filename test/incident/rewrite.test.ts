import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodePrefix } from '../../src/codec/decode'
import type { PlainObject } from '../../src/event/event'
import type { RewriteMark } from '../../src/incident/header'
import { BLOCK_HEAD_BYTES, readBlockHead } from '../../src/incident/layout'
import { MAGIC_BYTES, parseMagicLine } from '../../src/incident/magic'
import type { IncidentPart } from '../../src/incident/parser'
import { readIncidentFile } from '../../src/incident/reader'
import { recordsOf } from '../../src/incident/records'
import { type RewriteOptions, rewriteIncident } from '../../src/incident/rewrite'
import { readSummary } from '../../src/incident/summary'
import { verifyIncidentFile } from '../../src/incident/verify'
import { samplePlain, temporaryDirectory } from './samples'

const FIXTURES = join(__dirname, '../../fixtures/incident/v1')
const MARK: RewriteMark = { by: 'filter', at: 1_000_000, flog: '0.1.0', filter: 'severity>=warn' }
const directory = temporaryDirectory()
let made = 0

function sample(...options: Parameters<typeof samplePlain>): string {
  const path = join(directory.path, `source-${made++}.incident.flog`)
  writeFileSync(path, samplePlain(...options))
  return path
}

async function rewritten(source: string, suffix: string, options: Partial<RewriteOptions> = {}) {
  const path = join(directory.path, `copy-${made++}${suffix}`)
  const outcome = await rewriteIncident(readIncidentFile(source, { raw: true }), path, {
    mark: MARK,
    ...options,
  })
  return { path, outcome }
}

async function partsOf(path: string): Promise<IncidentPart[]> {
  const parts: IncidentPart[] = []
  for await (const part of readIncidentFile(path)) parts.push(part)
  return parts
}

async function seqsOf(path: string): Promise<number[]> {
  const parts = await partsOf(path)
  return parts.flatMap((part) => (part.kind === 'events' ? part.events.map(({ event }) => event.seq) : []))
}

/** Head and payload of each block of a plain file. */
function blocksOf(plain: Uint8Array) {
  const blocks: { type: number; flags: number; payload: Uint8Array }[] = []
  for (let at = MAGIC_BYTES; at < plain.length; ) {
    const { type, flags, length } = readBlockHead(plain, at)
    const start = at + BLOCK_HEAD_BYTES
    blocks.push({ type, flags, payload: plain.subarray(start, start + length) })
    at = start + length
  }
  return blocks
}

describe.each(['.flog', '.flog.gz'])('a copy with some of the events, named *%s', (suffix) => {
  test('has these, the header, and the new counts, and is whole', async () => {
    const source = sample({ history: 50, after: 10, further: [55] })
    const { path, outcome } = await rewritten(source, suffix, { keeps: ({ event }) => event.seq % 5 === 0 })
    expect(outcome).toMatchObject({ copied: 13, read: 61, isWritten: true, source: { state: 'whole' } })
    expect(await seqsOf(path)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60])
    const { verdict, header, trailer } = await verifyIncidentFile(path)
    expect(verdict.state).toBe('whole')
    const original = await verifyIncidentFile(source)
    expect(header).toEqual({ ...original.header, rewritten: [MARK] })
    expect(trailer).toEqual({
      ...original.trailer,
      events: { total: 13, history: 11, after: 2 },
      source: { events: 61, state: 'whole' },
    })
    expect(await readSummary(path)).toMatchObject({
      events: { total: 13 },
      closeReason: original.trailer?.reason,
    })
  })

  test('is compressed by its name', async () => {
    const { path } = await rewritten(sample(), suffix)
    const bytes = readFileSync(path)
    const plain = suffix === '.flog' ? bytes : gunzipSync(bytes)
    expect(parseMagicLine(plain)).toBeDefined()
    expect(readFileSync(path).subarray(0, 5).toString('latin1')).toBe(
      suffix === '.flog' ? 'FLOG ' : '\x1f\x8b\b\x04\0',
    )
    expect(blocksOf(plain).map(({ type }) => type)).toEqual([1, 2, 2, 2, 3])
  })
})

test('the trigger stays in the header when it is left out of the events', async () => {
  const { path } = await rewritten(sample({ history: 20 }), '.flog', {
    keeps: ({ mark }) => mark !== 'trigger',
  })
  const { header, trailer, verdict } = await verifyIncidentFile(path)
  expect(header?.trigger.event.seq).toBe(20)
  expect(trailer?.events).toEqual({ total: 25, history: 20, after: 5 })
  expect(verdict.state).toBe('whole')
})

test('marks gather, and each copy has a sync marker of its own', async () => {
  const first = await rewritten(sample(), '.flog')
  const second = await rewritten(first.path, '.flog.gz', {
    mark: { by: 'scrub', at: 2, flog: '1', fields: [], patterns: 0 },
  })
  const [one, two] = await Promise.all([verifyIncidentFile(first.path), verifyIncidentFile(second.path)])
  expect(two.header?.rewritten?.map(({ by }) => by)).toEqual(['filter', 'scrub'])
  expect(two.verdict.sync).not.toEqual(one.verdict.sync)
})

test('what this version does not know is kept: keys, elements of events, blocks', async () => {
  const source = join(FIXTURES, 'newer-minor.incident.flog')
  const { path, outcome } = await rewritten(source, '.flog')
  expect(outcome.unknownBlocks).toBeGreaterThan(0)
  const [before, after] = [source, path].map((each) => blocksOf(readFileSync(each)))
  expect(parseMagicLine(readFileSync(path))?.version).toEqual(parseMagicLine(readFileSync(source))?.version)
  const events = (blocks: ReturnType<typeof blocksOf> = []) =>
    blocks.flatMap(({ type, payload }) =>
      type === 2 ? [...recordsOf(payload)].map((bytes) => Buffer.from(bytes)) : [],
    )
  const unknown = (blocks: ReturnType<typeof blocksOf> = []) => blocks.filter(({ type }) => type > 3)
  expect(events(after)).toEqual(events(before))
  expect(unknown(after)).toEqual(unknown(before))
  const [headerBefore, headerAfter] = [before, after].map(
    (blocks) => decodePrefix(blocks?.[0]?.payload ?? new Uint8Array(0)).value as PlainObject,
  )
  expect(headerAfter).toEqual({ ...headerBefore, rewritten: [MARK] })
  expect((await verifyIncidentFile(path)).verdict.state).toBe('whole')
})

test('events without bytes are encoded', async () => {
  const source = join(FIXTURES, 'values.incident.flog')
  const path = join(directory.path, 'encoded.flog')
  await rewriteIncident(readIncidentFile(source), path, { mark: MARK })
  const events = (parts: IncidentPart[]) => parts.filter(({ kind }) => kind === 'events')
  expect(events(await partsOf(path)).flat()).toEqual(events(await partsOf(source)).flat())
})

test.each(readdirSync(FIXTURES).filter((name) => /\.incident\.flog(\.gz)?$/.test(name)))(
  'of %s, everything that could be read is in a file without damage, or there is no file',
  async (name) => {
    const source = join(FIXTURES, name)
    const path = join(directory.path, `of-${name}`)
    const reading = rewriteIncident(readIncidentFile(source, { raw: true }), path, { mark: MARK })
    const outcome = await reading.catch((error: unknown) => error)
    if (outcome instanceof Error) {
      expect(outcome).toMatchObject({ code: expect.stringMatching(/^FLOG_FILE_/) })
      expect(existsSync(path)).toBe(false)
    } else {
      const { verdict } = await verifyIncidentFile(path)
      expect(verdict.state).toBe(verdict.hasTrailer ? 'whole' : 'open')
      expect(await seqsOf(path)).toEqual(await seqsOf(source))
    }
    expect(readdirSync(directory.path).filter((file) => file.endsWith('.tmp'))).toEqual([])
  },
)

test('the trailer tells what the other file was worth', async () => {
  const { path, outcome } = await rewritten(join(FIXTURES, 'damaged-block.incident.flog'), '.flog')
  const lost = outcome.source.eventsLost
  expect(lost).toBeGreaterThan(0)
  expect((await verifyIncidentFile(path)).trailer?.source).toEqual({
    events: outcome.read,
    state: 'corrupt',
    lost,
  })
})

test('contents can be changed on the way, and a longer trailer still fits', async () => {
  const source = sample()
  const { path } = await rewritten(source, '.flog.gz', {
    change: {
      header: (header) => ({ ...header, service: 'x'.repeat(200_000) }),
      event: (bytes) => bytes,
      trailer: (trailer) => ({
        ...trailer,
        furtherTriggers: Array.from({ length: 400 }, (_, seq) => ({
          ...{ seq, time: 0, kind: 'event' as const, fingerprint: '' },
          reason: 'y'.repeat(2000),
        })),
      }),
      unknown: (payload) => payload,
    },
  })
  const { verdict, header, trailer } = await verifyIncidentFile(path)
  expect(verdict.state).toBe('whole')
  expect(header?.service).toHaveLength(200_000)
  expect(trailer?.furtherTriggers.length).toBeGreaterThan(0)
  expect((trailer?.furtherTriggers.length ?? 0) + (trailer?.furtherTriggersOmitted ?? 0)).toBe(400)
  expect(await readSummary(path)).toMatchObject({ furtherTriggers: 400 })
})

test('a file that is there is not replaced, unless that is said', async () => {
  const path = join(directory.path, 'mine.flog')
  writeFileSync(path, 'mine')
  const read = () => readIncidentFile(sample(), { raw: true })
  await expect(rewriteIncident(read(), path, { mark: MARK })).rejects.toMatchObject({
    code: 'FLOG_WRITE_FAILED',
  })
  expect(readFileSync(path, 'utf8')).toBe('mine')
  await rewriteIncident(read(), path, { mark: MARK, overwrite: true, fileMode: 0o640 })
  expect((await verifyIncidentFile(path)).verdict.state).toBe('whole')
  expect(statSync(path).mode & 0o777).toBe(0o640)
})

test('where it is not approved, or reading fails, nothing is written and nothing left behind', async () => {
  const { path, outcome } = await rewritten(sample(), '.flog', { approve: () => false })
  expect(outcome.isWritten).toBe(false)
  expect(existsSync(path)).toBe(false)
  const failing = async function* (): AsyncGenerator<IncidentPart, void> {
    yield* readIncidentFile(sample(), { raw: true })
    throw new Error('the source broke')
  }
  await expect(rewriteIncident(failing(), path, { mark: MARK })).rejects.toThrow('the source broke')
  await expect(rewriteIncident(failing(), '/nowhere/at/all.flog', { mark: MARK })).rejects.toMatchObject({
    code: 'FLOG_WRITE_FAILED',
  })
  expect(readdirSync(directory.path).filter((file) => file.endsWith('.tmp'))).toEqual([])
})

test('an event larger than a block has one of its own', async () => {
  const source = sample({ history: 3, after: 1, eventBytes: 200_000 })
  const { path } = await rewritten(source, '.flog')
  expect(await seqsOf(path)).toEqual([0, 1, 2, 3, 4])
  expect(blocksOf(readFileSync(path)).filter(({ type }) => type === 2)).toHaveLength(5)
})
