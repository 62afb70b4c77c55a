import fc from 'fast-check'
import { FlogError } from '../../src/base/errors'
import {
  decodeEvent,
  decodePrefix,
  decodeValue,
  peekSeq,
  peekSeverity,
  peekTime,
} from '../../src/codec/decode'
import { encodeValue } from '../../src/codec/value'
import { encoded } from './encoded'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Events as they really are, to be mutated. */
const payloads = [
  encoded({
    id: 7,
    name: 'shop',
    ratio: 1.5,
    list: [1, { a: null }],
    when: new Date(0),
    map: new Map([[1, 2]]),
  }).bytes,
  encoded(
    { a: 1 },
    { extras: { error: new Error('no', { cause: new Error('why') }), traceId: 'ab', parent: 3 } },
  ).bytes,
  encoded(undefined, { message: 'é'.repeat(300), facility: 'http.server' }).bytes,
]

/** The outcome of decoding: only a FlogError may be thrown. */
function outcome(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): 'value' | 'refused' {
  try {
    decode(bytes)
    return 'value'
  } catch (error) {
    if (FlogError.is(error)) return 'refused'
    throw error
  }
}

describe('bytes that anybody may have written', () => {
  test('are a value or refused, at random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome(decodeValue, bytes)
        outcome(decodePrefix, bytes)
        outcome(decodeEvent, bytes)
      }),
      { numRuns: 5000 },
    )
  })

  test('are a value or refused where a real event was changed', () => {
    const change = fc.record({ at: fc.nat(1000), byte: fc.nat(255) })
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (payload, changes) => {
          const bytes = payload.slice()
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte
          outcome(decodeEvent, bytes)
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('are refused when a real event ends anywhere too early, or goes on', () => {
    for (const payload of payloads) {
      for (let length = 0; length < payload.length; length++) {
        expect(outcome(decodeEvent, payload.subarray(0, length))).toBe('refused')
      }
      expect(outcome(decodeEvent, Buffer.concat([payload, Buffer.from([0])]))).toBe('refused')
    }
  })

  test('are refused with the place', () => {
    expect(() => decodeValue(hex('92 01 c1'))).toThrow('type 0xc1 is not allowed here at byte 2')
    expect(() => decodeValue(hex('92 01'))).toThrow('more entries than bytes at byte 1')
    expect(() => decodeValue(hex('a5 61'))).toThrow('the value ends too early at byte 1')
  })

  test.each([
    ['the byte that is never used', 'c1'],
    ['an extension', 'd4 01 00'],
    ["msgpackr's records", 'd4 72 40 91 a1 61 01'],
    ['a key that is no text', '81 01 02'],
    ['a key that is a map', '81 80 02'],
    ['an array of 4 billion', 'dd ff ff ff ff'],
    ['a map of 4 billion', 'df ff ff ff ff'],
    ['a text of 4 GB', 'db ff ff ff ff 61'],
    ['4 GB of bytes', 'c6 ff ff ff ff 00'],
    ['nothing', ''],
    ['two values', '01 02'],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeValue(hex(bytes))).toThrow(expect.objectContaining({ code: 'FLOG_VALUE_MALFORMED' }))
  })

  test('may nest 64 levels deep, not 65', () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...Array(depth - 1).fill(0x91), 0x90])
    expect(outcome(decodeValue, nested(64))).toBe('value')
    expect(outcome(decodeValue, nested(65))).toBe('refused')
    expect(outcome(decodeValue, nested(1_000_000))).toBe('refused')
  })

  test('cannot reach a prototype', () => {
    const value = decodeValue(hex('82 a9 5f5f70726f746f5f5f 81 a1 78 01 ab 636f6e7374727563746f72 02'))
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect((value as Record<string, unknown>)['x']).toBeUndefined()
    expect((value as Record<string, unknown>)['toString']).toBeUndefined()
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})

describe('numbers of other writers', () => {
  test.each([
    ['cc ff', 255],
    ['cd ff ff', 65_535],
    ['ce ff ff ff ff', 4_294_967_295],
    ['cf 00 1f ff ff ff ff ff ff', Number.MAX_SAFE_INTEGER],
    ['d0 80', -128],
    ['d1 80 00', -32_768],
    ['d2 80 00 00 00', -2_147_483_648],
    ['d3 ff e0 00 00 00 00 00 01', Number.MIN_SAFE_INTEGER],
    ['ca 3f c0 00 00', 1.5],
    ['e0', -32],
    ['7f', 127],
  ])('%s', (bytes, value) => expect(decodeValue(hex(bytes))).toBe(value))

  test('are tagged where a number would not be exact', () => {
    expect(decodeValue(hex('cf ff ff ff ff ff ff ff ff'))).toEqual({ $: 'bigint', v: '18446744073709551615' })
    expect(decodeValue(hex('d3 80 00 00 00 00 00 00 00'))).toEqual({ $: 'bigint', v: '-9223372036854775808' })
  })

  test('texts that are no UTF-8 are read as far as they can be', () => {
    expect(decodeValue(hex('a3 61 ff 62'))).toBe('a�b')
    expect(decodeValue(hex('a3 ef bb bf'))).toBe('﻿')
  })
})

describe('an event', () => {
  const parts = [5, 1_000_000, 9, 'message', 'a.b', { x: 1 }]

  test('is an array of its parts', () => {
    expect(decodeEvent(encodeValue(parts))).toEqual({
      seq: 5,
      time: 1_000_000,
      severity: 9,
      message: 'message',
      facility: 'a.b',
      fields: { x: 1 },
    })
  })

  test('of a newer writer is read as far as it is known', () => {
    const more = { traceId: 'ab', shape: 'new', error: { name: 'E', message: 'm', extra: 1 } }
    expect(decodeEvent(encodeValue([...parts, more, 'and more']))).toMatchObject({
      traceId: 'ab',
      error: { name: 'E', message: 'm' },
    })
  })

  test('with parts of the wrong type reads as one without them', () => {
    const more = { traceId: 1, parent: 'x', error: 3, cut: 'much', thread: null }
    const event = decodeEvent(encodeValue([1, 2, 9, 'm', 3, 'no fields', more]))
    expect(event).toEqual({ seq: 1, time: 2, severity: 9, message: 'm', facility: '', fields: {} })
  })

  test.each<[string, unknown]>([
    ['a map', { seq: 1 }],
    ['five parts', parts.slice(0, 5)],
    ['a seq that is a text', ['5', ...parts.slice(1)]],
    ['a seq that is not whole', [1.5, ...parts.slice(1)]],
    ['a negative seq', [-1, ...parts.slice(1)]],
    ['a seq that is not a number', [Number.NaN, ...parts.slice(1)]],
    ['severity 0', [5, 1, 0, ...parts.slice(3)]],
    ['severity 25', [5, 1, 25, ...parts.slice(3)]],
    ['severity 9.5', [5, 1, 9.5, ...parts.slice(3)]],
    ['a message that is no text', [5, 1, 9, 1, ...parts.slice(4)]],
  ])('is not %s', (_, value) => {
    expect(() => decodeEvent(encodeValue(value))).toThrow(
      expect.objectContaining({ code: 'FLOG_EVENT_MALFORMED' }),
    )
  })

  test('shows seq, time and severity without being decoded', () => {
    const { bytes } = encoded({ a: 1 })
    const memory = Buffer.concat([Buffer.alloc(5), bytes])
    expect([peekSeq(memory, 5), peekTime(memory, 5), peekSeverity(memory, 5)]).toEqual([
      7, 1_700_000_000_000_000, 9,
    ])
  })
})
