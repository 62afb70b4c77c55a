import { setFlagsFromString } from 'node:v8'
import { createContext, runInContext, runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { decodeEvent, decodeValue } from '../../src/codec/decode'
import { EventEncoder } from '../../src/codec/encoder'
import { Redactor } from '../../src/event/redact'
import { anyText } from '../any-text'
import { encoded, encodedBy, encodedValue } from './encoded'

describe('a plain event', () => {
  test('comes back with all its parts', () => {
    const extras = { traceId: 'a1', spanId: 'b2', parent: 3, thread: 2, error: new TypeError('bad') }
    const { event } = encoded(
      { id: 7, ok: true, none: null },
      { message: 'hi {id}', facility: 'a.b', extras },
    )
    expect(event).toMatchObject({
      seq: 7,
      time: 1_700_000_000_000_000,
      severity: 9,
      message: 'hi {id}',
      facility: 'a.b',
      fields: { id: 7, ok: true, none: null },
      traceId: 'a1',
      spanId: 'b2',
      parent: 3,
      thread: 2,
      error: { name: 'TypeError', message: 'bad' },
    })
  })

  test('is what an independent MessagePack reader sees', () => {
    const unpackr = new Unpackr({ useRecords: false })
    const { bytes } = encoded({ id: 7, list: [1.5, { a: null }], text: 'é€😀' }, { facility: 'x' })
    const fields = { id: 7, list: [1.5, { a: null }], text: 'é€😀' }
    expect(unpackr.unpack(bytes)).toEqual([7, 1_700_000_000_000_000, 9, 'm', 'x', fields])
  })

  const scalar = fc.oneof(anyText(), fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null))
  const name = fc
    .string({ maxLength: 8 })
    .filter((text) => !/^\$+$/.test(text) && !new Redactor().takesName(text))

  test('comes back whatever events came before it', () => {
    const encoder = new EventEncoder(new Redactor())
    const fields = fc.dictionary(name, scalar, { maxKeys: 8 })
    const texts = fc.string({ maxLength: 60 }).filter((text) => !text.includes('@'))
    fc.assert(
      fc.property(fields, texts, texts, (given, message, facility) => {
        fc.pre(!Object.values(given).some((value) => typeof value === 'string' && value.includes('@')))
        const { event } = encodedBy(encoder, given, { message, facility })
        expect({ ...event.fields }).toEqual({ ...given })
        expect(event).toMatchObject({ message, facility })
      }),
      { numRuns: 500 },
    )
  })

  test('keeps the bytes of the one before as they were copied', () => {
    const encoder = new EventEncoder(new Redactor())
    const first = encodedBy(encoder, { a: 'first' })
    encodedBy(encoder, { a: 'second, which is longer' })
    expect(decodeEvent(first.bytes).fields).toEqual({ a: 'first' })
  })

  test('is encoded by value', () => {
    const fields = { user: { name: 'ada' }, list: [1], bytes: new Uint8Array([1]), map: new Map([['a', 1]]) }
    const { event } = encoded(fields)
    fields.user.name = 'eve'
    fields.list.push(2)
    fields.bytes[0] = 9
    fields.map.set('b', 2)
    expect(event.fields).toEqual({
      user: { name: 'ada' },
      list: [1],
      bytes: new Uint8Array([1]),
      map: { $: 'map', v: [['a', 1]] },
    })
  })
})

