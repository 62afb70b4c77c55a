import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventEncoder } from '../../src/codec/encoder'
import { Redactor } from '../../src/event/redact'
import { ReportDesk } from '../../src/incident/desk'
import { IncidentDirectory } from '../../src/incident/directory'
import { Following } from '../../src/incident/following'
import { Report } from '../../src/incident/report'
import { ControlBlock } from '../../src/ring/control'
import { RingSet } from '../../src/ring/set'
import { marks, messages } from '../recorder/rig'
import { FakeClock } from '../remote/support/fake-clock'
import { type Parsed, parsed } from './parsing'
import { SYNC, sampleHeader } from './samples'

const POLL_MS = 10
const OWNER = 1

const encoder = new EventEncoder(new Redactor())
let root: string
let clock: FakeClock
let control: ControlBlock
let desk: ReportDesk
let own: RingSet
let others: RingSet[]
let report: Report
let following: Following
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flog-following-'))
  clock = new FakeClock()
  control = new ControlBlock()
  desk = new ReportDesk()
  own = new RingSet()
  others = [new RingSet({ thread: 1 })]
})
afterEach(() => {
  report.release()
  rmSync(root, { recursive: true, force: true })
})

/** @returns `seq` of an event of one of the threads */
function log(rings: RingSet | undefined, message: string): number {
  const length = encoder.encode(1e15, 9, message, '', undefined)
  const seq = control.nextSeq()
  encoder.stamp(seq)
  rings?.select(9, '').append(encoder.longs, length)
  control.publish(seq)
  return seq
}

/** Begins a report in the main thread; `meanwhile` comes between the trigger and the look at the rings. */
function open({ events = 100, cap = 1000, meanwhile = () => {} } = {}): void {
  const seq = log(own, 'trigger')
  meanwhile()
  const length = encoder.encode(1e15, 9, 'trigger', '', undefined)
  encoder.stamp(seq)
  desk.claim(OWNER)
  report = new Report({
    header: { ...sampleHeader(), postTrigger: { events, ms: 1000 } },
    sync: SYNC,
    trigger: { seq, payload: encoder.bytes.slice(0, length) },
    rings: [...own.handles, ...others.flatMap(({ handles }) => handles)],
    thread: 0,
    cap: { events: cap, ms: 10_000 },
    historyBytes: undefined,
    durable: false,
    directory: new IncidentDirectory({ path: root }),
    clock,
    onTrouble: () => {},
    beforeClose: () => following.drain(),
    onClosed: () => following.end(),
  })
  const handles = new Map(others.map((rings) => [rings, rings.handles]))
  following = new Following({
    ...{ report, control, clock },
    rings: () => others.flatMap((rings) => handles.get(rings) ?? keep(handles, rings)),
    pollMs: POLL_MS,
    desk: { desk, thread: OWNER },
  })
  report.begin()
}

/** A ring's handle is one object as long as it is known. */
function keep(handles: Map<RingSet, RingSet['handles']>, rings: RingSet): RingSet['handles'] {
  handles.set(rings, rings.handles)
  return rings.handles
}

function file(): Parsed {
  return parsed(readFileSync(report.path ?? ''))
}

test('what other threads log comes into the file after the history', () => {
  log(others[0], 'before')
  log(own, 'own before')
  open()
  log(others[0], 'after')
  expect(messages(file())).toEqual(['before', 'own before', 'trigger'])
  clock.advance(2 * POLL_MS)
  expect(messages(file())).toEqual(['before', 'own before', 'trigger', 'after'])
})

test('what other threads log between the trigger and the look at the rings is there, once; what this one logs is not', () => {
  open({
    meanwhile: () => {
      log(others[0], 'theirs')
      log(own, 'held elsewhere')
    },
  })
  clock.advance(POLL_MS)
  report.close('closed')
  expect(messages(file())).toEqual(['trigger', 'theirs'])
})

test('what was logged until the window is over is in the file, what comes later is not', () => {
  open()
  log(others[0], 'within')
  report.close('closed')
  log(others[0], 'too late')
  clock.advance(POLL_MS)
  expect(messages(file())).toEqual(['trigger', 'within'])
  expect(file().trailer).toMatchObject({ reason: 'closed', events: { total: 2, after: 1 } })
})

test('a window that has taken its number of events takes what other threads logged up to then, to the cap', () => {
  open({ events: 2, cap: 6 })
  for (let i = 0; i < 10; i++) log(others[0], `theirs ${i}`)
  clock.advance(2 * POLL_MS)
  expect(file().trailer).toMatchObject({ reason: 'events', events: { after: 6 } })
})

test('a thread that comes later is followed from its first event on', () => {
  open()
  const late = new RingSet({ thread: 2 })
  log(late, 'first of it')
  others.push(late)
  log(others[0], 'of the other')
  clock.advance(2 * POLL_MS)
  expect(messages(file())).toEqual(['trigger', 'first of it', 'of the other'])
})

