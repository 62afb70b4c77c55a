import fc from 'fast-check'
import { encodeValue } from '../../src/codec/value'
import { expectFewValues } from '../../src/remote/structure'

const json = fc.jsonValue({ maxDepth: 4 })

function count(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + count(item), 1)
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, item) => sum + 1 + count(item), 1)
}

test('values are counted exactly, keys included', () => {
  fc.assert(
    fc.property(json, (value) => {
      const bytes = encodeValue(value)
      const values = count(value)
      expect(() => expectFewValues(bytes, values)).not.toThrow()
      if (values > 1) expect(() => expectFewValues(bytes, values - 1)).toThrow(/more than/)
    }),
  )
})

test('a million empty maps in few bytes are refused without being made', () => {
  const bytes = new Uint8Array(1_000_005).fill(0x80)
  bytes.set([0xdd, 0x00, 0x0f, 0x42, 0x40])
  expect(() => expectFewValues(bytes, 10_000)).toThrow(
    expect.objectContaining({ code: 'FLOG_VALUE_MALFORMED' }),
  )
})

test('any bytes end, counted or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expectFewValues(bytes, 50)
      } catch (error) {
        expect(error).toMatchObject({ code: 'FLOG_VALUE_MALFORMED' })
      }
    }),
  )
})
