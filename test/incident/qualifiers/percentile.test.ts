import fc from 'fast-check'
import { SlidingPercentile } from '../../../src/incident/qualifiers/percentile'

test('agrees with sorting the newest numbers', () => {
  const numbers = fc.array(
    fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  )
  fc.assert(
    fc.property(
      numbers,
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 100 }),
      (values, capacity, percentile) => {
        const sliding = new SlidingPercentile(capacity)
        for (const [index, value] of values.entries()) {
          sliding.add(value)
          const newest = values.slice(Math.max(0, index + 1 - capacity), index + 1).sort((a, b) => a - b)
          expect(sliding.size).toBe(newest.length)
          // -0 and 0 are one number here.
          expect(sliding.at(percentile) === newest[Math.ceil((percentile / 100) * newest.length) - 1]).toBe(
            true,
          )
        }
      },
    ),
  )
})

test('holds nothing at first', () => {
  const sliding = new SlidingPercentile(3)
  expect([sliding.size, sliding.at(50)]).toEqual([0, 0])
})
