import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import type { FetchProgress } from '../../src/remote/fetch'
import { Line } from './support/line'
import { Rig, until } from './support/rig'
import { sha256, summaryOf } from './support/sources'

let rig: Rig
let to: string
beforeEach(async () => {
  rig = new Rig()
  to = join(await rig.directory(), 'fetched')
})
afterEach(() => rig.end())

const { id } = summaryOf(1)
const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7919) >> 5)

test('a finished incident arrives under its own name, whole, private, and nothing beside it', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', content(1_000_000))
  const remote = await rig.connect((await rig.publisher()).url)
  const progress: FetchProgress[] = []
  const fetched = await remote.fetchIncident(id, { to, onProgress: (at) => progress.push(at) })
  expect(fetched).toMatchObject({
    id,
    representation: 'gzip',
    bytes: 1_000_000,
    sha256: sha256(content(1_000_000)),
  })
  expect(await readdir(to)).toEqual([`20251121T225230.000Z-${id}.incident.flog.gz`])
  expect(sha256(await readFile(fetched.path))).toBe(fetched.sha256)
  expect((await stat(fetched.path)).mode & 0o777).toBe(0o600)
  expect((await stat(to)).mode & 0o777).toBe(0o700)
  expect(progress.at(0)).toEqual({ received: 0, total: 1_000_000, resumedFrom: 0 })
  expect(progress.at(-1)).toEqual({ received: 1_000_000, total: 1_000_000, resumedFrom: 0 })
  expect(rig.incidents.openFiles).toBe(0)
})

test('an empty file arrives too', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', new Uint8Array())
  const remote = await rig.connect((await rig.publisher()).url)
  const { path } = await remote.fetchIncident(id, { to })
  expect((await stat(path)).size).toBe(0)
})

test('an open incident arrives as a snapshot, and its name says so', async () => {
  rig.incidents.put(summaryOf(1, { state: 'open' }), 'open', content(5000))
  const remote = await rig.connect((await rig.publisher()).url)
  const fetched = await remote.fetchIncident(id, { to })
  expect(fetched).toMatchObject({ representation: 'open', bytes: 5000 })
  expect(await readdir(to)).toEqual([`20251121T225230.000Z-${id}.snapshot.flog`])
})

test('what is here already is not sent again', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', content(2_000_000))
  const remote = await rig.connect((await rig.publisher()).url)
  const first = await remote.fetchIncident(id, { to })
  let read = 0
  rig.incidents.onRead = (position) => {
    read = Math.max(read, position)
  }
  const progress: FetchProgress[] = []
  expect(await remote.fetchIncident(id, { to, onProgress: (at) => progress.push(at) })).toEqual(first)
  expect(progress).toEqual([])
})

test('an incident that is not there, and an id that is none', async () => {
  const remote = await rig.connect((await rig.publisher()).url)
  await expect(remote.fetchIncident(id, { to })).rejects.toMatchObject({ code: 'FLOG_INCIDENT_UNKNOWN' })
  await expect(remote.fetchIncident('../x', { to })).rejects.toMatchObject({ code: 'FLOG_INCIDENT_UNKNOWN' })
  expect(await readdir(to).catch(() => [])).toEqual([])
})

test('after a lost connection it goes on where it stopped', async () => {
  const size = 3_000_000
  rig.incidents.put(summaryOf(1), 'gzip', content(size))
  const line = await Line.to((await rig.publisher()).url)
  rig.onEnd(() => line.close())
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 100_000, max: 900_000 }), { minLength: 1, maxLength: 3 }),
      async (cuts) => {
        const directory = join(to, String(Math.random()))
        const remote = await rig.connect(line.url)
        line.cuts = cuts
        line.cut()
        const progress: FetchProgress[] = []
        const fetched = await remote.fetchIncident(id, {
          to: directory,
          onProgress: (at) => progress.push(at),
        })
        expect(sha256(await readFile(fetched.path))).toBe(sha256(content(size)))
        const starts = new Set(progress.map((at) => at.resumedFrom))
        expect(starts.size).toBeGreaterThan(1)
        for (const [i, { received }] of progress.entries())
          expect(received).toBeGreaterThanOrEqual(progress[i - 1]?.received ?? 0)
        expect(await readdir(directory)).toHaveLength(1)
        await remote.close()
      },
    ),
    { numRuns: 6 },
  )
})

