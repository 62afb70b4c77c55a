import { decodeEvent } from '../../src/codec/decode'
import { EventEncoder } from '../../src/codec/encoder'
import type { PlainObject } from '../../src/event/event'
import { toJson } from '../../src/event/json'
import { Redactor } from '../../src/event/redact'
import { renderPlain } from '../../src/event/render'
import { fieldAt, meaningOf } from '../../src/event/tagged'

/** Fields as a reader gets them: through the encoder and back. */
function logged(fields: Record<string, unknown>): PlainObject {
  const encoder = new EventEncoder(new Redactor({}))
  const length = encoder.encode(0, 9, 'message', '', fields)
  encoder.stamp(0)
  return decodeEvent(encoder.bytes.subarray(0, length)).fields
}

const circular: Record<string, unknown> = {}
circular['self'] = circular
const throwing = {
  get broken() {
    throw new Error('no')
  },
}

describe('what the encoder writes is understood', () => {
  test.each<[string, unknown, string, unknown]>([
    ['undefined', undefined, 'undefined', null],
    ['bigint', 12n, '12n', '12'],
    ['date', new Date(0), '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
    ['invalid date', new Date(Number.NaN), 'invalid date', null],
    ['map', new Map([['a', 1]]), 'Map{"a" => 1}', { a: 1 }],
    ['set', new Set(['a', 1]), 'Set{"a", 1}', ['a', 1]],
    ['symbol', Symbol('s'), 'Symbol(s)', 'Symbol(s)'],
    ['function', function named() {}, '[function named]', '[function named]'],
    ['regexp', /a+/g, '/a+/g', '/a+/g'],
    ['url', new URL('https://example.org/x'), 'https://example.org/x', 'https://example.org/x'],
    ['bytes', Buffer.from('hi'), '<2 bytes 6869>', 'aGk='],
    ['typed array', new Float64Array([1.5, -2]), 'Float64Array[1.5, -2]', [1.5, -2]],
    ['typed array of bigint', new BigInt64Array([-5n]), 'BigInt64Array[-5]', ['-5']],
    ['lone surrogate', 'a\ud800', '"a\\ud800"', 'a\ud800'],
    ['circle', circular, '{self: [circular]}', { self: '[circular]' }],
    ['getter that throws', throwing, '{broken: [threw: no]}', { broken: '[threw: no]' }],
    ['key of dollars', { $: 1, $$: 2 }, '{$: 1, $$: 2}', { $: 1, $$: 2 }],
    ['-0', -0, '-0', 0],
  ])('%s', (_, value, text, json) => {
    const field = logged({ field: value })['field'] ?? null
    expect(renderPlain(field)).toBe(text)
    expect(toJson(field)).toEqual(json)
  })

  test('errors', () => {
    const error = Object.assign(new TypeError('bad', { cause: new RangeError('worse') }), {
      code: 'E_BAD',
      orderId: 7,
    })
    const field = logged({ a: 1, problem: error })['problem'] ?? null
    expect(renderPlain(field)).toBe('TypeError [E_BAD]: bad, caused by RangeError: worse')
    expect(toJson(field)).toMatchObject({
      name: 'TypeError',
      code: 'E_BAD',
      cause: { name: 'RangeError' },
      fields: { orderId: 7 },
    })
  })

  test('what was cut', () => {
    const list = logged({ list: Array.from({ length: 1500 }, (_, n) => n) })['list'] ?? null
    expect(meaningOf(list)).toMatchObject({ kind: 'list', missing: 500 })
    const text = logged({ text: 'x'.repeat(100_000) })['text'] ?? null
    expect(meaningOf(text)).toMatchObject({ kind: 'cut', text: expect.stringMatching(/^x+$/) })
    expect(renderPlain(text, 40)).toBe(`"${'x'.repeat(38)}…`)
  })
})

test('fieldAt finds whole names, paths, and nothing that is inherited', () => {
  const fields = logged({ 'a.b': 1, a: { b: 2, c: [3, { d: 4 }] }, $: 5, cause: new Error('m') })
  expect(['a.b', 'a.c.0', 'a.c.1.d', '$', 'cause.message'].map((name) => fieldAt(fields, name))).toEqual([
    1,
    3,
    4,
    5,
    'm',
  ])
  for (const name of ['', '.', 'a.', 'a.x', 'a.b.c', 'constructor', 'a.__proto__', 'a.c.map']) {
    expect(fieldAt(fields, name)).toBeUndefined()
  }
})
