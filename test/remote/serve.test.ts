import fc from 'fast-check'
import type { Remote } from '../../src/remote/client'
import type { Publisher } from '../../src/remote/publisher'
import { encodeMessage, pack } from '../../src/remote/wire'
import { FakeClock } from './support/fake-clock'
import { RawPeer } from './support/raw'
import { Rig, until } from './support/rig'
import { INCARNATION, summaryOf } from './support/sources'

let rig: Rig
let publisher: Publisher
beforeEach(async () => {
  rig = new Rig()
  publisher = await rig.publisher({ capture: async (reason) => summaryOf(9, { service: reason }) })
})
afterEach(() => rig.end())

const errorOf = async (peer: RawPeer, id: number): Promise<unknown> => (await peer.answerTo(id)).map['code']

test('an unknown request is answered with an error, and the connection goes on', async () => {
  const peer = await RawPeer.connect(publisher.url)
  peer.request(1, 'reboot', { force: true })
  peer.socket.send(pack({ type: 'wish', id: 2 }))
  peer.request(3, 'list')
  expect(await errorOf(peer, 1)).toBe('FLOG_REMOTE_UNSUPPORTED')
  expect(await errorOf(peer, 2)).toBe('FLOG_REMOTE_UNSUPPORTED')
  expect((await peer.answerTo(3)).map['type']).toBe('result')
})

test('unknown fields and parameters are ignored', async () => {
  const peer = await RawPeer.connect(publisher.url)
  peer.socket.send(pack({ type: 'request', id: 1, method: 'list', params: { colour: 'red' }, mood: 'good' }))
  expect((await peer.answerTo(1)).map['type']).toBe('result')
})

const badParams: readonly (readonly [string, object, string])[] = [
  ['list', { limit: 0 }, 'FLOG_REMOTE_REQUEST'],
  ['list', { since: 7 }, 'FLOG_REMOTE_REQUEST'],
  ['list', { since: 'nonsense' }, 'FLOG_CURSOR_INVALID'],
  ['fetch', {}, 'FLOG_REMOTE_REQUEST'],
  ['fetch', { incident: '../../etc/passwd' }, 'FLOG_REMOTE_REQUEST'],
  ['fetch', { incident: `${INCARNATION}-1`, resume: { offset: 3 } }, 'FLOG_REMOTE_REQUEST'],
  ['fetch', { incident: `${INCARNATION}-77` }, 'FLOG_INCIDENT_UNKNOWN'],
  ['incidents', { since: 'nonsense' }, 'FLOG_CURSOR_INVALID'],
  ['tail', { severity: 99 }, 'FLOG_REMOTE_REQUEST'],
  ['tail', { facility: ['a'] }, 'FLOG_REMOTE_REQUEST'],
  ['tail', { from: 'yesterday' }, 'FLOG_CURSOR_INVALID'],
  ['capture', { reason: 'x' }, 'FLOG_REMOTE_FORBIDDEN'],
]

test.each(badParams)('%s %j is answered with %s', async (method, params, code) => {
  const peer = await RawPeer.connect(publisher.url)
  peer.request(1, method, params)
  expect(await errorOf(peer, 1)).toBe(code)
  peer.request(2, 'about')
  expect((await peer.answerTo(2)).map['type']).toBe('result')
})

test('capture works with the control logport, and only with it', async () => {
  const control = await rig.connect(publisher.controlUrl)
  expect(control.about.allows).toBe('control')
  expect(await control.capture('the operator asked')).toMatchObject({
    number: 9,
    service: 'the operator asked',
  })
  const reader = await rig.connect(publisher.url)
  await expect(reader.capture('me too')).rejects.toMatchObject({ code: 'FLOG_REMOTE_FORBIDDEN' })
})

test('a directory has no tail and captures nothing', async () => {
  const directory = await rig.publisher({ events: undefined, capture: undefined })
  const remote = await rig.connect(directory.controlUrl)
  expect(remote.about.tail).toBe(false)
  await expect(remote.tail().next()).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNSUPPORTED' })
  await expect(remote.capture('x')).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNSUPPORTED' })
})

const malformed: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array()],
  ['a list', pack([1])],
  ['no id', pack({ type: 'request', method: 'about' })],
  ['an id that is no number', pack({ type: 'request', id: 'x', method: 'about' })],
  ['a method that is no text', pack({ type: 'request', id: 1, method: 7 })],
  ['params that are no map', pack({ type: 'request', id: 1, method: 'about', params: [1] })],
  ['credit that is none', pack({ type: 'credit', id: 1, messages: 0 })],
  ['endless credit', pack({ type: 'credit', id: 1, messages: 1e9 })],
  ['two messages in one', Buffer.concat([pack({ type: 'cancel', id: 1 }), pack({ type: 'cancel', id: 1 })])],
  ['a length beyond the end', Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff])],
  ['a record extension', Uint8Array.from([0xd4, 0x72, 0x40])],
  ['nesting without end', new Uint8Array(100_000).fill(0x91)],
]

test.each(malformed)('%s closes the connection with a reason', async (_, bytes) => {
  const peer = await RawPeer.connect(publisher.url)
  peer.socket.send(bytes)
  expect(await peer.ended).toMatchObject({ code: 4400, reason: expect.stringMatching(/.{10}/) })
  await until(() => publisher.stats().connections === 0)
  expect(publisher.stats().malformed).toBe(1)
})

