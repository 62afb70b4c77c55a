import fc from 'fast-check'
import { expectFewValues } from '../../src/remote/structure'
import { decodeMessage, encodeMessage, Fields, pack } from '../../src/remote/wire'

const malformed = expect.objectContaining({ code: 'FLOG_REMOTE_PROTOCOL' })

test('what is packed is decoded to the same', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }))
  fc.assert(
    fc.property(json, (value) => {
      const expected = JSON.parse(JSON.stringify(value))
      expect(JSON.parse(JSON.stringify(decodeMessage(pack(value), 1e6).map))).toEqual(expected)
    }),
  )
})

test('whatever the bytes, they are a map or an error of the protocol', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expect(typeof decodeMessage(bytes, 1e6).map).toBe('object')
      } catch (error) {
        expect(error).toEqual(malformed)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a message over its limit is not looked at', () => {
  const bytes = encodeMessage({ type: 'cancel', id: 1 })
  expect(decodeMessage(bytes, bytes.length).map['id']).toBe(1)
  expect(() => decodeMessage(bytes, bytes.length - 1)).toThrow(malformed)
})

test('a map has nothing but what came', () => {
  const { map } = decodeMessage(pack(JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')), 1e6)
  expect(Object.keys(map).length).toBe(2)
  expect('toString' in map).toBe(false)
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

const fields = Fields.of(
  { text: 'abc', count: 3, half: 1.5, bytes: new Uint8Array(4), list: [1, 2], none: null },
  'it',
)
const wrong: readonly (readonly [string, () => unknown])[] = [
  ['a number for text', () => fields.text('count')],
  ['text that is too long', () => fields.text('text', 2)],
  ['text for a number', () => fields.count('text')],
  ['a fraction', () => fields.count('half')],
  ['a number over its maximum', () => fields.count('count', 2)],
  ['a number under its minimum', () => fields.count('count', 9, 4)],
  ['too few bytes', () => fields.bytes('bytes', 5)],
  ['too many bytes', () => fields.bytes('bytes', 1, 3)],
  ['text for bytes', () => fields.bytes('text', 3)],
  ['a list that is too long', () => fields.list('list', 1)],
  ['another word', () => fields.oneOf('text', ['x', 'y'])],
  ['text for a flag', () => fields.flag('text')],
  ['a list for a map', () => fields.inner('list')],
  ['what is not there', () => fields.text('absent')],
]

test.each(wrong)('%s is told with its name', (_, read) => {
  expect(read).toThrow(malformed)
  expect(read).toThrow(/it|text|list/)
})

test('absent and null are the same', () => {
  expect([fields.has('none'), fields.has('absent'), fields.has('text')]).toEqual([false, false, true])
  expect(fields.flag('absent')).toBe(false)
  expect(fields.inner('none').map).toEqual({})
})

test('small bytes that stand for many values are refused before they are made', () => {
  const few = pack({ id: 1, list: [1, [2, 'three', new Uint8Array(300)], { four: 4.5 }] })
  // The map, 2 keys, 1, the list, 1, the inner list, 2, text, bytes, the inner map, its key, 4.5
  expect(decodeMessage(few, 1e6, 13).map['id']).toBe(1)
  expect(() => decodeMessage(few, 1e6, 12)).toThrow(malformed)
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const count = valuesIn(value) + 2
      expect(decodeMessage(pack({ value }), 1e6, count).map).toBeDefined()
      expect(() => decodeMessage(pack({ value }), 1e6, count - 1)).toThrow(malformed)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        expectFewValues(bytes, 50)
      } catch (error) {
        expect(error).toMatchObject({ code: 'FLOG_VALUE_MALFORMED' })
      }
    }),
  )
})

function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + valuesIn(one), 1)
  return Object.values(value).reduce((sum: number, one) => sum + 1 + valuesIn(one), 1)
}
