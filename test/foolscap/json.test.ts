import fc from 'fast-check'
import { Float, JsonError, parseJson, type Value } from '../../src/foolscap/json'
import { isDict, isList } from '../../src/foolscap/python'
import { anyText } from '../any-text'

/** What `JSON.parse` would have made of it. */
function simple(value: Value): unknown {
  if (value instanceof Float) return value.value
  if (isList(value)) return value.map(simple)
  if (!isDict(value)) return typeof value === 'bigint' ? Number(value) : value
  const object: Record<string, unknown> = {}
  for (const [key, item] of value)
    Object.defineProperty(object, key, {
      value: simple(item),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  return object
}

test('whatever JSON.parse reads is read alike', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 2), (text, indent) => {
      const again = JSON.stringify(JSON.parse(text), null, indent)
      expect(simple(parseJson(again))).toEqual(JSON.parse(again))
    }),
  )
})

test('texts of any units come through, also lone surrogates', () => {
  fc.assert(
    fc.property(anyText(), fc.nat(0xffff), (text, unit) => {
      const odd = text + String.fromCharCode(unit)
      const escaped = Array.from({ length: odd.length }, (_, i) => {
        return `\\u${odd.charCodeAt(i).toString(16).padStart(4, '0')}`
      })
      expect(parseJson(`"${escaped.join('')}"`)).toBe(odd)
      expect(parseJson(JSON.stringify(odd))).toBe(odd)
    }),
  )
})

test('whole numbers of any size are exact, and apart from floats', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }), (number) => {
      const value = parseJson(String(number))
      expect(BigInt(value as number | bigint)).toBe(number)
    }),
  )
  expect([parseJson('3'), parseJson('3.0'), parseJson('3e0')]).toEqual([3, new Float(3), new Float(3)])
  expect(parseJson('-0')).toBe(0)
  expect(parseJson('-0.0')).toEqual(new Float(-0))
})

test('the words that Python writes are numbers', () => {
  expect(parseJson('[NaN, Infinity, -Infinity, null, true, false]')).toEqual([
    ...[Number.NaN, Infinity, -Infinity].map((number) => new Float(number)),
    ...[null, true, false],
  ])
})

test('of equal keys the last one counts, and any key is a key', () => {
  expect(parseJson('{"a": 1, "__proto__": {"b": 2}, "a": 3}')).toEqual(
    new Map<string, Value>([
      ['a', 3],
      ['__proto__', new Map([['b', 2]])],
    ]),
  )
})

test.each([
  ['', 'a value', 1],
  ['{"a": 1', 'a comma or }', 8],
  ['{"a" 1}', 'a colon', 6],
  ['{a: 1}', 'a key', 2],
  ['[1 2]', 'a comma or ]', 4],
  ['[1,]', 'a value', 4],
  ['"a', 'the end of a text', 3],
  ['"a\nb"', 'the end of a text', 3],
  ['"\\x"', 'an escape', 4],
  ['"\\u12"', 'four hexadecimal digits', 4],
  ['01', 'the end', 2],
  ['1 1', 'the end', 3],
  ['nul', 'a value', 1],
  [`[${'9'.repeat(5000)}]`, 'a number of at most 4300 digits', 2],
  ['['.repeat(100_000), 'less depth', 901],
])('%.20s is refused where it is wrong', (text, expected, at) => {
  expect(() => parseJson(text)).toThrow(new JsonError(expected, at - 1))
})
