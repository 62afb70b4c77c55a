import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { IncidentPart } from '../../src/incident/parser'
import { type ReadOptions, readHeader, readIncident, readIncidentFile } from '../../src/incident/reader'
import { buildFile, gzipFile, plainFile } from '../../tools/fixtures/incident-file'

const FILE = buildFile({
  name: 'reader test',
  history: [Array(200).fill({ fields: { text: 'x'.repeat(50) } })],
})
const PLAIN = plainFile(FILE)
let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flog-reader-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function fileWith(bytes: Uint8Array, name = 'sample'): string {
  const path = join(directory, name)
  writeFileSync(path, bytes)
  return path
}

async function all(parts: AsyncIterable<IncidentPart>): Promise<IncidentPart[]> {
  const list: IncidentPart[] = []
  for await (const part of parts) list.push(part)
  return list
}

function read(bytes: Uint8Array, options: ReadOptions = {}): Promise<IncidentPart[]> {
  return all(readIncidentFile(fileWith(bytes), options))
}

function eventsOf(parts: readonly IncidentPart[]): unknown[] {
  return parts.flatMap((part) => (part.kind === 'events' ? part.events.map(({ event }) => event) : []))
}

function openFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link.startsWith(directory))
}

test.each([
  ['plain', PLAIN],
  ['compressed', gzipFile(PLAIN)],
  ['plain, packed by an ordinary gzip', gzipSync(PLAIN)],
])('a file that is %s is recognised by its bytes, and read from header to verdict', async (_, bytes) => {
  const parts = await read(bytes)
  expect(parts.map(({ kind }) => kind)).toEqual(['header', 'events', 'events', 'trailer', 'verdict'])
  expect(eventsOf(parts)).toEqual(FILE.events)
  expect(parts.at(-1)).toMatchObject({ verdict: { state: 'whole', events: 201 } })
})

test('any source of bytes can be read', async () => {
  const bytes = gzipFile(PLAIN)
  const chunks = Array.from({ length: Math.ceil(bytes.length / 11) }, (_, i) =>
    bytes.subarray(11 * i, 11 * i + 11),
  )
  expect(eventsOf(await all(readIncident(Readable.from(chunks))))).toEqual(FILE.events)
})

test('a pipe can be read', async () => {
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  const cat = spawn('sh', ['-c', 'cat "$0" > "$1"', fileWith(PLAIN), pipe])
  expect(eventsOf(await all(readIncidentFile(pipe)))).toEqual(FILE.events)
  if (cat.exitCode === null) await once(cat, 'exit')
})

test('what an ordinary gzip packed and lost at the end is told apart from what it packed and somebody damaged', async () => {
  const packed = gzipSync(PLAIN, { level: 0 })
  const cut = (await read(packed.subarray(0, packed.length - 200))).at(-1)
  const damaged = (await read(Buffer.from(packed).fill(0x55, packed.length - 12, packed.length - 6))).at(-1)
  expect(cut).toMatchObject({ verdict: { state: 'truncated' } })
  expect(damaged).toMatchObject({ verdict: { state: 'corrupt' } })
})

test.each([
  [
    'a missing file',
    join(tmpdir(), 'flog-no-such-directory', 'file'),
    'FLOG_FILE_MISSING',
    'there is no file',
  ],
  ['a directory', tmpdir(), 'FLOG_FILE_NOT_INCIDENT', 'is a directory'],
])('%s is said to be one', async (_, path, code, message) => {
  await expect(all(readIncidentFile(path))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  })
})

test.each([
  ['an empty file', Buffer.alloc(0), 'empty'],
  ['JSON lines', Buffer.from('{"level":"info"}\n'), 'JSON'],
  ['JSON lines in gzip', gzipSync('{"level":"info"}\n'.repeat(9)), 'gzip of another: it looks like JSON'],
])('%s is no incident file, and the error says what it is instead', async (_, bytes, message) => {
  const error = { code: 'FLOG_FILE_NOT_INCIDENT', message: expect.stringContaining(message) }
  await expect(read(bytes)).rejects.toMatchObject(error)
})

test('a bomb packed by an ordinary gzip stops at the limit', async () => {
  const bomb = gzipSync(Buffer.concat([FILE.opening, Buffer.alloc(50_000_000)]))
  await expect(read(bomb, { maxPlainBytes: 1_000_000 })).rejects.toMatchObject({
    code: 'FLOG_FILE_TOO_LARGE',
  })
})

test('reading can be cancelled, and closes the file', async () => {
  const controller = new AbortController()
  const parts = readIncidentFile(fileWith(Buffer.concat([PLAIN, Buffer.alloc(300_000)])), {
    signal: controller.signal,
  })
  await parts.next()
  controller.abort()
  await expect(all(parts)).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  expect(openFiles()).toEqual([])
})

test('the file is closed when the reader of it stops early, or fails', async () => {
  for await (const part of readIncidentFile(fileWith(gzipSync(PLAIN)))) if (part.kind === 'header') break
  await read(Buffer.from('no')).catch(() => undefined)
  expect(openFiles()).toEqual([])
})

test('the header alone can be read', async () => {
  expect((await readHeader(fileWith(gzipFile(PLAIN)))).id).toBe('00c0ffee00c0ffee-3')
  const damaged = Buffer.from(PLAIN).fill(1, 200, 210)
  await expect(readHeader(fileWith(damaged))).rejects.toMatchObject({ code: 'FLOG_FILE_CORRUPT' })
  await expect(readHeader(fileWith(PLAIN.subarray(0, 300)))).rejects.toMatchObject({
    code: 'FLOG_FILE_TRUNCATED',
  })
})