describe('fields that are not a plain object', () => {
  test.each<[string, unknown, Record<string, unknown>]>([
    ['nothing', undefined, {}],
    ['null', null, {}],
    ['a text', 'text', { value: 'text' }],
    ['a number', 7, { value: 7 }],
    ['an array', [1, 2], { value: [1, 2] }],
    ['a map', new Map([['a', 1]]), { value: { $: 'map', v: [['a', 1]] } }],
    ['a set', new Set([1]), { value: { $: 'set', v: [1] } }],
    ['a date', new Date(0), { value: { $: 'date', v: '1970-01-01T00:00:00.000Z' } }],
    ['bytes', Buffer.from('a'), { value: new Uint8Array([97]) }],
    ['a URL', new URL('http://a/b'), { value: { $: 'url', v: 'http://a/b' } }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      'an instance',
      new (class Point {
        x = 1
        y = 2
      })(),
      { x: 1, y: 2 },
    ],
    [
      'an instance with a toJSON',
      new (class Model {
        hidden = 1
        toJSON() {
          return { shown: 2 }
        }
      })(),
      { shown: 2 },
    ],
    [
      'a toJSON that answers with a text',
      new (class Id {
        toJSON() {
          return 'id-7'
        }
      })(),
      { value: 'id-7' },
    ],
    ['a proxy', new Proxy({ a: 1 }, {}), { a: 1 }],
  ])('%s', (_, fields, expected) => expect(encoded(fields).event.fields).toEqual(expected))

  test('an error is the error of the event', () => {
    const { event } = encoded(new RangeError('too far'))
    expect(event).toMatchObject({ fields: {}, error: { name: 'RangeError', message: 'too far' } })
  })

  test('an error under err or error is the error of the event, and a second one a field', () => {
    const { event } = encoded({ a: 1, err: new Error('first'), error: new Error('second'), z: 2 })
    expect(event).toMatchObject({ error: { message: 'first' }, fields: { a: 1, z: 2 } })
    expect(event.fields['error']).toMatchObject({ $: 'error', message: 'second' })
    expect(Object.keys(event.fields)).toEqual(['a', 'error', 'z'])
  })

  test('what is no error stays where it is', () => {
    expect(encoded({ err: 'text', error: { message: 'like one' } }).event).not.toHaveProperty('error')
  })

  test('bound fields give way to those of the call', () => {
    const { event } = encoded({ a: 1 }, { extras: { bound: { a: 0, b: 2 } } })
    expect(event.fields).toEqual({ a: 1, b: 2 })
  })

  test("keys of a logger's info object that say what the event says are no fields", () => {
    const error = Object.assign(new Error('no'), { level: 'error', code: 'E' })
    const { event } = encoded({ level: 'error', message: 'm', id: 7, err: error }, { extras: { info: true } })
    expect(event.fields).toEqual({ id: 7 })
    expect(event.error?.fields).toBeUndefined()
  })
})