test.each([
  ['before it is read', () => handOver(log(others[0], 'theirs'))],
  [
    'after it was read',
    () => {
      const seq = log(others[0], 'theirs')
      clock.advance(POLL_MS)
      return handOver(seq)
    },
  ],
])('a trigger that is handed over %s is a further one', (_, act) => {
  open()
  const slot = act()
  clock.advance(POLL_MS)
  expect(desk.collect(slot)).toBe(true)
  report.close('closed')
  expect(messages(file())).toEqual(['trigger', 'theirs'])
  expect(marks(file())).toEqual([
    ['trigger', 'trigger'],
    ['theirs', 'further'],
  ])
  expect(file().trailer?.furtherTriggers).toMatchObject([{ kind: 'event', seq: file().events[1]?.seq }])
})

test('an event is written with the second look: until then its thread may hand it over', () => {
  open()
  log(others[0], 'theirs')
  clock.advance(POLL_MS)
  expect(messages(file())).toEqual(['trigger'])
  clock.advance(POLL_MS)
  expect(messages(file())).toEqual(['trigger', 'theirs'])
})

test('a trigger that is handed over is not held up: it is written with the next look, and what came before it', () => {
  open()
  log(others[0], 'before it')
  const slot = handOver(log(others[0], 'theirs'))
  log(others[0], 'after it')
  clock.advance(POLL_MS)
  expect(desk.collect(slot)).toBe(true)
  expect(messages(file())).toEqual(['trigger', 'before it', 'theirs'])
  report.close('closed')
  expect(messages(file())).toEqual(['trigger', 'before it', 'theirs', 'after it'])
})

test('a trigger that is handed over long after it was logged is listed, and is there once', () => {
  open()
  const seq = log(others[0], 'theirs')
  clock.advance(2 * POLL_MS)
  const slot = handOver(seq)
  clock.advance(POLL_MS)
  expect(desk.collect(slot)).toBe(true)
  report.close('closed')
  expect(messages(file())).toEqual(['trigger', 'theirs'])
  expect(file().trailer?.furtherTriggers.map((trigger) => trigger.seq)).toEqual([seq])
})

test('what was read and not written yet is in the file when a window has taken its number of events', () => {
  open({ events: 2 })
  for (let i = 0; i < 5; i++) log(others[0], `theirs ${i}`)
  clock.advance(POLL_MS)
  expect(report.isOpen).toBe(true)
  clock.advance(POLL_MS)
  expect(messages(file())).toEqual(['trigger', ...Array.from({ length: 5 }, (_, i) => `theirs ${i}`)])
  expect(file().trailer).toMatchObject({ reason: 'events', events: { after: 5 } })
})

test('a trigger that is in the history already is a further one, and is there once', () => {
  for (let i = 0; i < 100; i++) log(others[0], `event ${i}`)
  const seq = log(others[0], 'theirs')
  for (let i = 0; i < 10; i++) log(others[0], `event ${i}`)
  const slot = handOver(seq)
  open()
  clock.advance(POLL_MS)
  expect(desk.collect(slot)).toBe(true)
  report.close('closed')
  expect(file().trailer?.furtherTriggers.map((trigger) => trigger.seq)).toEqual([seq])
  expect(file().events.filter((event) => event.seq === seq)).toHaveLength(1)
})

test('a trigger that did not get into the file goes back, and the desk is free', () => {
  open()
  const slot = handOver(control.nextSeq())
  clock.advance(POLL_MS)
  expect(desk.withdraw(slot)).toBe(false)
  report.close('closed')
  expect(desk.withdraw(slot)).toBe(true)
  expect(desk.owner).toBe(0)
})

test('events that were overwritten before they could be read are counted as lost', () => {
  others = [new RingSet({ thread: 1, sizes: { info: '64KiB' } })]
  open()
  for (let i = 0; i < 3000; i++) log(others[0], `flood ${i}`)
  clock.advance(POLL_MS)
  clock.advance(POLL_MS)
  report.close('closed')
  const { trailer } = file()
  expect(trailer?.lost).toBeGreaterThan(0)
  expect((trailer?.lost ?? 0) + (trailer?.events.after ?? 0)).toBeLessThanOrEqual(3000)
})

test('where the process ends the report of another thread is completed at once', () => {
  open()
  log(others[0], 'last words')
  desk.end(OWNER, 0)
  clock.advance(POLL_MS)
  expect(messages(file())).toEqual(['trigger', 'last words'])
  expect(file().trailer?.reason).toBe('exit')
})

function handOver(seq: number): number {
  const slot = desk.reserve(1)
  desk.offer(slot, seq)
  return slot
}
