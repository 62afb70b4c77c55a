import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSummary, summaryOfFile } from '../../src/incident/summary'
import { buildFile, gzipFile, OPENED_AT, plainFile } from '../../tools/fixtures/incident-file'

const FILE = buildFile({
  name: 'summary test',
  history: Array(40).fill(Array(100).fill({ message: 'some text', fields: { more: 'x'.repeat(100) } })),
  after: [{}, { further: 'again' }, { further: 'and again' }],
})
const PLAIN = plainFile(FILE)
const GZIP = gzipFile(PLAIN)
let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flog-summary-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function fileWith(bytes: Uint8Array): string {
  const path = join(directory, 'sample')
  writeFileSync(path, bytes)
  return path
}

const CLOSING = {
  closedAt: OPENED_AT + 5_000_000,
  closeReason: 'time',
  events: { total: 4004, history: 4001, after: 3 },
  furtherTriggers: 2,
}

test('a finished file is summed up', async () => {
  expect(await readSummary(fileWith(GZIP))).toMatchObject({
    id: '00c0ffee00c0ffee-3',
    state: 'finished',
    service: 'shop',
    trigger: { event: { message: 'checkout failed' } },
    bytes: GZIP.length,
    ...CLOSING,
  })
})

test('a plain file is open, before and after it was closed', async () => {
  const open = await readSummary(fileWith(PLAIN.subarray(0, PLAIN.length - FILE.trailer!.length)))
  const closed = await readSummary(fileWith(PLAIN))
  expect(open).toMatchObject({ state: 'open', furtherTriggers: 0 })
  expect(open).not.toHaveProperty('closedAt')
  expect(open).not.toHaveProperty('events')
  expect(closed).toMatchObject({ state: 'open', ...CLOSING })
})

test('a summary costs two small reads', async () => {
  for (const bytes of [PLAIN, GZIP]) {
    const file = await open(fileWith(bytes))
    const reads: number[] = []
    const counting = {
      stat: () => file.stat(),
      read: (buffer: Buffer, offset: number, length: number, position: number) => {
        reads.push(length)
        return file.read(buffer, offset, length, position)
      },
    }
    await summaryOfFile(counting as unknown as FileHandle)
    await file.close()
    expect(reads).toHaveLength(2)
    expect(Math.max(...reads)).toBeLessThanOrEqual(64 * 1024)
  }
})

test('a long header and a long trailer are found all the same', async () => {
  const trigger = { severity: 17, message: 'long', fields: { text: 'y'.repeat(900_000) } }
  const after = Array.from({ length: 400 }, (_, i) => ({ further: `${i}${'z'.repeat(60)}` }))
  const long = plainFile(buildFile({ name: 'long', history: [[{}]], trigger, after }))
  for (const bytes of [long, gzipFile(long)]) {
    const summary = await readSummary(fileWith(bytes))
    expect(summary.trigger.event.fields['text']).toHaveLength(900_000)
    expect(summary.furtherTriggers).toBe(400)
  }
})

test('damage between header and trailer is not looked for', async () => {
  expect(await readSummary(fileWith(Buffer.from(GZIP).fill(0, 2000, 9000)))).toMatchObject(CLOSING)
})

test('a file whose end is gone or damaged is summed up without it', async () => {
  const damaged = Buffer.from(GZIP)
  damaged[GZIP.length - 60]! ^= 1
  for (const bytes of [GZIP.subarray(0, 20_000), GZIP.subarray(0, GZIP.length - 1), damaged]) {
    const summary = await readSummary(fileWith(bytes))
    expect(summary.id).toBe('00c0ffee00c0ffee-3')
    expect(summary).not.toHaveProperty('closedAt')
  }
})

test.each([
  ['FLOG_FILE_NOT_INCIDENT', Buffer.from('{}')],
  ['FLOG_FILE_NOT_INCIDENT', Buffer.alloc(0)],
  ['FLOG_FILE_TRUNCATED', PLAIN.subarray(0, 500)],
  ['FLOG_FILE_TRUNCATED', GZIP.subarray(0, 100)],
  ['FLOG_FILE_CORRUPT', Buffer.from(PLAIN).fill(0, 300, 310)],
  [
    'FLOG_FILE_NEWER',
    Buffer.from(PLAIN.toString('latin1').replaceAll('1.0', '3.0'), 'latin1').fill(7, 300, 310),
  ],
])('without a header there is %s', async (code, bytes) => {
  await expect(readSummary(fileWith(bytes))).rejects.toMatchObject({ code })
})

test('a missing file is said to be missing', async () => {
  await expect(readSummary(join(directory, 'none'))).rejects.toMatchObject({ code: 'FLOG_FILE_MISSING' })
})