test('a fetch that was given up keeps its part, and another process goes on with it', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', content(3_000_000))
  const { url } = await rig.publisher()
  const abort = new AbortController()
  const first = await rig.connect(url)
  const stopped = first.fetchIncident(id, {
    to,
    signal: abort.signal,
    onProgress: ({ received }) => {
      if (received > 500_000) abort.abort()
    },
  })
  await expect(stopped).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  const [part] = await readdir(to)
  expect(part).toMatch(/^[0-9a-f]{16}-1\.gzip\.3000000\.[0-9a-f]{64}\.part$/)
  const { size, mode } = await stat(join(to, part as string))
  expect(size).toBeGreaterThan(500_000)
  expect(mode & 0o777).toBe(0o600)
  const second = await rig.connect(url)
  const starts: number[] = []
  const fetched = await second.fetchIncident(id, {
    to,
    onProgress: ({ resumedFrom }) => starts.push(resumedFrom),
  })
  expect(starts[0]).toBe(size)
  expect(sha256(await readFile(fetched.path))).toBe(sha256(content(3_000_000)))
  expect(await readdir(to)).toHaveLength(1)
  await until(() => rig.incidents.openFiles === 0)
})

test('a part with wrong bytes in it is thrown away and fetched once more', async () => {
  const bytes = content(300_000)
  rig.incidents.put(summaryOf(1), 'gzip', bytes)
  await mkdir(to)
  await writeFile(join(to, `${id}.gzip.300000.${sha256(bytes)}.part`), new Uint8Array(100_000))
  const remote = await rig.connect((await rig.publisher()).url)
  const { path } = await remote.fetchIncident(id, { to })
  expect(sha256(await readFile(path))).toBe(sha256(bytes))
  expect(await readdir(to)).toHaveLength(1)
})

test('a publisher that announces a checksum it does not keep is an error, and leaves nothing behind', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', content(1000))
  const { open } = rig.incidents
  rig.incidents.open = async (...of) => ({
    ...(await open.call(rig.incidents, ...of)),
    sha256: 'ab'.repeat(32),
  })
  const remote = await rig.connect((await rig.publisher()).url)
  await expect(remote.fetchIncident(id, { to })).rejects.toMatchObject({ code: 'FLOG_FETCH_MISMATCH' })
  expect(await readdir(to)).toEqual([])
})

test('a snapshot is resumed though the incident has grown since', async () => {
  rig.incidents.put(summaryOf(1, { state: 'open' }), 'open', content(200_000))
  const bytes = content(200_000)
  await mkdir(to)
  await writeFile(
    join(to, `${id}.open.150000.${sha256(bytes.slice(0, 150_000))}.part`),
    bytes.slice(0, 70_000),
  )
  const remote = await rig.connect((await rig.publisher()).url)
  const starts: number[] = []
  const fetched = await remote.fetchIncident(id, {
    to,
    onProgress: ({ resumedFrom }) => starts.push(resumedFrom),
  })
  expect(fetched.bytes).toBe(150_000)
  expect(starts[0]).toBe(70_000)
})

test('a part of a snapshot gives way to the finished incident', async () => {
  const bytes = content(200_000)
  rig.incidents.put(summaryOf(1), 'gzip', bytes)
  await mkdir(to)
  await writeFile(join(to, `${id}.open.150000.${'ab'.repeat(32)}.part`), bytes.slice(0, 70_000))
  const remote = await rig.connect((await rig.publisher()).url)
  const fetched = await remote.fetchIncident(id, { to })
  expect(fetched).toMatchObject({ representation: 'gzip', bytes: 200_000 })
  expect(await readdir(to)).toHaveLength(1)
})

test('an incident that is removed while it is fetched is fetched to its end', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', content(3_000_000))
  const remote = await rig.connect((await rig.publisher()).url)
  const { path } = await remote.fetchIncident(id, { to, onProgress: () => rig.incidents.remove(id) })
  expect((await stat(path)).size).toBe(3_000_000)
})

test('many fetches at once all arrive, a few at a time', async () => {
  for (let n = 1; n <= 12; n++) rig.incidents.put(summaryOf(n), 'gzip', content(100_000 + n))
  const remote = await rig.connect((await rig.publisher()).url)
  let most = 0
  rig.incidents.onRead = () => {
    most = Math.max(most, rig.incidents.openFiles)
  }
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, i) => remote.fetchIncident(summaryOf(i + 1).id, { to })),
  )
  expect(new Set(all.map(({ bytes }) => bytes)).size).toBe(12)
  expect(most).toBeLessThanOrEqual(4)
})

test('two fetches of one incident into one directory do no harm to each other', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', content(2_000_000))
  const { url } = await rig.publisher()
  const [a, b] = await Promise.all([rig.connect(url), rig.connect(url)])
  const [first, second] = await Promise.all([a.fetchIncident(id, { to }), b.fetchIncident(id, { to })])
  expect(first).toEqual(second)
  expect(sha256(await readFile(first.path))).toBe(first.sha256)
  expect(await readdir(to)).toHaveLength(1)
})

test('a directory that takes no file is a clear error', async () => {
  rig.incidents.put(summaryOf(1))
  await writeFile(to, 'a file in its place')
  const remote = await rig.connect((await rig.publisher()).url)
  await expect(remote.fetchIncident(id, { to })).rejects.toMatchObject({ code: 'FLOG_FETCH_FAILED' })
})
