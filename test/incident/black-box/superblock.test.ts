import fc from 'fast-check'
import { BLACK_BOX_RINGS } from '../../../src/base/limits'
import { SUPERBLOCK_BYTES } from '../../../src/incident/black-box/layout'
import { decodeSuperblock, encodeSuperblock } from '../../../src/incident/black-box/superblock'

const whole = fc.nat(Number.MAX_SAFE_INTEGER)
const superblocks = fc.record({
  generation: whole,
  time: whole,
  published: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  refused: whole,
  rings: fc.array(
    fc.record({
      offset: whole,
      next: whole,
      overruns: whole,
      head: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      tail: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      capacity: fc.nat(2 ** 28),
    }),
    { maxLength: 20 },
  ),
})

test('is read as it was written, over an older one and before whatever follows', () => {
  const memory = new Uint8Array(SUPERBLOCK_BYTES)
  fc.assert(
    fc.property(superblocks, (superblock) => {
      encodeSuperblock(superblock, memory)
      expect(decodeSuperblock(memory)).toEqual(superblock)
    }),
  )
})

test('with a wrong bit, or cut, it is none', () => {
  const one = { generation: 1, time: 2, published: 3, refused: 0 }
  const ring = { offset: 196_608, next: 9, overruns: 0, head: 100, tail: 20, capacity: 16_384 }
  const bytes = encodeSuperblock({ ...one, rings: [ring] }, new Uint8Array(SUPERBLOCK_BYTES)).slice()
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(decodeSuperblock(damaged)).toBeUndefined()
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeSuperblock(bytes.subarray(0, length))).toBeUndefined()
  }
})

test('there is room for all rings that a black box takes', () => {
  const ring = { offset: 0, next: 0, overruns: 0, head: 0, tail: 0, capacity: 0 }
  const rings = Array.from({ length: BLACK_BOX_RINGS }, () => ring)
  const superblock = { generation: 1, time: 0, published: 0, refused: 0, rings }
  const memory = new Uint8Array(SUPERBLOCK_BYTES)
  expect(encodeSuperblock(superblock, memory).length).toBeLessThanOrEqual(SUPERBLOCK_BYTES)
  expect(decodeSuperblock(memory)?.rings).toHaveLength(BLACK_BOX_RINGS)
})