test('a request id that is in use closes the connection', async () => {
  const peer = await RawPeer.connect(publisher.url)
  peer.request(1, 'tail')
  peer.request(1, 'tail')
  expect(await peer.ended).toMatchObject({ code: 4400 })
})

test('a message over the limit closes the connection before it is held in memory', async () => {
  const peer = await RawPeer.connect(publisher.url)
  peer.socket.send(new Uint8Array(2 * 1024 * 1024))
  expect(await peer.ended).toMatchObject({ code: 1009 })
})

test('more requests than a connection may have are refused, one by one', async () => {
  const peer = await RawPeer.connect(publisher.url)
  for (let id = 1; id <= 33; id++) peer.request(id, 'tail')
  expect(await errorOf(peer, 33)).toBe('FLOG_REMOTE_BUSY')
  peer.socket.send(encodeMessage({ type: 'cancel', id: 1 }))
  peer.request(34, 'about')
  expect((await peer.answerTo(34)).map['type']).toBe('result')
})

test('a publisher whose source fails says that it failed, and goes on', async () => {
  rig.incidents.list = () => Promise.reject(new Error('the disk is on fire'))
  const peer = await RawPeer.connect(publisher.url)
  peer.request(1, 'list')
  expect(await errorOf(peer, 1)).toBe('FLOG_REMOTE_FAILED')
})

test('a peer that answers no ping any more is let go', async () => {
  const clock = new FakeClock()
  const patient = await rig.publisher({ clock })
  const peer = await RawPeer.connect(patient.url)
  const arrived = new Promise<void>((resolve) => {
    const message = (): void => {
      peer.socket.read(undefined)
      resolve()
    }
    peer.socket.read({ message, closed: () => undefined })
  })
  // The second answer finds no reader, which stops the socket
  peer.request(1, 'about')
  peer.request(2, 'about')
  await arrived
  await new Promise((resolve) => setTimeout(resolve, 20))
  clock.advance(30_000)
  expect(patient.stats().connections).toBe(1)
  clock.advance(15_000)
  await until(() => patient.stats().connections === 0)
})

/** What a client says in an ordinary session. */
const session: readonly Uint8Array[] = [
  encodeMessage({ type: 'request', id: 1, method: 'about', params: {} }),
  encodeMessage({ type: 'request', id: 2, method: 'list', params: { limit: 10 } }),
  encodeMessage({ type: 'request', id: 3, method: 'incidents', params: { catchUp: true, credit: 16 } }),
  encodeMessage({
    type: 'request',
    id: 4,
    method: 'tail',
    params: { severity: 5, text: 'x', from: 'oldest' },
  }),
  encodeMessage({
    type: 'request',
    id: 5,
    method: 'fetch',
    params: { incident: `${INCARNATION}-1`, credit: 2 },
  }),
  encodeMessage({ type: 'credit', id: 5, messages: 4 }),
  encodeMessage({ type: 'cancel', id: 3 }),
  encodeMessage({ type: 'request', id: 6, method: 'capture', params: { reason: 'why' } }),
]

describe('whatever a client sends', () => {
  let witness: Remote
  beforeEach(async () => {
    rig.incidents.put(summaryOf(1), 'gzip', new Uint8Array(200_000))
    for (let i = 0; i < 100; i++) rig.events.log(`event ${i}`)
    witness = await rig.connect(publisher.url)
  })

  async function survives(messages: readonly Uint8Array[]): Promise<void> {
    const peer = await RawPeer.connect(publisher.url)
    for (const message of messages) peer.socket.send(message)
    await witness.listIncidents()
    peer.socket.terminate()
    await peer.ended
  }

  test('in another order, twice, or not at all, the publisher goes on', async () => {
    const orders = fc.array(fc.constantFrom(...session), { maxLength: 20 })
    await fc.assert(fc.asyncProperty(orders, survives), { numRuns: 40 })
  })

  test('with bytes changed, cut or added, the publisher goes on', async () => {
    const change = fc.record({
      message: fc.nat(session.length - 1),
      at: fc.nat(80),
      bytes: fc.uint8Array({ maxLength: 4 }),
    })
    const apply = (changes: readonly { message: number; at: number; bytes: Uint8Array }[]): Uint8Array[] =>
      session.map((bytes, i) => {
        const mine = changes.filter(({ message }) => message === i)
        return mine.reduce<Uint8Array>(
          (b, { at, bytes: put }) => Buffer.concat([b.slice(0, at), put, b.slice(at + 1)]),
          bytes,
        )
      })
    const mutated = fc.array(change, { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(mutated, (changes) => survives(apply(changes))),
      { numRuns: 80 },
    )
  })

  test('of any bytes, the publisher goes on', async () => {
    const garbage = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 })
    await fc.assert(fc.asyncProperty(garbage, survives), { numRuns: 40 })
  })

  afterEach(async () => {
    expect((await witness.listIncidents()).incidents).toHaveLength(1)
    await until(() => rig.incidents.openFiles === 0 && publisher.stats().connections === 1)
  })
})
