import fc from 'fast-check'
import {
  median,
  normalStrength,
  quantile,
  riseIn,
  shareRatio,
  shareStrength,
  shiftIn,
  sortedCopy,
} from '../../../src/query/stands-out/statistics'

const LEAST = { before: 3, after: 3 }

test("Fisher's exact test of tables that are known", () => {
  // The lady tasting tea: 4 of 4 right is 1 in 70, 3 of 4 or better 17 in 70.
  expect(10 ** -shareStrength(4, 4, 0, 4)).toBeCloseTo(1 / 70, 10)
  expect(10 ** -shareStrength(3, 4, 1, 4)).toBeCloseTo(17 / 70, 10)
  expect(shareStrength(0, 5, 0, 5)).toBeCloseTo(0, 10)
  expect(shareStrength(500, 1000, 100, 100_000)).toBeGreaterThan(300)
})

test('the ratio is 0 where the first share is not the larger one, and grows with what it is larger', () => {
  expect(shareRatio(1, 10, 2, 10)).toBe(0)
  expect(shareRatio(0, 0, 2, 10)).toBe(0)
  // 2 (5 ln 2 + 5 ln 2)
  expect(shareRatio(5, 5, 0, 5)).toBeCloseTo(20 * Math.LN2, 10)
})

test('the tail of the normal distribution', () => {
  expect(10 ** -normalStrength(1.959964)).toBeCloseTo(0.025, 4)
  expect(10 ** -normalStrength(4)).toBeCloseTo(3.167e-5, 7)
  expect(normalStrength(40)).toBeCloseTo(349.44, 1)
  expect(normalStrength(-1)).toBe(0)
})

test('quantiles are values that were there', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2)
  expect(quantile([1, 2, 3, 4], 1)).toBe(4)
  expect(quantile([], 0.5)).toBeNaN()
  expect(median([3, 1, 2])).toBe(2)
  expect([...sortedCopy([10, 9, -1])]).toEqual([-1, 9, 10])
})

test('a shift is found where it is, however long it was before and after', () => {
  const length = fc.integer({ min: 10, max: 50 })
  fc.assert(
    fc.property(length, length, (before, after) => {
      const values = Float64Array.from({ length: before + after }, (_, n) => (n < before ? 1 : 2))
      expect(shiftIn(values, LEAST)?.at).toBe(before)
    }),
  )
})

test('of values that are all the same, too few, or falling, no shift is strong', () => {
  expect(shiftIn(new Float64Array(50), LEAST)).toBeUndefined()
  expect(shiftIn(Float64Array.of(1, 2, 3), LEAST)).toBeUndefined()
  expect(
    shiftIn(
      Float64Array.from({ length: 50 }, (_, n) => -n),
      LEAST,
    )?.strength,
  ).toBeLessThan(0)
})

test('values by chance shift strongly in one of a thousand series at most', () => {
  let state = 1
  const next = () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
  const strong = Array.from({ length: 1000 }, () =>
    shiftIn(Float64Array.from({ length: 100 }, next), LEAST),
  ).filter((shift) => (shift?.strength ?? 0) > 2.5)
  expect(strong.length).toBeLessThanOrEqual(1)
})

test('a rise is found where the marks become frequent', () => {
  const marks = Uint8Array.from({ length: 100 }, (_, n) => (n === 5 || (n >= 80 && n % 2 === 0) ? 1 : 0))
  expect(riseIn(marks, 5)).toMatchObject({
    at: 80,
    before: { hits: 1, all: 80 },
    after: { hits: 10, all: 20 },
  })
  expect(riseIn(new Uint8Array(100), 5)).toBeUndefined()
  expect(riseIn(Uint8Array.of(1, 1, 1), 5)).toBeUndefined()
})
