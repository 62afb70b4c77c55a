import fc from 'fast-check'
import {
  axisTime,
  eventTime,
  fullTime,
  grouped,
  relativeTime,
  roughly,
  visible,
  visibleLines,
} from '../../../src/viewer/page/text'
import { anyText } from '../../any-text'

test('nothing that cannot be seen is left in a text', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      expect(visibleLines(text)).not.toMatch(/[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    }),
  )
  expect(visible('\u001b[31m\n\u202e')).toBe('\\u001b[31m\\n\\u202e')
})

test.each([
  [0, '0 s'],
  [-10e6, '−10 s'],
  [-10_000, '−0.01 s'],
  [-125e6, '−2:05'],
  [600e6, '+10:00'],
])('%d µs from the trigger are %s on an axis', (micros, expected) => {
  expect(axisTime(micros)).toBe(expected)
})

test.each([
  [0, '0.000'],
  [-12_041_000, '−12.041'],
  [5_000_000, '+5.000'],
  [-125_123_000, '−2:05.123'],
  [3 * 3600e6 + 65e6, '+3:01:05.000'],
  [-50 * 3600e6, '−2 d 2:00:00.000'],
])('%d µs from the trigger are %s', (micros, expected) => {
  expect(relativeTime(micros)).toBe(expected)
})

test('times by the clock', () => {
  const at = Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000 + 456
  expect(fullTime(at, 'utc')).toBe('2026-11-21 20:31:05.123456 UTC')
  expect(eventTime(at, at - 1e6, 'utc')).toBe('20:31:05.123')
  expect(eventTime(at, at - 1e6, 'relative')).toBe('+1.000')
  expect(fullTime(1e30, 'utc')).toContain('invalid time')
})

test('numbers and lengths of time for people', () => {
  expect([grouped(999), grouped(86_412), grouped(1_234_567)]).toEqual(['999', '86,412', '1,234,567'])
  expect([roughly(3 * 86_400e6), roughly(12e6), roughly(5000)]).toEqual(['3 d', '12 s', '5 ms'])
})
