import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Listener } from '../../src/remote/listener'
import { formatLogport } from '../../src/remote/logport'
import { encodeMessage } from '../../src/remote/wire'
import { hostilePublisher, SECRET } from './support/hostile'
import { systemClock } from './support/raw'
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
const bytes = new Uint8Array(1000).fill(7)
const openedAt = 1_763_765_549_000_000
const offerOf = (size: number, offset = 0) => ({
  offer: { representation: 'gzip', size, sha256: sha256(bytes) },
  offset,
  openedAt,
})

/** Fetches from a publisher that answers with these items, and then that it is done. */
async function fetched(items: readonly object[], maxBytes?: number): Promise<unknown> {
  const url = await hostilePublisher(rig, (_, request, send) => {
    for (const item of items) send(encodeMessage({ type: 'item', id: request, item }))
    send(encodeMessage({ type: 'result', id: request, result: {} }))
  })
  const remote = await rig.connect(url)
  return remote.fetchIncident(id, { to, ...(maxBytes !== undefined && { maxBytes }) })
}

test('what it should be', async () => {
  await expect(fetched([offerOf(1000), { data: bytes }])).resolves.toMatchObject({ bytes: 1000 })
})

test('a file larger than the caller takes is refused before a byte of it is written', async () => {
  await expect(fetched([offerOf(1000), { data: bytes }], 999)).rejects.toMatchObject({
    code: 'FLOG_FETCH_TOO_LARGE',
    message: expect.stringContaining('1000 bytes'),
  })
  expect(await readdir(to).catch(() => [])).toEqual([])
})

test('the size of a whole disk is refused also where nobody said how much', async () => {
  await expect(fetched([offerOf(2 ** 50)])).rejects.toMatchObject({ code: 'FLOG_FETCH_TOO_LARGE' })
})

test('more bytes than announced are an error, and none of them is kept under the name', async () => {
  const more = Array.from({ length: 10 }, () => ({ data: bytes }))
  await expect(fetched([offerOf(1000), ...more])).rejects.toMatchObject({ code: 'FLOG_REMOTE_PROTOCOL' })
  expect((await readdir(to)).filter((name) => !name.endsWith('.part'))).toEqual([])
})

test('fewer bytes than announced are an error, after a second try', async () => {
  await expect(fetched([offerOf(2000), { data: bytes }])).rejects.toMatchObject({
    code: 'FLOG_FETCH_MISMATCH',
  })
  expect(await readdir(to)).toEqual([])
})

test('a beginning where nothing is here yet is an error', async () => {
  await expect(fetched([offerOf(1000, 500), { data: bytes.slice(500) }])).rejects.toMatchObject({
    code: 'FLOG_REMOTE_PROTOCOL',
  })
  expect(await readdir(to).catch(() => [])).toEqual([])
})

test('a page that promises another one, and has nothing, is an error', async () => {
  const url = await hostilePublisher(rig, (_, request, send) => {
    const result = { incidents: [], open: [], cursor: 'x', more: true }
    send(encodeMessage({ type: 'result', id: request, result }))
  })
  await expect((await rig.connect(url)).listIncidents()).rejects.toMatchObject({
    code: 'FLOG_REMOTE_PROTOCOL',
  })
})

test.each([-1, 0, 1.5, Number.NaN, 'text', null])(
  '%p among the events of a tail is an error',
  async (entry) => {
    const url = await hostilePublisher(rig, (_, request, send) => {
      const item = { entries: [entry], position: 'x' }
      send(encodeMessage({ type: 'item', id: request, item }))
    })
    const tail = (await rig.connect(url)).tail()
    await expect(tail.next()).rejects.toMatchObject({ code: 'FLOG_REMOTE_PROTOCOL' })
  },
)

test('something to append before there is a cursor is an error', async () => {
  const url = await hostilePublisher(rig, (_, request, send) => {
    send(encodeMessage({ type: 'item', id: request, item: { incident: summaryOf(1), append: '.x' } }))
  })
  const news = (await rig.connect(url)).subscribeToIncidents()
  await expect(news.next()).rejects.toMatchObject({ code: 'FLOG_REMOTE_PROTOCOL' })
})

test('one that opens, and then says nothing, does not keep connect from being cancelled', async () => {
  let opened = 0
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    maxMessageBytes: 1e6,
    maxUnauthenticated: 8,
    authenticationMs: 60_000,
    maxUnauthenticatedBytes: 8192,
    onSocket: () => void opened++,
  })
  rig.onEnd(() => listener.close())
  const url = formatLogport({ host: '127.0.0.1', port: listener.port, role: 'read', secret: SECRET })
  const abort = new AbortController()
  const connecting = rig.connect(url, { signal: abort.signal })
  await until(() => opened === 1)
  const start = performance.now()
  abort.abort()
  await expect(connecting).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  expect(performance.now() - start).toBeLessThan(2000)
})
