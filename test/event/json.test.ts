import fc from 'fast-check'
import type { Plain } from '../../src/event/event'
import { toJson } from '../../src/event/json'

const json = (value: Plain) => JSON.parse(JSON.stringify(toJson(value)))

describe('toJson', () => {
  test.each<[string, Plain, unknown]>([
    ['plain data', { a: [1, 'x', null, true] }, { a: [1, 'x', null, true] }],
    ['a BigInt: its digits', { $: 'bigint', v: '12345678901234567890' }, '12345678901234567890'],
    ['a date', { $: 'date', v: '2026-11-21T20:31:05.123Z' }, '2026-11-21T20:31:05.123Z'],
    ['an invalid date', { $: 'date', v: null }, null],
    ['bytes: base64', new Uint8Array([1, 2, 255]), 'AQL/'],
    ['a typed array', { $: 'typed', type: 'Uint16Array', v: new Uint8Array([1, 1]) }, [257]],
    ['a typed array of BigInts', { $: 'typed', type: 'BigUint64Array', v: new Uint8Array(8) }, ['0']],
    ['a map with text keys', { $: 'map', v: [['a', 1]] }, { a: 1 }],
    [
      'any other map',
      {
        $: 'map',
        v: [
          ['a', 1],
          [2, 3],
        ],
      },
      [
        ['a', 1],
        [2, 3],
      ],
    ],
    ['a set', { $: 'set', v: [1, 2] }, [1, 2]],
    ['NaN', Number.NaN, 'NaN'],
    ['-Infinity', -Infinity, '-Infinity'],
    ['undefined', [{ $: 'undefined' }], [null]],
    ['a symbol', { $: 'symbol', v: 's' }, 'Symbol(s)'],
    ['a function', { $: 'function', v: 'f' }, '[function f]'],
    ['a URL', { $: 'url', v: 'file:///x' }, 'file:///x'],
    ['a circle', { $: 'circular', v: '1' }, '[circular]'],
    ['a cut text', { $: 'cut', v: 'abc', bytes: 1 }, 'abc… (+1 byte)'],
    ['a cut list', [1, { $: 2 }], [1, '… (+2 entries)']],
    ['a cut object', { a: 1, $: 2 }, { a: 1, '…': '+2 entries' }],
    ['a lone surrogate', { $: 'text', v: new Uint8Array([0, 0xd8]) }, '\ud800'],
    ['keys of dollars', { $$: 1, $$$: 2 }, { $: 1, $$: 2 }],
    [
      'an error',
      { $: 'error', name: 'E', message: 'm', stack: 's', fields: { n: { $: 'bigint', v: '1' } } },
      { name: 'E', message: 'm', stack: 's', fields: { n: '1' } },
    ],
  ])('%s', (_, value, expected) => {
    expect(json(value)).toEqual(expected)
  })

  test('-0 is 0', () => {
    expect(Object.is(toJson(-0), 0)).toBe(true)
  })

  test('a key __proto__ is a key', () => {
    const value = { $: 'map', v: [['__proto__', { polluted: 1 }]] }
    expect(JSON.stringify(toJson(value))).toBe('{"__proto__":{"polluted":1}}')
  })

  test('any bytes come back from their base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(Buffer.from(toJson(bytes) as string, 'base64').equals(bytes)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('JSON stays what it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // A `$` of the user's never arrives: the encoder has renamed it.
        fc.pre(!JSON.stringify(value).includes('"$'))
        expect(json(value as Plain)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
