import type { ConnectionState } from '../../src/remote/connection'
import { formatLogport, parseLogport } from '../../src/remote/logport'
import { FakeClock } from './support/fake-clock'
import { Line } from './support/line'
import { Rig, until } from './support/rig'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

const kinds = (states: readonly ConnectionState[]): string => states.map((state) => state.kind).join(' ')

test('its states are told, from the first attempt to the end', async () => {
  const line = await Line.to((await rig.publisher()).url)
  rig.onEnd(() => line.close())
  const states: ConnectionState[] = []
  const emitted: ConnectionState[] = []
  const remote = await rig.connect(line.url, { onConnection: (state) => states.push(state) })
  remote.on('connection', (state) => emitted.push(state))
  line.cut()
  await until(() => kinds(states).endsWith('waiting connecting connected'))
  await remote.close()
  expect(kinds(states)).toBe('connecting connected waiting connecting connected closed')
  expect(kinds(emitted)).toBe('waiting connecting connected closed')
  expect(states[2]).toMatchObject({ error: { code: 'FLOG_REMOTE_LOST' }, ms: expect.any(Number) })
  expect(states.at(-1)).toEqual({ kind: 'closed' })
})

test('it waits between attempts as the backoff says, and by its clock alone', async () => {
  const publisher = await rig.publisher()
  const { url, port } = publisher
  await publisher.close()
  const clock = new FakeClock()
  const states: ConnectionState[] = []
  const waits = (): readonly number[] =>
    states.flatMap((state) => (state.kind === 'waiting' ? [state.ms] : []))
  const random = { bytes: (n: number) => new Uint8Array(n).fill(7), fraction: () => 0.5 }
  const onConnection = (state: ConnectionState): void => void states.push(state)
  const backoff = { firstMs: 100, maxMs: 400 }
  const connecting = rig.connect(url, { clock, random, backoff, waitForPublisher: true, onConnection })
  for (let attempt = 1; attempt <= 5; attempt++) {
    await until(() => waits().length === attempt)
    if (attempt < 5) clock.advance(waits()[attempt - 1] as number)
  }
  expect(waits()).toEqual([50, 100, 200, 200, 200])
  await rig.publisher({ port })
  clock.advance(200)
  await expect(connecting).resolves.toBeDefined()
})

test('a request that was under way when the connection was lost is asked again', async () => {
  const line = await Line.to((await rig.publisher()).url)
  rig.onEnd(() => line.close())
  const remote = await rig.connect(line.url)
  const { list } = rig.incidents
  let calls = 0
  rig.incidents.list = async () => {
    if (++calls === 1) line.cut()
    return list.call(rig.incidents)
  }
  expect((await remote.listIncidents()).incidents).toEqual([])
  expect(line.connections).toBe(2)
})

test('a capture that was under way is not asked for twice', async () => {
  let captures = 0
  const capture = async () => {
    captures++
    line.cut()
    return undefined
  }
  const line = await Line.to((await rig.publisher({ capture })).controlUrl)
  rig.onEnd(() => line.close())
  const remote = await rig.connect(line.url)
  await expect(remote.capture('once')).rejects.toMatchObject({ code: 'FLOG_REMOTE_LOST' })
  await remote.listIncidents()
  expect(captures).toBe(1)
})

test('without reconnecting, the end of the connection is the end', async () => {
  const line = await Line.to((await rig.publisher()).url)
  rig.onEnd(() => line.close())
  const remote = await rig.connect(line.url, { reconnect: false })
  const news = remote.subscribeToIncidents()
  await news.next()
  line.cut()
  await expect(news.next()).rejects.toMatchObject({ code: 'FLOG_REMOTE_LOST' })
  await expect(remote.listIncidents()).rejects.toMatchObject({ code: 'FLOG_REMOTE_LOST' })
})

test('a secret that is not accepted any more is final', async () => {
  const publisher = await rig.publisher()
  const line = await Line.to(publisher.url)
  rig.onEnd(() => line.close())
  const states: ConnectionState[] = []
  const remote = await rig.connect(line.url, { onConnection: (state) => states.push(state) })
  await publisher.close()
  const keys = `${await rig.directory()}/other-keys`
  await rig.publisher({ port: publisher.port, keys })
  await until(() => states.at(-1)?.kind === 'closed')
  await expect(remote.listIncidents()).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNTRUSTED' })
})

test('a wrong secret is an error at once, without another attempt', async () => {
  const publisher = await rig.publisher()
  const wrong = formatLogport({ ...parseLogport(publisher.url), secret: new Uint8Array(32) })
  await expect(rig.connect(wrong, { waitForPublisher: true })).rejects.toMatchObject({
    code: 'FLOG_REMOTE_UNTRUSTED',
  })
  const swapped = formatLogport({ ...parseLogport(publisher.url), role: 'control' })
  await expect(rig.connect(swapped)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNTRUSTED' })
  await until(() => publisher.stats().turnedAway === 2)
  expect(publisher.stats().accepted).toBe(0)
})

test('connecting can be cancelled while nobody is there', async () => {
  const publisher = await rig.publisher()
  await publisher.close()
  const abort = new AbortController()
  const connecting = rig.connect(publisher.url, { waitForPublisher: true, signal: abort.signal })
  setImmediate(() => abort.abort())
  await expect(connecting).rejects.toMatchObject({ code: expect.stringMatching(/FLOG_(ABORTED|CLOSED)/) })
})

test('closing twice is closing once', async () => {
  const remote = await rig.connect((await rig.publisher()).url)
  await Promise.all([remote.close(), remote.close()])
  await remote.close()
})