describe('any message', () => {
  class Hostile extends Error {
    override get message(): string {
      throw new Error('no message')
    }
  }
  test.each<[string, unknown, string]>([
    ['text', 'hello', 'hello'],
    ['empty text', '', ''],
    ['long text', 'x'.repeat(500), 'x'.repeat(500)],
    ['text beyond ASCII', 'grüße €😀', 'grüße €😀'],
    ['lone surrogates', 'a\ud800b', 'a�b'],
    ['nothing', undefined, ''],
    ['null', null, 'null'],
    ['number', 7.5, '7.5'],
    ['bigint', 2n ** 70n, String(2n ** 70n)],
    ['symbol', Symbol('s'), 'Symbol(s)'],
    ['function', () => 'its source stays here', '[function]'],
    ['error', new Error('broken'), 'broken'],
    ['error without a message', new TypeError(), 'TypeError'],
    ['error whose message throws', new Hostile(), '[threw no message]'],
    ['object', { a: 1, b: [new Date(0)] }, '{"a":1,"b":["1970-01-01T00:00:00.000Z"]}'],
    ['array', [1, 'a'], '[1,"a"]'],
    ['date', new Date(0), '1970-01-01T00:00:00.000Z'],
    [
      'object that throws',
      {
        toJSON() {
          throw new Error('no')
        },
      },
      '[threw: no]',
    ],
    ['revoked proxy', revoked(), expect.stringContaining('revoked') as unknown as string],
  ])('%s', (_, message, text) => expect(encoded(undefined, { message }).event.message).toEqual(text))

  test('a long one leaves room for the fields', () => {
    const { event, cut } = encoded({ id: 7 }, { message: 'é'.repeat(1_000_000) })
    expect(event.message).toMatch(/^é{4000,}$/)
    expect(event.fields).toEqual({ id: 7 })
    expect(event.cut).toBe(cut)
    expect(cut + Buffer.byteLength(event.message)).toBe(2_000_000)
  })
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('hostile values', () => {
  test('a circle ends at the object that it comes back to', () => {
    const a: Record<string, unknown> = { x: 1 }
    a['b'] = { a, list: [a] }
    expect(encodedValue(a)).toEqual({
      x: 1,
      b: { a: { $: 'circular', v: '2' }, list: [{ $: 'circular', v: '3' }] },
    })
    const array: unknown[] = []
    array.push(array)
    const map = new Map<unknown, unknown>()
    map.set(map, map)
    const set = new Set<unknown>()
    set.add(set)
    expect(encodedValue([array, map, set])).toMatchObject([[{ $: 'circular' }], { $: 'map' }, { $: 'set' }])
  })

  test('an object that appears twice is no circle', () => {
    const shared = { x: 1 }
    expect(encodedValue([shared, shared])).toEqual([{ x: 1 }, { x: 1 }])
  })

  test('a getter that throws costs its own value only', () => {
    const fields = {
      a: 1,
      get broken(): never {
        throw new Error('no')
      },
      z: {
        deep: {
          get broken(): never {
            throw 'text'
          },
        },
      },
    }
    expect(encoded(fields).event.fields).toEqual({
      a: 1,
      broken: { $: 'thrown', v: 'no' },
      z: { deep: { broken: { $: 'thrown', v: 'text' } } },
    })
  })

  test('what a getter throws may itself be hostile', () => {
    const thrown = Object.defineProperty(new Error(), 'message', {
      get() {
        throw thrown
      },
    })
    const fields = Object.defineProperty({ a: 1 }, 'b', {
      enumerable: true,
      get: () => {
        throw thrown
      },
    })
    const hopeless = new Proxy(
      {},
      {
        ownKeys: () => {
          throw { toString: 'no function' }
        },
      },
    )
    expect(encoded(fields).event.fields).toMatchObject({ a: 1, b: { $: 'thrown' } })
    expect(encoded(hopeless).event.fields).toHaveProperty('fields failed')
  })

  test('proxies are read, whatever they answer', () => {
    const no = (): never => {
      throw new Error('trap')
    }
    const traps = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'] as const
    for (const trap of traps) {
      for (const target of [{ a: 1 }, [1], () => 1, new Error('e'), new Map(), new Date()]) {
        const proxy = new Proxy(target, { [trap]: no })
        expect(encoded({ proxy, z: 1 }).event.fields['z']).toBe(1)
        expect(encoded(proxy, { extras: { bound: { z: 1 } } }).event.fields['z']).toBe(1)
      }
    }
    expect(encoded({ a: revoked(), z: 1 }).event.fields).toMatchObject({ a: { $: 'thrown' }, z: 1 })
    expect(encoded(revoked(), { extras: { bound: { z: 1 } } }).event.fields).toMatchObject({ z: 1 })
  })

  test('arrays may lie about their length', () => {
    for (const length of [-1, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, 'x', 10n, {}]) {
      const proxy = new Proxy([1, 2], {
        get: (target, name) => (name === 'length' ? length : Reflect.get(target, name)),
      })
      expect(encoded({ proxy, z: 1 }, { capacity: 65_536 }).event.fields['z']).toBe(1)
    }
    expect(encodedValue(new Array(3))).toEqual(Array(3).fill({ $: 'undefined' }))
    const sparse: unknown[] = []
    sparse[4_000_000_000] = 1
    expect(encodedValue(sparse, { capacity: 65_536 })).toHaveLength(1001)
  })

  test('maps and sets may lie about their size, and change while they are read', () => {
    class Liar extends Map<unknown, unknown> {
      override get size(): number {
        return 1e9
      }
      override entries(): never {
        throw new Error('no')
      }
    }
    class SetLiar extends Set<number> {
      override get size(): number {
        return -5
      }
    }
    expect(encodedValue(new Liar([[1, 2]]))).toEqual({ $: 'map', v: [[1, 2]] })
    expect(encodedValue(new SetLiar([1, 2]))).toEqual({ $: 'set', v: [1, 2] })
    const shrinking = new Map<string, unknown>()
    shrinking
      .set('a', {
        get b() {
          shrinking.clear()
          return 1
        },
      })
      .set('c', 2)
    expect(encodedValue(shrinking)).toMatchObject({
      v: [
        ['a', { b: 1 }],
        ['c', 2],
      ],
    })
    const growing = new Set<unknown>()
    growing.add({
      toJSON() {
        growing.add({})
        return 1
      },
    })
    expect(encodedValue(growing)).toMatchObject({ $: 'set' })
  })

  test('numbers of any size are kept or named', () => {
    const numbers = [
      -0,
      0,
      2 ** 53 - 1,
      2 ** 53,
      2 ** 53 + 2,
      -(2 ** 53),
      Number.MIN_VALUE,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]
    for (const number of numbers) expect(encodedValue(number)).toBe(number)
    for (const number of numbers) expect(encoded({ number }).event.fields['number']).toBe(number)
    expect(encodedValue(2n ** 64n - 1n)).toEqual({ $: 'bigint', v: '18446744073709551615' })
    expect(encodedValue(-(2n ** 1000n))).toEqual({ $: 'bigint', v: String(-(2n ** 1000n)) })
    expect(encodedValue(-(2n ** 4_000_000n) - 15n)).toEqual({
      $: 'bigint',
      v: `-0x…${'f'.padStart(64, '0')}`,
    })
  })

  test('boxed values are what they box, whatever they claim', () => {
    const boxed = [Object(1), Object('a'), Object(false), Object(5n), Object(Symbol('s'))]
    for (const box of boxed) box.valueOf = () => box
    const tagged = [
      { $: 'bigint', v: '5' },
      { $: 'symbol', v: 's' },
    ]
    expect(encodedValue(boxed)).toEqual([1, 'a', false, ...tagged])
  })

  test('bytes of every kind', () => {
    const kinds = [
      Int8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
    ]
    for (const Kind of kinds) {
      const bytes = new Uint8Array(Kind.BYTES_PER_ELEMENT * 2)
      bytes[0] = 1
      expect(encodedValue(new Kind(bytes.buffer))).toEqual({ $: 'typed', type: Kind.name, v: bytes })
    }
    const eight = new Uint8Array(8)
    expect(encodedValue(new BigInt64Array(eight.buffer))).toEqual({
      $: 'typed',
      type: 'BigInt64Array',
      v: eight,
    })
    expect(encodedValue(new DataView(eight.buffer, 2, 3))).toEqual({
      $: 'typed',
      type: 'DataView',
      v: new Uint8Array(3),
    })
    class Own extends Uint16Array {}
    expect(encodedValue(new Own(1))).toEqual({ $: 'typed', type: 'Uint16Array', v: new Uint8Array(2) })
    expect(encodedValue(Buffer.from('hi'))).toEqual(new Uint8Array([104, 105]))
    expect(encodedValue(new Uint8Array(new SharedArrayBuffer(2)))).toEqual(new Uint8Array(2))
    expect(encodedValue(new SharedArrayBuffer(2))).toEqual(new Uint8Array(2))
    expect(encodedValue(eight.buffer)).toEqual(eight)
  })

  test('memory that is gone or out of bounds', () => {
    const gone = new Uint8Array(8)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    const resizable = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(
      8,
      { maxByteLength: 16 },
    )
    const outside = new Uint8Array(resizable, 4, 4)
    ;(resizable as unknown as { resize(length: number): void }).resize(2)
    expect(encoded({ gone, resizable, outside, z: 1 }).event.fields).toMatchObject({
      resizable: new Uint8Array(2),
      z: 1,
    })
  })

  test('toJSON may lie, answer with itself, go on for ever or throw', () => {
    const itself = {
      a: 1,
      toJSON(): unknown {
        return this
      },
    }
    const endless = { toJSON: () => ({ ...endless }) }
    const throwing = {
      toJSON(): never {
        throw new TypeError('no')
      },
    }
    const strange = { toJSON: 'no function' }
    expect(encodedValue({ toJSON: () => 'short' })).toBe('short')
    expect(encodedValue({ toJSON: () => undefined })).toEqual({ $: 'undefined' })
    expect(encodedValue(itself)).toMatchObject({ a: 1 })
    expect(encodedValue(endless)).toMatchObject({ $: 'deep' })
    expect(encodedValue(throwing)).toEqual({ $: 'thrown', v: 'no' })
    expect(encodedValue(strange)).toEqual({ toJSON: 'no function' })
  })

  test('keys of every kind', () => {
    const keys = ['', '__proto__', 'constructor', 'toString', 'é€😀', ' ', '0', 'a.b', '$x', 'length']
    const object = Object.fromEntries(keys.map((key) => [key, 1]))
    expect(Object.keys(object).sort()).toEqual([...keys].sort())
    for (const event of [encoded(object).event.fields, encodedValue(object) as object]) {
      expect(Object.keys(event).sort()).toEqual([...keys].sort())
    }
    expect(encodedValue({ $: 1, $$: 2 })).toEqual({ $$: 1, $$$: 2 })
    expect(encodedValue({ 'a\ud800': 1 })).toEqual({ 'a�': 1 })
    const long = Object.keys(encodedValue({ ['€'.repeat(1000)]: 1, ['$'.repeat(100_000)]: 2 }) as object)
    expect(long).toEqual(['€'.repeat(85), '$'.repeat(257)])
    expect(Object.keys(encoded({ ['k'.repeat(1_000_000)]: 1 }).event.fields)).toEqual(['k'.repeat(256)])
  })

  test('lone surrogates in values are kept', () => {
    const units = Buffer.from('a\udc00\ud800', 'utf16le')
    expect(encodedValue('a\udc00\ud800')).toEqual({ $: 'text', v: new Uint8Array(units) })
  })

  test('depth ends with a mark, 10,000 levels too', () => {
    let deep: unknown = 'bottom'
    let list: unknown = 'bottom'
    for (let i = 0; i < 10_000; i++) {
      deep = { deep }
      list = [list]
    }
    expect(JSON.stringify(encodedValue(deep))).toBe(
      `${'{"deep":'.repeat(16)}{"$":"deep","v":"Object"}${'}'.repeat(16)}`,
    )
    expect(JSON.stringify(encodedValue(list))).toContain('{"$":"deep","v":"Array"}')
  })

  test('errors keep name, message, stack, code, cause and their own properties', () => {
    const cause = Object.assign(new RangeError('worse', { cause: 'a text' }), { code: 7, at: new Date(0) })
    const error = Object.assign(new TypeError('bad', { cause }), { code: 'E_BAD', order: { id: 7 } })
    const { event } = encoded({ err: error })
    expect(event.error).toEqual({
      name: 'TypeError',
      message: 'bad',
      stack: error.stack,
      code: 'E_BAD',
      cause: {
        $: 'error',
        name: 'RangeError',
        message: 'worse',
        stack: cause.stack,
        code: 7,
        cause: 'a text',
        fields: { at: { $: 'date', v: '1970-01-01T00:00:00.000Z' } },
      },
      fields: { order: { id: 7 } },
    })
  })

  test('causes may be circular, errors may be many, and of another realm', () => {
    const circular = new Error('a')
    circular.cause = new Error('b', { cause: circular })
    expect(encoded({ err: circular }).event.error).toMatchObject({
      cause: { message: 'b', cause: { $: 'circular', v: '2' } },
    })
    const many = new AggregateError([new Error('one'), 'two'], 'all')
    expect(encoded({ err: many }).event.error).toMatchObject({
      message: 'all',
      errors: [{ message: 'one' }, 'two'],
    })
    const foreign: unknown = runInContext('new TypeError("far")', createContext({}))
    expect(encoded({ err: foreign }).event.error).toMatchObject({ name: 'TypeError', message: 'far' })
    expect(encoded(undefined, { extras: { error: 'thrown text' } }).event.error).toMatchObject({
      name: 'string',
      message: 'thrown text',
    })
    expect(encoded(undefined, { extras: { error: { a: 1 } } }).event.error).toMatchObject({
      fields: { a: 1 },
    })
  })

  test('errors with hostile parts keep the others', () => {
    const no = {
      get: (): never => {
        throw new Error('no')
      },
      enumerable: true,
    }
    for (const part of ['name', 'message', 'stack', 'code', 'cause', 'errors', 'other']) {
      const error = Object.defineProperty(new TypeError('bad'), part, no)
      const { event } = encoded({ err: error, z: 1 })
      expect(event.fields).toEqual({ z: 1 })
      if (part !== 'message') expect(event.error).toMatchObject({ message: 'bad' })
      if (part !== 'name') expect(event.error).toMatchObject({ name: 'TypeError' })
    }
    const odd = Object.assign(new Error('odd'), { code: { a: 1 }, errors: 'none', name: 7, stack: null })
    expect(encoded({ err: odd }).event.error).toMatchObject({
      name: 'Error',
      message: 'odd',
      fields: { code: { a: 1 }, errors: 'none' },
    })
  })

  test('a value that logs while it is encoded does not disturb its own event', () => {
    const redactor = new Redactor()
    const outer = new EventEncoder(redactor)
    const seen: unknown[] = []
    const nested = (): number => {
      const inner = new EventEncoder(redactor)
      seen.push(encodedBy(inner, { inner: seen.length, list: [1, [2]] }).event.fields)
      return 7
    }
    const fields = {
      a: 'x',
      get b() {
        return nested()
      },
      c: { toJSON: nested },
      d: [
        {
          get e() {
            return nested()
          },
        },
      ],
      z: 'y',
    }
    expect(encodedBy(outer, fields).event.fields).toEqual({ a: 'x', b: 7, c: 7, d: [{ e: 7 }], z: 'y' })
    expect(seen).toHaveLength(3)
    expect(encodedBy(outer, { after: 1 }).event.fields).toEqual({ after: 1 })
  })

  test('an encoder is as good as new after a value that failed', () => {
    const encoder = new EventEncoder(new Redactor())
    const shared = { a: 1 }
    const fails = {
      shared,
      get b(): never {
        throw new Error('no')
      },
    }
    encodedBy(encoder, fails)
    encodedBy(
      encoder,
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
        },
      ),
    )
    expect(encodedBy(encoder, { shared }).event).toMatchObject({ fields: { shared: { a: 1 } } })
  })
})

