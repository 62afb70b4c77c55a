import { parseNumber, parseWhole } from '../../src/base/numbers'

test('whole numbers within the range are taken, Infinity where there is no upper end', () => {
  expect([
    parseWhole('n', 1, 1, 5),
    parseWhole('n', 5, 1, 5),
    parseWhole('n', Infinity, 1, Infinity),
  ]).toEqual([1, 5, Infinity])
})

test.each([0, 6, 1.5, Number.NaN, Infinity, -Infinity, '3', null, undefined, 3n])(
  '%p is not from 1 to 5',
  (value) => {
    expect(() => parseWhole('n', value, 1, 5)).toThrow('option n takes a whole number from 1 to 5, got ')
    if (value !== 1.5)
      expect(() => parseNumber('n', value, 1, 5, 'seconds')).toThrow('option n takes seconds from 1 to 5')
  },
)

test('numbers within the range are taken', () => {
  expect([parseNumber('n', 1.5, 1, 5), parseNumber('n', Infinity, 0, Infinity)]).toEqual([1.5, Infinity])
  expect(() => parseNumber('n', -1, 0, Infinity)).toThrow('a number of at least 0, or Infinity')
})
