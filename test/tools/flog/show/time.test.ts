import { clockTime, duration, formatTime, relativeSeconds } from '../../../../tools/flog/show/time'

const TIME = Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000 + 456

test('a relative time is seconds from the origin, in one width', () => {
  expect(formatTime('relative', TIME - 12_301_234, TIME)).toBe('   -12.301234')
  expect(formatTime('relative', TIME + 350, TIME)).toBe('    +0.000350')
  expect(formatTime('relative', TIME, TIME)).toBe('            0')
  expect(relativeSeconds(-1)).toBe('-0.000001')
})

test('absolute times have microseconds', () => {
  expect(formatTime('utc', TIME, 0)).toBe('2026-11-21T20:31:05.123456Z')
  expect(formatTime('epoch', TIME, 0)).toBe('1795293065.123456')
  expect(formatTime('local', TIME, 0)).toMatch(/^2026-11-2[12] \d\d:\d\d:05\.123456$/)
  expect(clockTime(TIME)).toMatch(/^\d\d:\d\d:05\.123$/)
})

test('a time that is none is said to be none', () => {
  expect(formatTime('local', Number.NaN, 0)).toBe('invalid time')
  expect(formatTime('utc', Number.POSITIVE_INFINITY, 0)).toBe('invalid time')
})

test.each([
  [350, '350 µs'],
  [1_200, '1.2 ms'],
  [41_000, '41 ms'],
  [4_100_000, '4.1 s'],
  [119_000_000, '119 s'],
  [720_000_000, '12 min'],
  [3 * 3_600_000_000, '3.0 h'],
  [9 * 86_400_000_000, '9.0 d'],
])('%d µs for people: %s', (micros, text) => {
  expect(duration(micros)).toBe(text)
})
