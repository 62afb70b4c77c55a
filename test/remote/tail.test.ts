import fc from 'fast-check'
import { isTailNotice, type TailItem } from '../../src/remote/tail'
import { encodeMessage } from '../../src/remote/wire'
import { Line } from './support/line'
import { RawPeer } from './support/raw'
import { Rig, take, until } from './support/rig'
import { aboutTest, MemoryEvents } from './support/sources'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

const messages = (items: readonly TailItem[]): readonly string[] =>
  items.flatMap((item) => (isTailNotice(item) ? [] : [item.message]))
const missed = (items: readonly TailItem[]): number =>
  items.reduce((sum, item) => sum + (isTailNotice(item) ? item.missed : 0), 0)
const numbered = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, i) => `event ${from + i}`)

test('what the rings hold joins what comes, without gap or repeat', async () => {
  const publisher = await rig.publisher()
  for (const message of numbered(0, 700)) rig.events.log(message)
  const remote = await rig.connect(publisher.url)
  const tail = remote.tail({ catchUp: true })
  const items = await take({ [Symbol.asyncIterator]: () => ({ next: () => tail.next() }) }, 300)
  for (const message of numbered(700, 1000)) rig.events.log(message)
  items.push(...(await take(tail, 700)))
  expect(messages(items)).toEqual(numbered(0, 1000))
  expect(missed(items)).toBe(0)
})

test('without catch-up only what comes is told', async () => {
  const publisher = await rig.publisher()
  rig.events.log('before')
  const remote = await rig.connect(publisher.url)
  const tail = remote.tail()
  const first = tail.next()
  await until(() => rig.events.readers === 1)
  rig.events.log('after')
  expect((await first).value).toMatchObject({ message: 'after' })
})

describe('filters', () => {
  async function passing(options: object): Promise<readonly string[]> {
    const publisher = await rig.publisher()
    rig.events.log('a trace', { severity: 1, facility: 'db.pool' })
    rig.events.log('lease {shard}', { severity: 9, facility: 'db.pool', fields: { shard: 'north' } })
    rig.events.log('no database', { severity: 9, facility: 'dbx' })
    rig.events.log('failed', {
      severity: 17,
      facility: 'http.server',
      fields: { deep: [{ in: 'Needle 42' }] },
    })
    rig.events.log('end', { severity: 21, facility: 'db', fields: { north: 'needle' } })
    const remote = await rig.connect(publisher.url)
    const found: string[] = []
    for await (const item of remote.tail({ catchUp: true, ...options })) {
      if (isTailNotice(item)) continue
      found.push(item.message)
      if (item.message === 'end') break
    }
    return found
  }

  test('by severity: this one and what is worse', async () => {
    expect(await passing({ severity: 'error' })).toEqual(['failed', 'end'])
  })
  test('by facility: this one and what lies under it', async () => {
    expect(await passing({ facility: 'db' })).toEqual(['a trace', 'lease {shard}', 'end'])
  })
  test('by text, in any case, filled in, and in the values of fields at any depth', async () => {
    expect(await passing({ grep: 'NEEDLE' })).toEqual(['failed', 'end'])
  })
  test('by text across a value that is filled in', async () => {
    const publisher = await rig.publisher()
    rig.events.log('lease {shard} granted', { fields: { shard: 'north' } })
    const remote = await rig.connect(publisher.url)
    expect(await take(remote.tail({ catchUp: true, grep: 'Lease North' }), 1)).toHaveLength(1)
  })
  test('several at once', async () => {
    expect(await passing({ facility: 'db', severity: 'info' })).toEqual(['lease {shard}', 'end'])
  })
  test('a severity that is none is an error at the call', async () => {
    const remote = await rig.connect((await rig.publisher()).url)
    expect(() => remote.tail({ severity: 'loud' })).toThrow(
      expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
    )
  })
})

test('a subscriber that does not keep up is told exactly how many it missed, in their place', async () => {
  const events = new MemoryEvents(500)
  const publisher = await rig.publisher({ events })
  const peer = await RawPeer.connect(publisher.url)
  peer.request(1, 'tail', { from: 'oldest', credit: 2 })
  await until(() => peer.received.length === 1)
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1000; i++) events.log('x'.repeat(100))
    await new Promise(setImmediate)
  }
  // Two messages were all it had credit for; meanwhile the rings went round many times
  await until(() => peer.received.length === 2)
  peer.socket.send(encodeMessage({ type: 'credit', id: 1, messages: 1024 }))
  const seqs: number[] = []
  let lost = 0
  const count = (): number => {
    seqs.length = 0
    lost = 0
    for (const message of peer.received) {
      for (const entry of message.inner('item').list('entries', 1000)) {
        if (typeof entry === 'number') lost += entry
        else seqs.push(Buffer.from(entry as Uint8Array).readDoubleBE(2))
      }
    }
    return seqs.length + lost
  }
  await until(() => count() === events.written)
  expect(lost).toBeGreaterThan(10_000)
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
})

