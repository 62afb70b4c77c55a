import fc from 'fast-check'
import { Backoff } from '../../src/remote/backoff'

const fixed = (fraction: number) => ({ bytes: (n: number) => new Uint8Array(n), fraction: () => fraction })

test('the bound doubles up to its maximum, and starts over after a success', () => {
  const backoff = new Backoff(fixed(1), { firstMs: 100, maxMs: 1000 })
  expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000])
  backoff.reset()
  expect(backoff.next()).toBe(100)
})

test('the wait is spread over the whole time below the bound', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(50), (fraction, failures) => {
      const backoff = new Backoff(fixed(fraction), { firstMs: 100, maxMs: 5000 })
      for (let i = 0; i < failures; i++) backoff.next()
      expect(backoff.next()).toBeCloseTo(fraction * Math.min(5000, 100 * 2 ** failures))
    }),
  )
})

test('a thousand failures are no number that is too large', () => {
  const backoff = new Backoff(fixed(1))
  for (let i = 0; i < 1000; i++) backoff.next()
  expect(backoff.next()).toBe(30_000)
})
