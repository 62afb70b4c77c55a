import { randomUUID } from 'node:crypto'
import { ENDED_RINGS_BYTES, ENDED_THREAD_MS } from '../../src/base/limits'
import { type Member, Roster, type RosterOptions } from '../../src/ring/roster'
import { RingSet } from '../../src/ring/set'
import { FakeClock } from '../remote/support/fake-clock'

let clock: FakeClock
let channel: string
let members = 0
const rosters: Roster[] = []
beforeEach(() => {
  clock = new FakeClock()
  channel = randomUUID()
})
afterEach(() => {
  for (const roster of rosters.splice(0)) roster.close()
})

function member(thread: number): Member {
  return { id: `member ${++members}`, thread, rings: new RingSet({ thread }).handles }
}

function join(thread: number, options: Partial<RosterOptions> = {}): Roster {
  const roster = new Roster({ channel, clock, self: member(thread), answers: thread === 0, ...options })
  rosters.push(roster)
  return roster
}

/** Of whose rings a thread knows. Without a turn of the event loop. */
function threads(roster: Roster): number[] {
  return [...new Set(roster.rings().map(({ thread }) => thread))].sort()
}

test('who joins is known to all, and learns from who answers who is there', () => {
  const [main, a, b] = [join(0), join(1), join(2)]
  expect(threads(main)).toEqual([1, 2])
  expect(threads(a)).toEqual([0, 2])
  expect(threads(b)).toEqual([0, 1])
})

test('the memory of the rings is shared', () => {
  const self = member(1)
  const main = join(0)
  join(1, { self })
  const own = new Int32Array(self.rings[0]?.memory ?? new SharedArrayBuffer(64))
  own[20] = 4711
  expect(new Int32Array(main.rings()[0]?.memory ?? new SharedArrayBuffer(64))[20]).toBe(4711)
})

test('rings of who left are read for a while, and then forgotten by everybody', () => {
  const [main, a, b] = [join(0), join(1), join(2)]
  threads(main)
  threads(b)
  a.close()
  expect([threads(main), threads(b)]).toEqual([
    [1, 2],
    [0, 1],
  ])
  clock.advance(ENDED_THREAD_MS)
  expect([threads(main), threads(b)]).toEqual([[2], [0]])
})

test('who joins later and is told of a thread that ended does not bring it back', () => {
  const [main, a, b] = [join(0), join(1), join(2)]
  threads(main)
  threads(b)
  a.close()
  expect(threads(b)).toEqual([0, 1])
  clock.advance(ENDED_THREAD_MS)
  const slow = join(3, { self: undefined, members: main.members(), answers: true })
  join(4)
  threads(slow)
  expect(threads(b)).toEqual([0, 4])
})

test('however many threads end at once, the rings of the last ones are held, and those of a few', () => {
  const told: string[] = []
  const main = join(0, {
    onLeave: ([ring]) => told.push(`left ${ring?.thread}`),
    onForget: ([ring]) => told.push(`forgot ${ring?.thread}`),
  })
  const bytes = member(99).rings.reduce((sum, { memory }) => sum + memory.byteLength, 0)
  const held = Math.floor(ENDED_RINGS_BYTES / bytes)
  for (let thread = 1; thread <= held + 2; thread++) {
    join(thread).close()
    expect(threads(main)).toContain(thread)
  }
  expect(main.rings().reduce((sum, { memory }) => sum + memory.byteLength, 0)).toBe(held * bytes)
  const [first, second] = [told.indexOf('forgot 1'), told.indexOf('forgot 2')]
  expect(told.filter((what) => what.startsWith('forgot'))).toEqual(['forgot 1', 'forgot 2'])
  expect([told[first - 1], told[second - 1]]).toEqual([`left ${held + 1}`, `left ${held + 2}`])
  expect(told.slice(0, 2)).toEqual(['left 1', 'left 2'])
})

test('the rings of the last one that ended are held however large they are', () => {
  const main = join(0)
  const memory = new SharedArrayBuffer(ENDED_RINGS_BYTES + 1)
  const self = { id: 'large', thread: 1, rings: [{ memory, severity: 'info', facility: '', thread: 1 }] }
  join(1, { self }).close()
  expect(threads(main)).toEqual([1])
  join(2).close()
  expect(threads(main)).toEqual([2])
})

test('who joins later forgets those that ended before, too', () => {
  const [main, a] = [join(0), join(1)]
  threads(main)
  a.close()
  threads(main)
  const left: (number | undefined)[] = []
  const b = join(2)
  threads(main)
  const second = join(0, {
    self: undefined,
    members: main.members(),
    onLeave: ([ring]) => left.push(ring?.thread),
  })
  expect([threads(b), threads(second)]).toEqual([
    [0, 1],
    [0, 1, 2],
  ])
  expect(left).toEqual([1])
  clock.advance(ENDED_THREAD_MS)
  expect([threads(b), threads(second)]).toEqual([[0], [0, 2]])
})

test('the incidents that an ended thread had not finished are told to who saw it end, once', () => {
  const [main, a] = [join(0), join(1)]
  a.opened({ id: 'one', thread: 1 })
  a.opened({ id: 'two', thread: 1 })
  a.settled({ id: 'one', thread: 1 })
  expect(main.ended(1)).toEqual(['two'])
  expect(main.ended(1)).toEqual([])
})

test('who listens is told of rings that are new', () => {
  const heard: number[] = []
  const main = join(0, { onJoin: (rings) => heard.push(...new Set(rings.map(({ thread }) => thread))) })
  join(1)
  threads(main)
  threads(main)
  expect(heard).toEqual([1])
})
