import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { decodeValue } from '../../src/codec/decode'
import { encodeValue } from '../../src/codec/value'
import { anyText } from '../any-text'

/** Any well-formed text; `$` alone as a key is a tag here, and msgpackr renames `__proto__`. */
const key = anyText({ maxLength: 20 }).filter((text) => text !== '__proto__')
const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    '',
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
  fc.constantFrom(
    2 ** 53,
    2 ** 53 - 1,
    -(2 ** 53),
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32,
  ),
  fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, -1, -32, -33, -128, -129, -32_768, -32_769),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  anyText({ maxLength: 100 }),
  fc.string({ maxLength: 60 }),
)
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6, withCrossShrink: true }, leaf, tie('list'), tie('record')),
  list: fc.array(tie('value'), { maxLength: 20 }),
  record: fc.dictionary(key, tie('value'), { maxKeys: 20 }),
})).value

describe('a plain value', () => {
  test('comes back as it went in', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(comparable(decodeValue(encodeValue(value)))).toEqual(comparable(value))
      }),
      { numRuns: 200 },
    )
  })

  test('can be read by any MessagePack reader', () => {
    const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })
    fc.assert(
      fc.property(tree, (value) => {
        expect(comparable(unpackr.unpack(encodeValue(value)))).toEqual(comparable(value))
      }),
      { numRuns: 100 },
    )
  })

  test('of bytes comes back as bytes of their own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const payload = encodeValue(bytes)
        const back = decodeValue(payload)
        payload.fill(0)
        expect(back).toEqual(bytes)
      }),
    )
  })

  test.each([0, 31, 32, 48, 49, 255, 256, 21_844, 21_845, 65_535, 65_536, 200_000])(
    'text of %i characters keeps each of them',
    (length) => {
      for (const character of ['a', 'é', '€', '😀']) {
        const text = character.repeat(length)
        expect(decodeValue(encodeValue(text)) === text).toBe(true)
      }
    },
  )

  test('is encoded by value', () => {
    const value = { list: [1] }
    const bytes = encodeValue(value)
    value.list.push(2)
    expect(decodeValue(bytes)).toEqual({ list: [1] })
  })

  test('keeps tags and passwords: what is encoded here was made and redacted before', () => {
    const value = { $: 'date', v: 'x', password: 'kept', url: 'a://b:c@d' }
    expect(decodeValue(encodeValue(value))).toEqual(value)
  })

  test('longer than the limit is cut, and says so', () => {
    const bytes = encodeValue({ a: 'x'.repeat(3_000_000), b: 1 })
    expect(bytes.length).toBeLessThanOrEqual(2 * 1024 * 1024)
    expect(decodeValue(bytes)).toMatchObject({ a: { $: 'cut' }, $: 1 })
  })
})

/** With a prototype, and with -0 told from 0, as `toEqual` does. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return new Map(Object.entries(value).map(([name, entry]) => [name, comparable(entry)]))
}
