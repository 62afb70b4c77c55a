import { createServer } from 'node:net'
import fc from 'fast-check'
import { encodeMessage, pack } from '../../src/remote/wire'
import { hostilePublisher, type Says } from './support/hostile'
import { Rig, take } from './support/rig'
import { eventBytes, INCARNATION, sha256, summaryOf } from './support/sources'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

const hostile = (says: Says): Promise<string> => hostilePublisher(rig, says)
const item = (id: number, content: object): Uint8Array => encodeMessage({ type: 'item', id, item: content })
const result = (id: number, content: unknown): Uint8Array =>
  encodeMessage({ type: 'result', id, result: content })
const protocolError = expect.objectContaining({ code: 'FLOG_REMOTE_PROTOCOL' })

test('more items than there was credit for end the connection', async () => {
  const entries = [eventBytes(1, 9, 'x', '', {})]
  const url = await hostile((_, id, send) => {
    for (let i = 0; i < 1000; i++) send(item(id, { entries, position: 'x' }))
  })
  const remote = await rig.connect(url)
  const tail = remote.tail()
  await tail.next()
  await expect(take(tail, 1000)).rejects.toEqual(protocolError)
})

const badAnswers: readonly (readonly [string, (id: number) => Uint8Array])[] = [
  ['a list that is none', (id) => result(id, 'nothing')],
  ['a summary without id', (id) => result(id, { incidents: [{}], open: [], cursor: 'x', more: false })],
  [
    'an id that is a path',
    (id) => result(id, { incidents: [{ ...summaryOf(1), id: '../../x' }], open: [], cursor: 'x' }),
  ],
  [
    'an id of another incident',
    (id) => result(id, { incidents: [{ ...summaryOf(1), number: 2 }], open: [], cursor: 'x' }),
  ],
  [
    'a state that is none',
    (id) => result(id, { incidents: [{ ...summaryOf(1), state: 'lost' }], open: [], cursor: 'x' }),
  ],
  [
    'a trigger without event',
    (id) => result(id, { incidents: [{ ...summaryOf(1), trigger: {} }], open: [], cursor: 'x' }),
  ],
  ['no cursor', (id) => result(id, { incidents: [], open: [] })],
  ['an item for a single answer', (id) => item(id, {})],
  ['bytes that are no message', () => Uint8Array.from([0xc1])],
  ['an answer to nothing that was asked', () => result(77, {})],
  ['an error without a code', (id) => pack({ type: 'error', id, message: 'no' })],
]

test.each(badAnswers)('%s is an error of the protocol', async (_, answer) => {
  const url = await hostile((_method, id, send) => send(answer(id)))
  const remote = await rig.connect(url)
  await expect(remote.listIncidents()).rejects.toEqual(protocolError)
})

test('an error with a code that nobody knows is a failure of the publisher, with its message', async () => {
  const url = await hostile((_, id, send) =>
    send(pack({ type: 'error', id, code: 'ENOENT', message: 'gone' })),
  )
  const remote = await rig.connect(url)
  await expect(remote.listIncidents()).rejects.toMatchObject({ code: 'FLOG_REMOTE_FAILED', message: 'gone' })
})

test('a summary keeps what a newer version adds, and lacks what was absent', async () => {
  const newer = { ...summaryOf(1), closedAt: null, mood: 'bad' }
  const url = await hostile((_, id, send) =>
    send(result(id, { incidents: [newer], open: [], cursor: 'x', more: false })),
  )
  const remote = await rig.connect(url)
  const { incidents } = await remote.listIncidents()
  expect(incidents[0]).toMatchObject({ mood: 'bad', number: 1 })
  expect(incidents[0]).not.toHaveProperty('closedAt')
})

const offer = { representation: 'gzip', size: 10, sha256: sha256(new Uint8Array(10)) }
const badFetches: readonly (readonly [string, readonly object[]])[] = [
  ['no offer', [{ data: new Uint8Array(10) }]],
  ['an offset beyond the end', [{ offer, offset: 11, openedAt: 1 }]],
  ['a checksum that is none', [{ offer: { ...offer, sha256: '../..' }, offset: 0, openedAt: 1 }]],
  [
    'a representation that is none',
    [{ offer: { ...offer, representation: '/tmp' }, offset: 0, openedAt: 1 }],
  ],
  ['a time that is none', [{ offer, offset: 0, openedAt: -1 }]],
  ['more bytes than were offered', [{ offer, offset: 0, openedAt: 1 }, { data: new Uint8Array(11) }]],
  ['data that is text', [{ offer, offset: 0, openedAt: 1 }, { data: 'abc' }]],
]

test.each(badFetches)('a fetch with %s is an error of the protocol', async (_, items) => {
  const url = await hostile((_method, id, send) => {
    for (const content of items) send(item(id, content))
  })
  const remote = await rig.connect(url)
  const to = `${await rig.directory()}/fetched`
  await expect(remote.fetchIncident(`${INCARNATION}-1`, { to })).rejects.toEqual(protocolError)
})

test('a fetch that ends early is a mismatch, not a file', async () => {
  const url = await hostile((_, id, send) => {
    send(item(id, { offer, offset: 0, openedAt: 1 }))
    send(result(id, {}))
  })
  const remote = await rig.connect(url)
  const to = `${await rig.directory()}/fetched`
  await expect(remote.fetchIncident(`${INCARNATION}-1`, { to })).rejects.toMatchObject({
    code: 'FLOG_FETCH_MISMATCH',
  })
})

test('whatever a publisher answers, the client gets an answer or an error of ours', async () => {
  const answers = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => () => bytes),
    fc.object({ maxDepth: 3 }).map((object) => (id: number) => result(id, object)),
    fc
      .record({ at: fc.nat(300), flip: fc.integer({ min: 1, max: 255 }) })
      .map(({ at, flip }) => (id: number) => {
        const page = { incidents: [summaryOf(1)], open: [], cursor: 'x', more: false }
        return result(id, page).map((byte, i) => (i === at ? byte ^ flip : byte))
      }),
  )
  await fc.assert(
    fc.asyncProperty(answers, async (answer) => {
      const own = new Rig()
      const url = await hostile((_, id, send) => send(answer(id)))
      const remote = await own.connect(url, { reconnect: false })
      const abort = new AbortController()
      const timer = setTimeout(() => abort.abort(), 200)
      const outcome: unknown = await remote
        .listIncidents({ signal: abort.signal })
        .catch((error: unknown) => error)
      clearTimeout(timer)
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: expect.stringMatching(/^FLOG_/) })
      await own.end()
    }),
    { numRuns: 60 },
  )
})

test('a publisher that falls silent is given up after a while, by the signal at once', async () => {
  const url = await hostile(() => undefined)
  const remote = await rig.connect(url)
  const abort = new AbortController()
  const pending = remote.listIncidents({ signal: abort.signal })
  abort.abort()
  await expect(pending).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
})

test('another program that took the port is not told anything', async () => {
  const publisher = await rig.publisher()
  const { url, port } = publisher
  await publisher.close()
  const heard: string[] = []
  const impostor = createServer((socket) => {
    socket.on('data', (bytes) => {
      heard.push(bytes.toString('latin1'))
      socket.end('HTTP/1.1 404 Not Found\r\n\r\n')
    })
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => impostor.listen(port, '127.0.0.1', resolve))
  rig.onEnd(() => impostor.close())
  await expect(rig.connect(url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
  expect(heard.join('')).toMatch(/^GET \/ HTTP\/1\.1\r\n/)
  expect(heard.join('')).not.toContain((url.split('.').at(-1) ?? '').slice(0, 20))
})
