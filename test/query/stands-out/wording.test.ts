import {
  bytesText,
  facilityText,
  messageQuoted,
  rateText,
  spanText,
  valueText,
} from '../../../src/query/stands-out/wording'

test.each([
  [850, '850 µs'],
  [4000, '4 ms'],
  [4_900_000, '4.9 s'],
  [38_200_000, '38 s'],
  [12 * 60e6, '12 min'],
  [3.1 * 3600e6, '3.1 h'],
])('%d µs are %s', (micros, text) => {
  expect(spanText(micros)).toBe(text)
})

test('rates, bytes and values have two digits and a unit', () => {
  expect([rateText(41.3), rateText(0.02), bytesText(80 * 1024 ** 2), bytesText(3.25 * 1024 ** 3)]).toEqual([
    '41/s',
    '1.2/min',
    '80 MiB',
    '3.3 GiB',
  ])
  expect(valueText('route', 'two words')).toBe('route="two words"')
})

test('what was logged is cut to a line', () => {
  expect(messageQuoted('a\nb')).toBe('"a b"')
  expect(messageQuoted('x'.repeat(100))).toHaveLength(82)
  expect(facilityText('')).toBe('events without a facility')
})
