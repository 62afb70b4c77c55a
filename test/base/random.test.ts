import { type Random, randomHex, systemRandom } from '../../src/base/random'

test('random bytes have the length that was asked for, and differ', () => {
  const drawn = new Set(Array.from({ length: 100 }, () => randomHex(systemRandom, 8)))
  expect(drawn.size).toBe(100)
  expect([...drawn].every((hex) => /^[0-9a-f]{16}$/.test(hex))).toBe(true)
})

test('fractions lie from 0 up to, not including, 1', () => {
  const drawn = Array.from({ length: 1000 }, () => systemRandom.fraction())
  expect(drawn.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true)
})

test('whoever takes a source of randomness can be given a fixed one', () => {
  const fixed: Random = { bytes: (length) => new Uint8Array(length).fill(0xab), fraction: () => 0 }
  expect(randomHex(fixed, 3)).toBe('ababab')
})