test('a subscriber that reads nothing costs a bounded amount of memory', async () => {
  const events = new MemoryEvents(2000)
  const publisher = await rig.publisher({ events })
  const peer = await RawPeer.connect(publisher.url)
  peer.request(1, 'tail', { from: 'oldest', credit: 1024 })
  await until(() => peer.received.length > 0)
  const { stop, start } = pausing(peer)
  stop()
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 500; i++) events.log('y'.repeat(1000))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  start()
  let total = 0
  await until(() => {
    total = 0
    for (const message of peer.received) {
      for (const entry of message.inner('item').list('entries', 1000))
        total += typeof entry === 'number' ? entry : 1
    }
    return total === events.written
  })
  expect(total).toBe(30_000)
  // 30 MB were logged; what arrived is what rings and socket hold
  const arrived = peer.received.reduce(
    (sum, message) => sum + message.inner('item').list('entries', 1000).length,
    0,
  )
  expect(arrived).toBeLessThan(20_000)
})

/** Stops and starts reading from the socket of a peer, as a process that is stopped does. */
function pausing(peer: RawPeer): { stop(): void; start(): void } {
  const reader = { message: (bytes: Uint8Array) => peer.take(bytes), closed: () => undefined }
  return { stop: () => peer.socket.read(undefined), start: () => peer.socket.read(reader) }
}

test('a lost connection leaves no gap and repeats nothing', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(cuts, fc.integer({ min: 1, max: 1500 }), async (after, count) => {
      const events = new MemoryEvents(100_000)
      const publisher = await rig.publisher({ events })
      const line = await Line.to(publisher.url)
      const remote = await rig.connect(line.url, { waitForPublisher: true })
      line.cuts = after
      line.cut()
      const collected = take(remote.tail({ catchUp: true }), count)
      for (const message of numbered(0, count)) events.log(message, { fields: { pad: 'z'.repeat(50) } })
      const items = await collected
      expect(messages(items)).toEqual(numbered(0, count))
      await remote.close()
      await publisher.close()
      await line.close()
    }),
    { numRuns: 15 },
  )
})

test('what was overwritten during a lost connection is counted', async () => {
  const events = new MemoryEvents(50)
  const publisher = await rig.publisher({ events })
  const line = await Line.to(publisher.url)
  rig.onEnd(() => line.close())
  const remote = await rig.connect(line.url)
  const tail = remote.tail({ catchUp: true })
  events.log('event 0')
  const items: TailItem[] = [(await tail.next()).value as TailItem]
  line.cut()
  for (const message of numbered(1, 1000)) events.log(message)
  while (messages(items).at(-1) !== 'event 999') items.push((await tail.next()).value as TailItem)
  expect(messages(items).slice(1)).toEqual(numbered(900, 1000))
  expect(missed(items)).toBe(899)
})

test('a process that restarted says so, and its events are told from their beginning', async () => {
  const publisher = await rig.publisher()
  const remote = await rig.connect(publisher.url)
  const tail = remote.tail({ catchUp: true })
  rig.events.log('old')
  expect((await tail.next()).value).toMatchObject({ message: 'old' })
  await publisher.close()
  const events = new MemoryEvents()
  events.log('new')
  const incarnation = 'fedcba9876543210'
  await rig.publisher({ events, port: publisher.port, about: () => aboutTest(incarnation) })
  expect((await tail.next()).value).toEqual({ missed: 0, restarted: incarnation })
  expect((await tail.next()).value).toMatchObject({ message: 'new' })
  expect(remote.about.incarnation).toBe(incarnation)
})

test('a tail ends at its signal, and the publisher forgets it', async () => {
  const publisher = await rig.publisher()
  const remote = await rig.connect(publisher.url)
  const abort = new AbortController()
  const next = remote.tail({ signal: abort.signal }).next()
  await until(() => publisher.stats().tails === 1)
  abort.abort()
  await expect(next).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  await until(() => publisher.stats().tails === 0)
})

test('a tail ends with the remote that is closed', async () => {
  const publisher = await rig.publisher()
  const remote = await rig.connect(publisher.url)
  const next = remote.tail().next()
  await until(() => publisher.stats().tails === 1)
  await remote.close()
  await expect(next).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  await expect(remote.tail().next()).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
})
