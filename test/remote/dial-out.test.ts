import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { acceptPublishers, type PublisherPort } from '../../src/remote/accept'
import type { Remote } from '../../src/remote/client'
import type { DialOutState } from '../../src/remote/dial-out'
import { Rig, take, until } from './support/rig'
import { sha256, summaryOf } from './support/sources'

let rig: Rig
let remotes: Remote[]
beforeEach(() => {
  rig = new Rig()
  remotes = []
})
afterEach(() => rig.end())

async function collector(options: { tls?: boolean; port?: number } = {}): Promise<PublisherPort> {
  const keys = join(await rig.directory(), 'collector')
  const port = await acceptPublishers({ keys, onPublisher: (remote) => remotes.push(remote), ...options })
  rig.onEnd(() => port.close())
  return port
}

for (const tls of [false, true]) {
  test(`a publisher that dialled out is served as any other${tls ? ', over TLS' : ''}`, async () => {
    const port = await collector({ tls })
    const publisher = await rig.publisher({ tls })
    publisher.dialOut(port.url)
    await until(() => remotes.length === 1)
    const [remote] = remotes as [Remote]
    expect(remote.about).toMatchObject({ service: 'shop', allows: 'read' })
    const bytes = Buffer.alloc(500_000, 'bytes ')
    rig.incidents.put(summaryOf(1), 'gzip', bytes)
    expect((await remote.listIncidents()).incidents).toHaveLength(1)
    const { path } = await remote.fetchIncident(summaryOf(1).id, { to: join(await rig.directory(), 'spool') })
    expect(sha256(await readFile(path))).toBe(sha256(bytes))
    const news = remote.subscribeToIncidents({ catchUp: true })
    expect((await take(news, 1))[0]).toMatchObject({ kind: 'incident' })
    rig.events.log('hello')
    expect((await take(remote.tail({ catchUp: true }), 1))[0]).toMatchObject({ message: 'hello' })
    await expect(remote.capture('x')).rejects.toMatchObject({ code: 'FLOG_REMOTE_FORBIDDEN' })
  })
}

test('a publisher that allows control can be asked for an incident', async () => {
  const port = await collector()
  const publisher = await rig.publisher({ capture: async () => summaryOf(7) })
  publisher.dialOut(port.url, { allow: 'control' })
  await until(() => remotes.length === 1)
  expect(await remotes[0]!.capture('a peer had an incident')).toMatchObject({ number: 7 })
})

test('it dials again when the collector comes back, and says what it does meanwhile', async () => {
  const port = await collector()
  const publisher = await rig.publisher()
  const states: DialOutState[] = []
  const dialled = publisher.dialOut(port.url, { onState: (state) => states.push(state) })
  await until(() => remotes.length === 1)
  const [first] = remotes as [Remote]
  await port.close()
  await expect(first.listIncidents()).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  await until(() => states.some((state) => state.kind === 'waiting'))
  await collector({ port: port.port })
  await until(() => remotes.length === 2)
  expect((await remotes[1]!.listIncidents()).incidents).toEqual([])
  expect(states[0]).toEqual({ kind: 'connected' })
  await dialled.close()
  await until(() => publisher.stats().connections === 0)
})

test('a collector without the secret gets nothing, and is tried again', async () => {
  const port = await collector()
  const other = await acceptPublishers({
    keys: join(await rig.directory(), 'other'),
    onPublisher: (remote) => remotes.push(remote),
  })
  rig.onEnd(() => other.close())
  const publisher = await rig.publisher()
  const states: DialOutState[] = []
  publisher.dialOut(port.url.replace(`:${port.port}/`, `:${other.port}/`), {
    onState: (state) => states.push(state),
  })
  await until(() => states.length > 0)
  expect(states[0]).toMatchObject({ kind: 'waiting', error: { code: 'FLOG_REMOTE_UNTRUSTED' } })
  expect(remotes).toEqual([])
})

test('logports are for what they say', async () => {
  const port = await collector()
  const publisher = await rig.publisher()
  expect(() => publisher.dialOut(publisher.url)).toThrow(
    expect.objectContaining({ code: 'FLOG_LOGPORT_INVALID' }),
  )
  await expect(rig.connect(port.url)).rejects.toMatchObject({ code: 'FLOG_LOGPORT_INVALID' })
  await publisher.close()
  expect(() => publisher.dialOut(port.url)).toThrow(expect.objectContaining({ code: 'FLOG_CLOSED' }))
})
