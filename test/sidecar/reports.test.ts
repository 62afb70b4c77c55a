import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redactor } from '../../src/event/redact'
import { ReportDesk } from '../../src/incident/desk'
import { IncidentDirectory } from '../../src/incident/directory'
import { IncidentLimits } from '../../src/incident/limits'
import type { Report } from '../../src/incident/report'
import { ControlBlock } from '../../src/ring/control'
import { RingSet } from '../../src/ring/set'
import { SidecarReports, type SidecarReportsOptions } from '../../src/sidecar/reports'
import { DESK_APP, DESK_SIDECAR, type SidecarSetup } from '../../src/sidecar/setup'
import { parsed } from '../incident/parsing'
import { sampleHeader } from '../incident/samples'
import { FakeClock } from '../remote/support/fake-clock'

let root: string
let desk: ReportDesk
let troubles: string[]
let closed: Report[]
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flog-sidecar-reports-'))
  desk = new ReportDesk()
  troubles = []
  closed = []
})
afterEach(() => {
  for (const report of closed) report.release()
  rmSync(root, { recursive: true, force: true })
})

function reports(also: Partial<SidecarReportsOptions> = {}): SidecarReports {
  const clock = new FakeClock()
  const window = { events: 100, ms: 1000 }
  const report = { postTrigger: window, cap: window, historyBytes: undefined, durable: false }
  return new SidecarReports({
    setup: { origin: sampleHeader(), report } as unknown as SidecarSetup,
    control: new ControlBlock(),
    desk,
    directory: new IncidentDirectory({ path: root }),
    limits: new IncidentLimits({ clock }),
    redactor: new Redactor(),
    clock,
    rings: () => new RingSet().handles,
    onTrouble: ({ message }) => troubles.push(message),
    onRecovered: () => undefined,
    onOpened: () => undefined,
    onClosed: (report) => closed.push(report),
    ...also,
  })
}

function triggered(by: SidecarReports): Report | undefined {
  const fields = { ms: 1000 }
  return by.trigger({
    ...{ kind: 'stall', reason: 'stuck', severity: 17, message: 'stuck for {ms} ms', facility: '', fields },
  })
}

test('a report has the desk from its trigger to its end', () => {
  const report = triggered(reports())
  expect(desk.owner).toBe(DESK_SIDECAR)
  report?.begin()
  report?.close('time')
  expect([desk.owner, closed]).toEqual([0, [report]])
})

test('a report beside another thread’s leaves the desk to that', () => {
  desk.claim(DESK_APP)
  desk.note(7)
  const report = triggered(reports())
  expect(report?.header.relatedTo).toMatch(/-7$/)
  report?.close('closed')
  expect([desk.owner, desk.number]).toEqual([DESK_APP, 7])
})

test('what cannot be begun leaves the desk free', () => {
  const rings = (): never => {
    throw new Error('no rings')
  }
  expect(triggered(reports({ rings }))).toBeUndefined()
  expect(desk.owner).toBe(0)
  expect(troubles).toEqual([expect.stringContaining('no rings')])
})

test('what goes wrong after a report has begun ends it, before others may have the desk', () => {
  let begun: Report | undefined
  const failing = reports({
    onOpened: (report) => {
      begun = report
      throw new Error('not told')
    },
  })
  const wasOpen: (boolean | undefined)[] = []
  jest.spyOn(desk, 'release').mockImplementation(function (this: ReportDesk, thread) {
    wasOpen.push(begun?.isOpen)
    ReportDesk.prototype.release.call(this, thread)
  })
  expect(triggered(failing)).toBeUndefined()
  expect(desk.owner).toBe(0)
  expect(new Set(wasOpen)).toEqual(new Set([false]))
  expect(parsed(readFileSync(begun?.path ?? '')).trailer?.reason).toBe('closed')
  expect(triggered(reports())?.isOpen).toBe(true)
})