describe('the limit', () => {
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 8 },
      anyText({ maxLength: 300 }),
      fc.string({ minLength: 1000, maxLength: 5000 }),
      fc.integer(),
      fc.constantFrom<unknown>(
        undefined,
        1n,
        Symbol('s'),
        Math.max,
        new Date(0),
        /x/,
        new URL('http://a/'),
        'a\ud800',
        'a@b',
      ),
      fc.uint8Array({ maxLength: 2000 }),
      fc.array(tie('value'), { maxLength: 8 }),
      fc.dictionary(anyText({ maxLength: 400 }), tie('value'), { maxKeys: 8 }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
      fc.array(tie('value'), { maxLength: 5 }).map((items) => new Set(items)),
      fc
        .tuple(fc.string({ maxLength: 60 }), tie('value'))
        .map(([text, value]) => Object.assign(new Error(text, { cause: value }), { value })),
      fc.array(tie('value'), { maxLength: 4 }).map((errors) => new AggregateError(errors, 'all')),
      tie('value').map((value) => ({ toJSON: () => value })),
    ),
  })).value
  const sizes = fc.constantFrom(4096, 5000, 8192, 16_384)

  test('is never passed, and what is left out is marked', () => {
    const extras = fc.record(
      {
        error: anything,
        traceId: fc.string({ maxLength: 48 }),
        spanId: fc.string({ maxLength: 48 }),
        parent: fc.maxSafeNat(),
        thread: fc.nat(),
        bound: fc.dictionary(fc.string(), anything, { maxKeys: 3 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        sizes,
        anything,
        anything,
        extras,
        anyText({ maxLength: 300 }),
        (capacity, message, fields, more, facility) => {
          const { bytes, event, cut } = encoded(fields, { message, facility, extras: more, capacity })
          expect(bytes.length).toBeLessThanOrEqual(capacity)
          expect(event.cut ?? 0).toBe(cut)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('is not passed by a chain of causes, each of them small', () => {
    for (let length = 0; length < 40; length++) {
      let error = new Error('x'.repeat(40))
      for (let i = 0; i < length; i++)
        error = Object.assign(new Error('x'.repeat(40), { cause: error }), { code: 'y'.repeat(40) })
      const { bytes, event } = encoded({ fill: 'z'.repeat(length * 90), error }, { capacity: 4096 })
      expect(bytes.length).toBeLessThanOrEqual(4096)
      expect(event.error).toMatchObject({ name: 'Error' })
    }
  })

  test('is not passed by what runs over it: a long key, short texts, and a mark for each of 16 levels', () => {
    const id = 'i'.repeat(48)
    const last = Object.assign(new Error(id, { cause: id }), { name: id, code: id, [id]: id })
    const extras = {
      traceId: id,
      spanId: id,
      parent: Number.MAX_SAFE_INTEGER,
      thread: Number.MAX_SAFE_INTEGER,
    }
    const wrapped = [
      (value: unknown) => [value, id, id],
      (value: unknown) => ({ a: value, b: id, c: id }),
    ].map((wrap) =>
      Array.from({ length: 12 }).reduce<unknown>((inner) => wrap(inner), { ['k'.repeat(256)]: last, z: id }),
    )
    for (const nested of wrapped) {
      for (let fill = 2200; fill < 4096; fill += 8) {
        const fields = { fill: 'x'.repeat(fill), ['n'.repeat(256)]: nested, y: 1, err: last }
        const careful = { ...extras, bound: { z: 1 } }
        for (const more of [extras, careful, { ...extras, error: last }]) {
          const withError = encoded(fields, { extras: more, capacity: 4096 })
          const without = encoded({ ...fields, err: 1 }, { extras: more, capacity: 4096 })
          expect(Math.max(withError.bytes.length, without.bytes.length)).toBeLessThanOrEqual(4096)
        }
      }
    }
  })

  test('is counted once where fields have to be encoded twice', () => {
    const fields = {
      many: Array(1500).fill(1),
      get broken(): never {
        throw new Error('no')
      },
    }
    expect(encoded(fields).cut).toBe(500)
  })

  test('cuts a text of 10 MB and counts what is missing', () => {
    const { event, cut } = encoded({ a: 1, big: 'é'.repeat(5_000_000), z: 1 })
    const big = event.fields['big'] as { $: string; v: string; bytes: number }
    expect(big.$).toBe('cut')
    expect(big.v).toMatch(/^é+$/)
    expect(Buffer.byteLength(big.v) + big.bytes).toBe(10_000_000)
    expect(event.fields).toMatchObject({ a: 1, $: 1 })
    expect(event.cut).toBe(cut)
    expect(cut).toBe(big.bytes + 1)
  })

  test('counts the keys that are missing of 100,000', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, i]))
    for (const capacity of [16_384, 1_048_576]) {
      for (const { event } of [
        encoded(many, { capacity }),
        encoded(many, { capacity, extras: { bound: {} } }),
      ]) {
        const { $: missing, ...kept } = event.fields
        expect(Object.keys(kept).length + (missing as number)).toBe(100_000)
        expect(kept).toMatchObject({ key0: 0, key500: 500 })
      }
      const value = encodedValue(many, { capacity }) as Record<string, number>
      expect(Object.keys(value).length - 1 + (value['$'] as number)).toBe(100_000)
    }
  })

  test('counts the items that are missing of 100,000', () => {
    const items = Array.from({ length: 100_000 }, (_, i) => i)
    for (const list of [items, new Set(items), new Map(items.map((i) => [i, i]))]) {
      const value = encodedValue(list)
      const written = (Array.isArray(value) ? value : (value as { v: unknown[] }).v) as unknown[]
      expect(written.length - 1 + (written.at(-1) as { $: number }).$).toBe(100_000)
      expect(written.length).toBe(1001)
    }
  })

  test('does not let fields crowd out an error, wherever it is found', () => {
    for (const fields of [
      { big: 'x'.repeat(100_000), err: new Error('why') },
      { err: new Error('why'), big: 'x'.repeat(100_000) },
      { big: Array(500).fill('some text of an item'), error: new Error('why') },
    ]) {
      const { event } = encoded(fields)
      expect(event.error).toMatchObject({ message: 'why', stack: expect.stringContaining('why') })
      expect(event.cut).toBeGreaterThan(0)
    }
  })

  test('does not let a message, a stack or a cause crowd out the others', () => {
    const long = new Error('m'.repeat(100_000), { cause: new Error('root') })
    const { event } = encoded({ err: long }, { capacity: 65_536 })
    expect(event.error?.message).toHaveLength(8193)
    expect(event.error?.stack).toHaveLength(8193)
    expect(event.error).toMatchObject({ cause: { message: 'root' } })
    expect(event.cut).toBeGreaterThan(180_000)
  })

  test('of the largest event is exact for a facility, too', () => {
    const { bytes, event } = encoded({ a: 1 }, { facility: 'f'.repeat(10_000), capacity: 4096 })
    expect(event.facility).toBe('f'.repeat(256))
    expect(bytes.length).toBeLessThan(4096)
  })
})

test('an encoder does not keep alive what it encoded', async () => {
  const encoder = new EventEncoder(new Redactor())
  const kept: WeakRef<object>[] = []
  const log = (i: number): void => {
    const value = { i, nested: { list: [i] } }
    kept.push(new WeakRef(value))
    encodedBy(encoder, { value, err: new Error('e', { cause: value }) }, { extras: { bound: { value } } })
  }
  for (let i = 0; i < 50; i++) log(i)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // A WeakRef holds its object until the turn of the event loop in which it was made has ended.
  await new Promise(setImmediate)
  collect()
  expect(kept.filter((reference) => reference.deref() !== undefined)).toHaveLength(0)
})

test('plain values decode as they were encoded by the event encoder', () => {
  expect(decodeValue(encoded({ a: [1, 'b'] }).bytes)).toMatchObject([
    7,
    1_700_000_000_000_000,
    9,
    'm',
    '',
    { a: [1, 'b'] },
  ])
})
