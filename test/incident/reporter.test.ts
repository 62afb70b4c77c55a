import { IncidentReporter, parseWindow } from '../../src/incident/reporter'
import { sampleHeader } from './samples'

const { trigger } = sampleHeader()

test('the defaults are 100 events or 5 s, at most 10,000 or a minute, all history, fsync off the thread', () => {
  const reporter = new IncidentReporter()
  expect(reporter.postTrigger(trigger)).toEqual({ events: 100, ms: 5000 })
  expect(reporter.cap).toEqual({ events: 10_000, ms: 60_000 })
  expect(reporter.historyBytesAtTrigger).toBeUndefined()
  expect(reporter.durable).toBe(false)
  expect(reporter.header(trigger)).toBeUndefined()
})

test('one of two numbers may be given', () => {
  const reporter = new IncidentReporter({
    postTrigger: { ms: 10 },
    cap: { events: 5 },
    historyBytesAtTrigger: '1KiB',
  })
  expect(reporter.postTrigger(trigger)).toEqual({ events: 100, ms: 10 })
  expect(reporter.cap).toEqual({ events: 5, ms: 60_000 })
  expect(reporter.historyBytesAtTrigger).toBe(1024)
})

test.each([
  { events: 1_000_001, ms: 1 },
  { events: 1, ms: 3_600_001 },
  { events: Number.NaN, ms: 1 },
  { events: 1, ms: 0.5 },
])('%p is no window', (window) => {
  expect(() => parseWindow('postTrigger()', window)).toThrow(
    /option postTrigger\(\)\.(events|ms) takes a whole number/,
  )
})
