import { Outgoing } from '../../src/remote/outgoing'
import { TailFeed, TailPoller } from '../../src/remote/serve-tail'
import { Fields } from '../../src/remote/wire'
import { FakeClock } from './support/fake-clock'
import { INCARNATION, MemoryEvents } from './support/sources'

/** A feed on a socket that takes everything, and how often its rings were looked at. */
function feeding(credit = 1000, params: object = {}) {
  const clock = new FakeClock()
  const poller = new TailPoller(clock)
  const events = new MemoryEvents()
  let looks = 0
  const counting = {
    subscribe: (start: 'now') => {
      const reader = events.subscribe(start)
      const read = (max: number) => {
        looks++
        return reader.read(max)
      }
      return { ...reader, read }
    },
  }
  let sent = 0
  const socket = {
    keyingMaterial: new Uint8Array(),
    bufferedBytes: 0,
    send: () => void sent++,
    close: () => undefined,
    terminate: () => undefined,
    read: () => undefined,
  }
  const out = new Outgoing(1, credit, socket, () => undefined)
  const feed = new TailFeed(counting as never, INCARNATION, Fields.of(params, 'params'), out, clock)
  return { clock, poller, events, feed, out, socket, looks: () => looks, sent: () => sent }
}

test('without a subscriber there is no timer', () => {
  const { clock, poller, feed } = feeding()
  expect(clock.pending).toBe(0)
  poller.add(feed)
  expect(clock.pending).toBe(1)
  poller.remove(feed)
  expect(clock.pending).toBe(0)
})

test('idle rings are looked at less and less, and often again when something comes', () => {
  const { clock, poller, feed, events, looks } = feeding()
  poller.add(feed)
  clock.advance(10_000)
  const before = looks()
  clock.advance(2000)
  expect(looks() - before).toBe(10)
  events.log('something')
  clock.advance(200)
  const then = looks()
  clock.advance(100)
  expect(looks() - then).toBeGreaterThanOrEqual(2)
})

test('events go out within one look', () => {
  const { clock, poller, feed, events, sent } = feeding()
  poller.add(feed)
  clock.advance(1)
  expect(sent()).toBe(1)
  for (let i = 0; i < 50; i++) events.log(`event ${i}`)
  clock.advance(32)
  expect(sent()).toBe(2)
})

test('while the socket is full or credit is used up the rings are not read', () => {
  const { clock, poller, feed, out, socket, looks, events } = feeding(1)
  poller.add(feed)
  clock.advance(1)
  events.log('waits')
  const before = looks()
  clock.advance(1000)
  expect(looks()).toBe(before)
  socket.bufferedBytes = 10_000_000
  out.grant(5)
  clock.advance(1000)
  expect(looks()).toBe(before)
  socket.bufferedBytes = 0
  clock.advance(1000)
  expect(looks()).toBeGreaterThan(before)
})

test('hurrying all the time does not put off the look', () => {
  const { clock, poller, feed, looks } = feeding()
  poller.add(feed)
  for (let i = 0; i < 10; i++) {
    poller.hurry()
    clock.advance(0.3)
  }
  expect(looks()).toBeGreaterThan(1)
})

test('a subscriber whose filter lets nothing pass is told its position once a second', () => {
  const { clock, poller, feed, events, sent } = feeding(1000, { severity: 21 })
  poller.add(feed)
  clock.advance(1)
  for (let i = 0; i < 100; i++) {
    events.log('not severe enough')
    clock.advance(50)
  }
  expect(sent()).toBeGreaterThanOrEqual(5)
  expect(sent()).toBeLessThanOrEqual(6)
})

test('a look at the rings is as short for a hundred subscribers as for one, and each has its turn', () => {
  const clock = new FakeClock()
  const poller = new TailPoller(clock)
  const looked = new Map<number, number>()
  for (let n = 0; n < 100; n++) {
    const read = (): readonly never[] => {
      looked.set(n, (looked.get(n) ?? 0) + 1)
      // Each look takes a millisecond
      clock.pass(1)
      return []
    }
    const events = { subscribe: () => ({ read, takeMissed: () => 0, position: () => ({ ordinals: [] }) }) }
    const { out } = feeding()
    poller.add(new TailFeed(events, INCARNATION, Fields.of({}, 'params'), out, clock))
  }
  let longest = 0
  for (let round = 0; round < 100; round++) {
    const before = [...looked.values()].reduce((sum, n) => sum + n, 0)
    clock.advance(1)
    longest = Math.max(longest, [...looked.values()].reduce((sum, n) => sum + n, 0) - before)
  }
  expect(longest).toBeLessThanOrEqual(3)
  expect(looked.size).toBe(100)
})
