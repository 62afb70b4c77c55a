import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { FakeClock } from './support/fake-clock'
import { dialRaw, RawPeer } from './support/raw'
import { Rig, until } from './support/rig'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })

for (const tls of [false, true]) {
  describe(tls ? 'over TLS' : 'without TLS', () => {
    test('a connection that proves nothing is ended when its time is over', async () => {
      const clock = new FakeClock()
      const publisher = await rig.publisher({ tls, clock })
      const silent = connect(publisher.port, '127.0.0.1')
      const opened = await dialRaw(publisher.url)
      const ended = new Promise((resolve) => opened.read({ message: () => undefined, closed: resolve }))
      expect(publisher.stats().unauthenticated).toBe(2)
      clock.advance(4999)
      expect(publisher.stats().unauthenticated).toBe(2)
      clock.advance(1)
      await Promise.all([closed(silent), ended])
      await until(() => publisher.stats().unauthenticated === 0)
      expect(publisher.stats()).toMatchObject({ turnedAway: 2, accepted: 0 })
    })

    test('a client that proves itself stays when that time is over', async () => {
      const clock = new FakeClock()
      const publisher = await rig.publisher({ tls, clock })
      const remote = await rig.connect(publisher.url)
      clock.advance(10_000)
      expect((await remote.listIncidents()).incidents).toEqual([])
    })

    test('strangers push out strangers, the oldest first, and never a client', async () => {
      const publisher = await rig.publisher({ tls, limits: { unauthenticated: 2 } })
      const remote = await rig.connect(publisher.url)
      const [first, second, third] = [0, 1, 2].map(() => connect(publisher.port, '127.0.0.1')) as [
        Socket,
        Socket,
        Socket,
      ]
      rig.onEnd(() => {
        second.destroy()
        third.destroy()
      })
      await closed(first)
      expect(publisher.stats().unauthenticated).toBe(2)
      expect((await remote.listIncidents()).incidents).toEqual([])
      await expect(rig.connect(publisher.url)).resolves.toBeDefined()
    })
  })
}

test('clients over the limit are refused with the reason', async () => {
  const publisher = await rig.publisher({ limits: { connections: 2 } })
  await rig.connect(publisher.url)
  const second = await rig.connect(publisher.url)
  await expect(rig.connect(publisher.url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_BUSY' })
  expect(publisher.stats()).toMatchObject({ connections: 2, refused: 1 })
  await second.close()
  await expect(rig.connect(publisher.url, { waitForPublisher: true })).resolves.toBeDefined()
})

test('bytes before the proof are counted: too many end the connection', async () => {
  const publisher = await rig.publisher()
  const socket = await dialRaw(publisher.url)
  const ended = new Promise((resolve) => socket.read({ message: () => undefined, closed: resolve }))
  socket.send(new Uint8Array(100_000))
  await ended
  expect(publisher.stats().accepted).toBe(0)
})

test('something that is no handshake is told so', async () => {
  const publisher = await rig.publisher()
  const socket = await dialRaw(publisher.url)
  const ended = new Promise((resolve) => socket.read({ message: () => undefined, closed: resolve }))
  socket.send(Uint8Array.from([0x81, 0xa1, 0x78, 0xc1]))
  expect(await ended).toMatchObject({ code: 4400 })
})

function upgrade(port: number, headers: Record<string, string>, path = '/'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const all = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', ...headers }
    const key = { 'sec-websocket-key': Buffer.alloc(16).toString('base64') }
    const sent = request({ port, host: '127.0.0.1', path, headers: { ...all, ...key } })
    sent.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode)
    })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('web pages, other paths, other protocols and plain requests are refused', async () => {
  const { port } = await rig.publisher()
  const flog = { 'sec-websocket-protocol': 'flog' }
  expect(await upgrade(port, flog)).toBe(101)
  expect(await upgrade(port, { ...flog, origin: 'http://evil.example' })).toBe(403)
  expect(await upgrade(port, { 'sec-websocket-protocol': 'chat' })).toBe(400)
  expect(await upgrade(port, {})).toBe(400)
  expect(await upgrade(port, flog, '/etc/passwd')).toBe(400)
  const response = await fetch(`http://127.0.0.1:${port}/`)
  expect(response.status).toBe(426)
  expect(await response.text()).toContain('logport')
})

test('a port that is taken is a clear error', async () => {
  const { port } = await rig.publisher()
  await expect(rig.publisher({ port })).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
})

test('a publisher that closes tells its clients, and leaves the port', async () => {
  const publisher = await rig.publisher()
  const peer = await RawPeer.connect(publisher.url)
  await publisher.close()
  expect(await peer.ended).toMatchObject({ code: 1001 })
  await expect(rig.publisher({ port: publisher.port })).resolves.toBeDefined()
})
