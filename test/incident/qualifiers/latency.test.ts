import { type LatencyOptions, latency } from '../../../src/incident/qualifiers/latency'
import { eventOf } from './events'

const request = (ms: unknown) =>
  eventOf('debug', { facility: 'http', fields: { http: { ms: ms as number } } })

function warmed(options: Partial<LatencyOptions> = {}) {
  const qualifier = latency({ field: 'http.ms', windowEvents: 100, ...options })
  for (let n = 1; n <= 100; n++) expect(qualifier.qualifies(request(n))).toBe(false)
  return qualifier
}

test('a value far above the usual percentile qualifies, and says so', () => {
  expect(warmed().qualifies(request(1234.5678))).toEqual({
    reason: 'http.ms 1235 of http is over 3 times 99, percentile 99 of the 100 before',
    fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
  })
})

test('up to the factor it does not', () => {
  expect(warmed().qualifies(request(297))).toBe(false)
  expect(warmed().qualifies(request(297.1))).not.toBe(false)
  expect(warmed({ percentile: 50, factor: 2, minimumEvents: 100 }).qualifies(request(101))).not.toBe(false)
})

test('when the slow becomes usual, it no longer qualifies', () => {
  const qualifier = warmed()
  let qualified = 0
  for (let n = 0; n < 50; n++) if (qualifier.qualifies(request(1000)) !== false) qualified++
  expect(qualified).toBe(2)
})

test('nothing qualifies before enough values were seen, or up to the floor', () => {
  const qualifier = latency({ field: 'http.ms', windowEvents: 100, minimumEvents: 20 })
  for (let n = 0; n < 20; n++) expect(qualifier.qualifies(request(10 ** n))).toBe(false)
  expect(qualifier.qualifies(request(10 ** 25))).not.toBe(false)
  expect(warmed({ floor: 5000 }).qualifies(request(5000))).toBe(false)
})

test('events without a number in the field, or out of scope, are not looked at', () => {
  const qualifier = warmed()
  for (const ms of [undefined, '9999', null, Number.NaN, Infinity, {}]) {
    expect(qualifier.qualifies(request(ms))).toBe(false)
  }
  expect(qualifier.qualifies(eventOf('debug'))).toBe(false)
  expect(qualifier.qualifies({ ...request(9999), severity: 1 })).toBe(false)
  expect(qualifier.minimumSeverity).toBe(5)
})

test.each<[Partial<LatencyOptions>, string]>([
  [{ field: '' }, 'latency.field takes the name of a field'],
  [{ percentile: 0 }, 'latency.percentile takes a number from 1 to 100'],
  [{ percentile: 101 }, 'latency.percentile'],
  [{ windowEvents: 5 }, 'latency.windowEvents takes a whole number from 10 to 10000'],
  [{ factor: 0.5 }, 'latency.factor'],
  [{ floor: -1 }, 'latency.floor takes a number of at least 0'],
  [{ windowEvents: 10, minimumEvents: 11 }, 'latency.minimumEvents takes a whole number from 1 to 10'],
])('refuses %j', (options, message) => {
  expect(() => latency({ field: 'ms', ...options })).toThrow(message)
})
