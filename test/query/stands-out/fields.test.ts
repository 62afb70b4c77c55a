import { durationOf, fieldRole, saysFailed, visitFields } from '../../../src/query/stands-out/fields'
import { recordingOf } from './recordings'

test.each([
  ['ms', 1000],
  ['durationMs', 1000],
  ['db.took_us', 1],
  ['elapsed', 1000],
  ['wait', 1000],
  ['responseTime', 1000],
  ['latency_seconds', 1e6],
  ['http.duration_ns', 0.001],
])('%s is a duration', (name, unit) => {
  expect(fieldRole(name)).toEqual({ kind: 'duration', unit })
})

test.each(['timeoutMs', 'retryAfterMs', 'startedAt', 'time', 'uptimeSeconds', 's', 'items', 'alarms'])(
  '%s is none',
  (name) => {
    expect(fieldRole(name).kind).not.toBe('duration')
  },
)

test('durations come as numbers and as texts with a unit', () => {
  expect(durationOf(1.5, 1000)).toBe(1500)
  expect(durationOf('12ms', 1e6)).toBe(12_000)
  expect(durationOf('1.5 s', 1)).toBe(1_500_000)
  expect([durationOf('soon', 1), durationOf(-1, 1), durationOf(Number.NaN, 1), durationOf(true, 1)]).toEqual(
    Array(4).fill(undefined),
  )
})

test('a status or an outcome may say that something failed', () => {
  expect(saysFailed(fieldRole('status'), 503)).toBe(true)
  expect(saysFailed(fieldRole('res.statusCode'), 404)).toBe(false)
  expect(saysFailed(fieldRole('ok'), false)).toBe(true)
  expect(saysFailed(fieldRole('outcome'), 'failure')).toBe(true)
  expect(saysFailed(fieldRole('name'), 'failure')).toBe(false)
})

test('fields are visited by path, what is tagged or listed is not', () => {
  const fields = {
    a: 1,
    b: { c: { d: 'x', e: { f: 1 } } },
    list: [1],
    tagged: { $: 'date', v: null },
    none: null,
  }
  const event = recordingOf([], { trigger: { fields } }).header?.trigger.event
  const seen: unknown[] = []
  if (event !== undefined) visitFields(event, (path, value) => seen.push([path, value]))
  expect(seen).toEqual([
    ['a', 1],
    ['b.c.d', 'x'],
  ])
})
