import { SystemClock } from '../../../src/base/clock'
import { parseSince } from '../../../tools/flog/since'

const NOW = 1_795_293_065_000_000
const clock = Object.assign(new SystemClock(), { now: () => NOW })

test.each([
  ['90s', 90e6],
  ['10m', 600e6],
  ['2h', 7200e6],
  ['1.5d', 129_600e6],
  ['1w ago', 604_800e6],
])('%s is an age', (text, micros) => {
  expect(parseSince('--since', text, clock)).toBe(NOW - micros)
})

test('a time with a zone is that time', () => {
  expect(parseSince('--since', '2026-11-21T20:31:05Z', clock)).toBe(Date.UTC(2026, 10, 21, 20, 31, 5) * 1000)
})

test.each(['yesterday', '10', '10 parsecs', '', '2026-99-99'])('%p is neither', (text) => {
  expect(() => parseSince('--since', text, clock)).toThrow(
    expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
  )
})
