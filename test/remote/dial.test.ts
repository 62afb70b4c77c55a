import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { SystemClock } from '../../src/base/clock'
import { systemRandom } from '../../src/base/random'
import { createTlsIdentity } from '../../src/remote/certificate'
import { dial } from '../../src/remote/dial'
import { formatLogport, parseLogport } from '../../src/remote/logport'
import { FakeClock } from './support/fake-clock'
import { Rig } from './support/rig'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

const never = new AbortController().signal
const options = {
  clock: new SystemClock(),
  maxMessageBytes: 1e6,
  timeoutMs: 5000,
  signal: never,
  keepAlive: true,
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  rig.onEnd(() => server.close())
  return (server.address() as AddressInfo).port
}

test('an impostor with another key gets no application byte', async () => {
  const publisher = await rig.publisher({ tls: true })
  const impostor = createTlsIdentity(systemRandom)
  const received: Buffer[] = []
  const server = createTlsServer({ key: impostor.key, cert: impostor.certificate }, (socket) => {
    socket.on('data', (bytes) => received.push(bytes))
    socket.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  const over = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)))
  const port = await listening(server)
  const url = formatLogport({ ...parseLogport(publisher.url), port })
  await expect(rig.connect(url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNTRUSTED' })
  await over
  expect(Buffer.concat(received)).toHaveLength(0)
})

test('a program without TLS at the port of one with TLS gets nothing but the start of TLS', async () => {
  const publisher = await rig.publisher({ tls: true })
  const received: Buffer[] = []
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('data', (bytes) => {
        received.push(bytes)
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      })
      socket.on('error', () => undefined)
    }),
  )
  const url = formatLogport({ ...parseLogport(publisher.url), port })
  await expect(rig.connect(url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
  const { secret } = parseLogport(publisher.url)
  expect(Buffer.concat(received)[0]).toBe(22)
  expect(Buffer.concat(received).includes(Buffer.from(secret).toString('base64url'))).toBe(false)
})

test('nothing of the secret goes over an unencrypted line', async () => {
  const publisher = await rig.publisher()
  const logport = parseLogport(publisher.url)
  const received: Buffer[] = []
  const { connect } = await import('node:net')
  const port = await listening(
    createTcpServer((client) => {
      const server = connect(publisher.port, '127.0.0.1')
      client.on('data', (bytes) => received.push(bytes)).pipe(server)
      server.on('data', (bytes) => received.push(bytes)).pipe(client)
      for (const socket of [client, server]) socket.on('error', () => undefined)
    }),
  )
  const remote = await rig.connect(formatLogport({ ...logport, port }))
  await remote.listIncidents()
  const wire = Buffer.concat(received)
  expect(wire.length).toBeGreaterThan(500)
  for (const form of [
    Buffer.from(logport.secret),
    ...(['hex', 'base64', 'base64url'] as const).map(secretAs),
  ]) {
    expect(wire.includes(form)).toBe(false)
  }
  function secretAs(encoding: BufferEncoding): Buffer {
    return Buffer.from(Buffer.from(logport.secret).toString(encoding))
  }
})

test('nobody at the port is told as such, without the secret', async () => {
  const publisher = await rig.publisher()
  const { url } = publisher
  await publisher.close()
  const error: unknown = await rig.connect(url).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'FLOG_REMOTE_UNREACHABLE',
    message: expect.stringContaining('is the process running'),
  })
  expect(String(error)).not.toContain(url.split('#')[1])
})

test('a port that never answers is given up after the time, or at the signal', async () => {
  const silent = await listening(createTcpServer((socket) => void socket.on('error', () => undefined)))
  const logport = { ...parseLogport((await rig.publisher()).url), port: silent }
  const clock = new FakeClock()
  const late = dial(logport, { ...options, clock })
  clock.advance(5001)
  await expect(late).rejects.toMatchObject({
    code: 'FLOG_REMOTE_UNREACHABLE',
    message: expect.stringContaining('in time'),
  })
  const abort = new AbortController()
  const cancelled = dial(logport, { ...options, signal: abort.signal })
  abort.abort()
  await expect(cancelled).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  await expect(dial(logport, { ...options, signal: abort.signal })).rejects.toMatchObject({
    code: 'FLOG_ABORTED',
  })
})

test('a web server that is no publisher is told apart', async () => {
  const { createServer } = await import('node:http')
  const port = await listening(createServer((_, response) => void response.end('hello')))
  const logport = { ...parseLogport((await rig.publisher()).url), port }
  await expect(dial(logport, options)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
})
