import { FlogError } from '../../src/base/errors'
import type { SocketReader } from '../../src/remote/message-socket'
import { encodeMessage } from '../../src/remote/wire'
import { FakeClock } from './support/fake-clock'
import { Line } from './support/line'
import { RawPeer } from './support/raw'
import { Rig, until } from './support/rig'
import { aboutTest, summaryOf } from './support/sources'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

async function standsStill(count: () => number): Promise<number> {
  for (let before = -1; ; ) {
    if (before === count()) return before
    before = count()
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

test('one that asks and asks, and takes no answer, is not read from until it does', async () => {
  let answers = 0
  const about = () => {
    answers++
    return { ...aboutTest(), version: 'x'.repeat(4000) }
  }
  const publisher = await rig.publisher({ about })
  const peer = await RawPeer.connect(publisher.url)
  const reader: SocketReader = { message: (bytes) => peer.take(bytes), closed: () => undefined }
  // The second answer finds no reader, which stops the socket
  peer.socket.read(undefined)
  for (let id = 1; id <= 20_000; id++) peer.request(id, 'about')
  // 80 MB of answers were asked for; what was made fits into the buffers of the system and a megabyte here
  expect(await standsStill(() => answers)).toBeLessThan(6000)
  peer.socket.read(reader)
  await peer.answerTo(20_000)
  expect(answers).toBe(20_000)
  expect(peer.received).toHaveLength(20_000)
})

test('requests that were cancelled count until the publisher has let go of them', async () => {
  let release: () => void = () => undefined
  const stuck = new Promise<void>((resolve) => {
    release = resolve
  })
  const list = rig.incidents.list.bind(rig.incidents)
  rig.incidents.list = () => stuck.then(list)
  const publisher = await rig.publisher()
  const peer = await RawPeer.connect(publisher.url)
  for (let id = 1; id <= 1000; id++) {
    peer.request(id, id % 2 === 0 ? 'list' : 'incidents')
    peer.socket.send(encodeMessage({ type: 'cancel', id }))
  }
  expect((await peer.answerTo(1000)).map['code']).toBe('FLOG_REMOTE_BUSY')
  expect(peer.received).toHaveLength(1000 - 32)
  release()
  peer.request(2000, 'list')
  while ((await peer.answerTo(2000)).map['type'] === 'error') {
    peer.received.length = 0
    peer.request(2000, 'list')
  }
  expect((await peer.answerTo(2000)).map['type']).toBe('result')
})

test('a fetch that was cancelled is not read any further', async () => {
  rig.incidents.put(summaryOf(1), 'gzip', new Uint8Array(64 * 1024 * 1024))
  const publisher = await rig.publisher()
  const peer = await RawPeer.connect(publisher.url)
  let furthest = 0
  rig.incidents.onRead = (position) => {
    if (furthest === 0) peer.socket.send(encodeMessage({ type: 'cancel', id: 1 }))
    furthest = position
  }
  peer.request(1, 'fetch', { incident: summaryOf(1).id })
  await until(() => furthest > 0)
  await until(() => rig.incidents.openFiles === 0)
  expect(furthest).toBeLessThan(60 * 1024 * 1024)
})

test('what went wrong inside is told by its kind, not in its words', async () => {
  const publisher = await rig.publisher()
  const peer = await RawPeer.connect(publisher.url)
  const answer = async (id: number, error: Error): Promise<unknown> => {
    rig.incidents.list = () => Promise.reject(error)
    peer.request(id, 'list')
    return (await peer.answerTo(id)).map['message']
  }
  expect(await answer(1, new Error('password swordfish'))).toBe('the publisher failed')
  expect(await answer(2, Object.assign(new Error('open /home/x'), { code: 'EACCES' }))).toBe(
    'the publisher failed: EACCES',
  )
  expect(await answer(3, new FlogError('FLOG_DIRECTORY_UNUSABLE', '/home/x'))).toBe(
    'the publisher failed: the incident directory cannot be created, read or written',
  )
})

test('a message of an error is cut to what a subscriber takes', async () => {
  const remote = await rig.connect((await rig.publisher()).url)
  rig.incidents.list = () => Promise.reject(new FlogError('FLOG_REMOTE_BUSY', 'so busy '.repeat(1000)))
  await expect(remote.listIncidents()).rejects.toMatchObject({ code: 'FLOG_REMOTE_BUSY' })
})

test('one whose pongs do not come is kept as long as it takes what it is sent', async () => {
  const clock = new FakeClock()
  const publisher = await rig.publisher({ clock })
  const line = await Line.to(publisher.url)
  rig.onEnd(() => line.close())
  const peer = await RawPeer.connect(line.url)
  peer.request(1, 'tail', { credit: 1024 })
  await until(() => publisher.stats().tails === 1)
  line.deaf = true
  for (let round = 1; round <= 8; round++) {
    rig.events.log('something')
    clock.advance(300)
    await until(() => peer.received.length >= round)
    clock.advance(14_700)
    expect(publisher.stats().connections).toBe(1)
  }
  clock.advance(60_000)
  await until(() => publisher.stats().connections === 0)
})
