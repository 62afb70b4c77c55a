import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventEncoder } from '../../src/codec/encoder'
import { Redactor } from '../../src/event/redact'
import { IncidentDirectory } from '../../src/incident/directory'
import type { CloseReason } from '../../src/incident/header'
import { Report, type ReportOptions } from '../../src/incident/report'
import { RingSet } from '../../src/ring/set'
import { FakeClock } from '../remote/support/fake-clock'
import { type Parsed, parsed } from './parsing'
import { SYNC, sampleHeader } from './samples'

let path: string
let clock: FakeClock
let closed: CloseReason[]
const reports: Report[] = []
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'flog-report-')), 'incidents')
  clock = new FakeClock()
  closed = []
})
afterEach(() => {
  for (const report of reports.splice(0)) report.release()
  rmSync(join(path, '..'), { recursive: true, force: true })
})

const encoder = new EventEncoder(new Redactor())

function event(seq: number): Uint8Array {
  const length = encoder.encode(1e15, 9, `event ${seq}`, '', { seq })
  encoder.stamp(seq)
  return Uint8Array.from(encoder.bytes.subarray(0, length))
}

/** A report whose rings hold `history` events, the last one its trigger. */
function open(
  history: number,
  options: Partial<ReportOptions> = {},
  window = { events: 3, ms: 100 },
): Report {
  const rings = new RingSet()
  for (let seq = 1; seq <= history; seq++) {
    const { length } = event(seq)
    rings.select(9, '').append(encoder.longs, length)
  }
  const report = new Report({
    header: { ...sampleHeader(), postTrigger: window },
    sync: SYNC,
    trigger: { seq: history, payload: event(history) },
    rings: rings.handles,
    thread: 0,
    cap: { events: 100, ms: 1000 },
    historyBytes: undefined,
    durable: false,
    directory: new IncidentDirectory({ path }),
    clock,
    onTrouble: () => {},
    onClosed: (_, reason) => closed.push(reason),
    ...options,
  })
  reports.push(report)
  report.begin()
  return report
}

function fileOf(report: Report): Parsed {
  return parsed(readFileSync(report.path ?? ''))
}

function further(seq: number) {
  return { seq, time: 1e15, kind: 'event', reason: 'again', fingerprint: 'f' } as const
}

test('history and trigger are in the file when the constructor returns', () => {
  const file = fileOf(open(5))
  expect(file.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  expect(file.verdict?.state).toBe('open')
})

test.each<[CloseReason, (report: Report) => void]>([
  [
    'events',
    (report) => {
      for (const seq of [6, 7, 8]) report.event(event(seq), seq)
    },
  ],
  ['time', () => clock.advance(100)],
  ['closed', (report) => report.close('closed')],
  ['exit', (report) => report.close('exit')],
])('it closes with reason %s, once, and takes no event afterwards', (reason, end) => {
  const report = open(5)
  end(report)
  report.close('closed')
  report.event(event(20), 20)
  clock.advance(5000)
  expect([closed, report.isOpen]).toEqual([[reason], false])
  const { verdict, trailer, events } = fileOf(report)
  expect(verdict).toMatchObject({ state: 'whole', damage: [] })
  expect(trailer?.reason).toBe(reason)
  expect(trailer?.events.total).toBe(events.length)
})

test('further triggers are listed up to a number, the rest is counted', () => {
  const report = open(1, { cap: { events: 1000, ms: 1000 } })
  for (let seq = 2; seq <= 601; seq++) report.furtherTrigger(event(seq), further(seq))
  report.close('closed')
  const { trailer, marks } = fileOf(report)
  expect(trailer?.furtherTriggers).toHaveLength(512)
  expect(trailer?.furtherTriggersOmitted).toBe(88)
  expect([...marks.values()].filter((mark) => mark === 'further')).toHaveLength(600)
})

test('events that came before the report but after its trigger count as after it', () => {
  const report = open(10, { trigger: { seq: 7, payload: event(7) }, until: 9 })
  report.close('closed')
  const { trailer, events } = fileOf(report)
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(trailer?.events).toEqual({ total: 9, history: 7, after: 2 })
})

test('a report that the disk refuses from the beginning is written by flush()', () => {
  writeFileSync(path, 'in the way')
  const report = open(5)
  report.event(event(6), 6)
  report.close('time')
  expect([report.path, report.isWritten, report.flush()]).toEqual([undefined, false, false])
  unlinkSync(path)
  expect(report.flush()).toBe(true)
  expect(fileOf(report)).toMatchObject({
    verdict: { state: 'whole' },
    trailer: { lost: 0, events: { total: 6 } },
  })
})

test('at the exit of the process what waits is tried once more, and a removed file brought back', () => {
  writeFileSync(path, 'in the way')
  const refused = open(5)
  unlinkSync(path)
  refused.close('exit')
  expect(fileOf(refused).verdict?.state).toBe('whole')
  unlinkSync(refused.path ?? '')

  const removed = open(5)
  rmSync(path, { recursive: true })
  removed.close('exit')
  expect(fileOf(removed).verdict?.state).toBe('whole')
})
