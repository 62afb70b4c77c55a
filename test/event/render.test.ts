import fc from 'fast-check'
import type { Plain } from '../../src/event/event'
import { renderPlain } from '../../src/event/render'
import { anyText } from '../any-text'

const tag = (name: string, more: Record<string, Plain> = {}): Plain => ({ $: name, ...more })

describe('renderPlain', () => {
  test.each<[Plain, string]>([
    [null, 'null'],
    [true, 'true'],
    [7, '7'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [{ id: 7, tags: ['a', 'b'] }, '{id: 7, tags: ["a", "b"]}'],
    [{ 'two words': 1, $$: 2 }, '{"two words": 1, $: 2}'],
    [[], '[]'],
    [{}, '{}'],
    [new Uint8Array(), '<0 bytes>'],
    [new Uint8Array([1, 255]), '<2 bytes 01ff>'],
    [new Uint8Array(20), `<20 bytes ${'00'.repeat(16)}…>`],
    [tag('undefined'), 'undefined'],
    [tag('proxy'), '[proxy]'],
    [tag('bigint', { v: '123' }), '123n'],
    [tag('date', { v: '2026-11-21T20:31:05.123Z' }), '2026-11-21T20:31:05.123Z'],
    [tag('date', { v: null }), 'invalid date'],
    [
      tag('map', {
        v: [
          ['a', 1],
          [{ b: 2 }, 'x'],
        ],
      }),
      'Map{"a" => 1, {b: 2} => "x"}',
    ],
    [tag('set', { v: [1, 'a'] }), 'Set{1, "a"}'],
    [tag('symbol', { v: 'token' }), 'Symbol(token)'],
    [tag('function', { v: 'retry' }), '[function retry]'],
    [tag('function', { v: '' }), '[function]'],
    [tag('regexp', { v: '/a+/g' }), '/a+/g'],
    [tag('url', { v: 'https://example.org/' }), 'https://example.org/'],
    [tag('circular', { v: '1' }), '[circular]'],
    [tag('deep', { v: 'Object' }), '[Object]'],
    [tag('thrown', { v: 'no' }), '[threw: no]'],
    [tag('cut', { v: 'the first', bytes: 12 }), '"the first" … (+12 bytes)'],
    [tag('text', { v: new Uint8Array([0x61, 0, 0, 0xd8]) }), '"a\\ud800"'],
    [tag('typed', { type: 'Int16Array', v: new Uint8Array([1, 0, 255, 255]) }), 'Int16Array[1, -1]'],
    [
      tag('typed', { type: 'BigInt64Array', v: new Uint8Array([5, 0, 0, 0, 0, 0, 0, 0]) }),
      'BigInt64Array[5]',
    ],
    [tag('typed', { type: 'Float32Array', v: [1.5] }), 'Float32Array[1.5]'],
    [tag('typed', { type: 'DataView', v: new Uint8Array([1]) }), '<1 bytes 01>'],
    [[1, { $: 3 }], '[1, … (+3 entries)]'],
    [{ a: 1, $: 1 }, '{a: 1, … (+1 entry)}'],
    [tag('error', { name: 'TypeError', message: 'no such order', stack: 'x' }), 'TypeError: no such order'],
    [
      tag('error', {
        name: 'E',
        message: '',
        code: 'ENOENT',
        cause: tag('error', { name: 'F', message: 'm' }),
      }),
      'E [ENOENT], caused by F: m',
    ],
  ])('%j', (value, text) => {
    expect(renderPlain(value)).toBe(text)
  })

  test('a text has quotes only where it needs them', () => {
    expect(['shop', '/orders/7?x', 'héllo', '2026-11-21'].map((text) => renderPlain(text))).toEqual([
      'shop',
      '/orders/7?x',
      'héllo',
      '2026-11-21',
    ])
    expect(['', 'two words', 'a=b', '12', 'null', '1e5', 'it"s'].map((text) => renderPlain(text))).toEqual([
      '""',
      '"two words"',
      '"a=b"',
      '"12"',
      '"null"',
      '"1e5"',
      '"it\\"s"',
    ])
  })

  test('tags that are not known or lack their parts are shown as they are', () => {
    expect(renderPlain({ $: 'new', v: 1 })).toBe('{$: "new", v: 1}')
    expect(renderPlain({ $: 'bigint' })).toBe('{$: "bigint"}')
    expect(renderPlain({ $: 'map', v: 7 })).toBe('{$: "map", v: 7}')
  })

  test('nothing that it shows moves a cursor or reorders the line', () => {
    expect(renderPlain('\u001b[31mred\u009b\u202e\u2028\u007f')).toBe(
      '"\\u001b[31mred\\u009b\\u202e\\u2028\\u007f"',
    )
    expect(renderPlain({ 'a\nb': '\u{e0001}' })).toBe('{"a\\nb": "\\u{e0001}"}')
  })

  test('is cut at the length asked for', () => {
    expect(renderPlain('x'.repeat(30), 10)).toBe(`"${'x'.repeat(8)}…`)
    expect(renderPlain('x'.repeat(10), 10)).toBe('x'.repeat(10))
    expect(renderPlain([1, 2, 3, 4, 5], 9)).toBe('[1, 2, 3…')
    expect(renderPlain({ $: 'url', v: `http://${'a'.repeat(100)}` }, 12)).toBe('http://aaaa…')
    expect(renderPlain(['😀😀😀'], 4)).toBe('["…')
  })
})

const leaf: fc.Arbitrary<Plain> = fc.oneof(
  anyText(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array(),
)
const tags = fc.constantFrom(
  'map',
  'set',
  'error',
  'cut',
  'date',
  'typed',
  'text',
  'bigint',
  'undefined',
  'deep',
  'x',
)
const { plain } = fc.letrec<{ plain: Plain }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('plain')),
    fc.dictionary(fc.string(), tie('plain')),
    fc.record(
      { $: fc.oneof(tags, fc.integer()), v: tie('plain'), type: tie('plain') },
      { requiredKeys: ['$'] },
    ),
  ),
}))

test('any value: one line, within its length, no control characters', () => {
  fc.assert(
    fc.property(plain, fc.integer({ min: 1, max: 200 }), (value, max) => {
      const text = renderPlain(value, max)
      expect(text.length).toBeLessThanOrEqual(max)
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    }),
  )
})

test('a value deeper than any stack likes', () => {
  let value: Plain = 1
  for (let depth = 0; depth < 100_000; depth++) value = [value]
  expect(renderPlain(value)).toMatch(/^\[+\[too deep\]\]+$/)
})
