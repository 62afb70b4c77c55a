import { crc32, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { pageEngine } from '../../../src/viewer/page/engine'

const bytes = fc.uint8Array({ maxLength: 3000 })

test('checksums are those of zlib, also when they are continued', () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(pageEngine.crc32(one)).toBe(crc32(one))
      expect(pageEngine.crc32(other, pageEngine.crc32(one))).toBe(crc32(Buffer.concat([one, other])))
    }),
  )
})

test('what was deflated is inflated, and no more than was asked for', () => {
  fc.assert(
    fc.property(bytes, (data) => {
      const packed = deflateRawSync(data)
      expect(Buffer.from(pageEngine.inflateRaw(packed, data.length)).equals(data)).toBe(true)
      if (data.length > 0) expect(() => pageEngine.inflateRaw(packed, data.length - 1)).toThrow()
    }),
  )
})

test('of damaged data what can be had is had', () => {
  const data = Buffer.from(Array.from({ length: 500 }, (_, n) => `one line of a log: ${n * n}\n`).join(''))
  const whole = deflateRawSync(data)
  const packed = whole.subarray(0, whole.length >> 1)
  const partly = Buffer.from(pageEngine.inflatePartly(packed, data.length))
  expect(partly.toString().startsWith('one line of a log')).toBe(true)
})
