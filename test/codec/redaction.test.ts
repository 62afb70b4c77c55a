import fc from 'fast-check'
import { REDACTED } from '../../src/base/secret-names'
import { EventEncoder } from '../../src/codec/encoder'
import { REDACTION_FAILED, Redactor } from '../../src/event/redact'
import { encoded, encodedBy, encodedValue, holds } from './encoded'

const SECRET = 'hunter2-CORRECT-horse'

describe('a value under a redacted name', () => {
  test.each([
    'password',
    'PASSWORD',
    'userPassword',
    'x-api-key',
    'API_KEY',
    'apiKey',
    'Authorization',
    'set-cookie',
    'accessToken',
    'card_number',
  ])('is taken out: %s', (name) => {
    const { bytes, event } = encoded({ [name]: SECRET, deep: [{ [name]: { of: SECRET } }] })
    expect(event.fields).toEqual({ [name]: REDACTED, deep: [{ [name]: REDACTED }] })
    expect(holds(bytes, SECRET)).toBe(false)
  })

  test('is taken out wherever an event has names', () => {
    const secret = { secret: SECRET }
    const error = Object.assign(new Error('e', { cause: Object.assign(new Error('c'), secret) }), {
      config: { headers: secret },
    })
    const places: readonly unknown[] = [
      secret,
      new Map([['secret', SECRET]]),
      new Map([[{ secret: SECRET }, secret]]),
      new Set([secret]),
      { toJSON: () => secret },
      new Proxy(secret, {}),
      error,
      new AggregateError([error], 'a'),
      Object.assign(Object.create(null), secret),
      new (class {
        secret = SECRET
      })(),
    ]
    for (const place of places) {
      for (const { bytes } of [
        encoded({ place }),
        encoded(place),
        encoded({ err: place }),
        encoded(undefined, { message: place }),
        encoded(undefined, { extras: { error: place } }),
        encoded({ a: 1 }, { extras: { bound: { place } } }),
        encoded({ a: 1 }, { extras: { bound: secret } }),
        encoded(place, { extras: { bound: { z: 1 } } }),
      ]) {
        expect(holds(bytes, SECRET)).toBe(false)
      }
      expect(holds(encoded({ place }).bytes, REDACTED)).toBe(true)
    }
  })

  test('is not even read', () => {
    let reads = 0
    const fields = {
      get password() {
        reads++
        return SECRET
      },
    }
    encoded(fields)
    encoded({ fields })
    encoded(fields, { extras: { bound: { a: 1 } } })
    expect(reads).toBe(0)
  })

  test('may be an error that is not wanted', () => {
    for (const redact of [['err'], ['err', () => 1 as unknown]]) {
      const { event } = encoded({ err: new Error(SECRET) }, { redact: redact as string[] })
      expect(event).not.toHaveProperty('error')
      expect(event.fields).toEqual({ err: REDACTED })
    }
  })

  test('may be a part of an error', () => {
    const error = Object.assign(new Error('m', { cause: SECRET }), { code: SECRET, stack: SECRET })
    const { bytes, event } = encoded({ err: error }, { redact: ['stack', 'code', 'cause'] })
    expect(event.error).toEqual({
      name: 'Error',
      message: 'm',
      stack: REDACTED,
      code: REDACTED,
      cause: REDACTED,
    })
    expect(holds(bytes, SECRET)).toBe(false)
  })

  const name = fc.constantFrom('password', 'Secret', 'auth-token', 'clientSecret')
  const wrap = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      name.map((key) => ({ [key]: SECRET })),
      fc.tuple(name, tie('tree')).map(([key, value]) => ({ [key]: [SECRET, value] })),
      fc
        .tuple(fc.string(), fc.string({ maxLength: 3000 }), tie('tree'))
        .map(([key, text, value]) => ({ text, [key]: value })),
      fc.array(tie('tree'), { maxLength: 4 }),
      tie('tree').map(
        (value) =>
          new Map<unknown, unknown>([
            ['k', value],
            ['password', SECRET],
            [value, 1],
          ]),
      ),
      tie('tree').map((value) => new Set([value])),
      tie('tree').map((value) => Object.assign(new Error('x', { cause: value }), value)),
      tie('tree').map((value) => ({ toJSON: () => value })),
    ),
  })).tree

  test('is nowhere in the bytes, however it is nested and wherever the event is cut', () => {
    const encoder = new EventEncoder(new Redactor(), 4096)
    fc.assert(
      fc.property(wrap, wrap, wrap, (fields, bound, error) => {
        const extras = { bound: { bound }, error }
        const { bytes } = encodedBy(encoder, fields, { message: fields, extras })
        expect(holds(bytes, SECRET)).toBe(false)
      }),
      { numRuns: 400 },
    )
  })
})

describe('a dotted path', () => {
  const options = {
    redact: [
      'user.card.number',
      'list.name',
      'list.1.size',
      'map.key',
      'error.config.auth',
      'err.response.body',
    ],
  }

  test('takes out that one value', () => {
    const fields = {
      user: { card: { number: 1, expires: 2 }, number: 3 },
      card: { number: 4 },
      User: { Card: { Number: 5 } },
    }
    expect(encoded(fields, options).event.fields).toEqual({
      user: { card: { number: REDACTED, expires: 2 }, number: 3 },
      card: { number: 4 },
      User: { Card: { Number: REDACTED } },
    })
  })

  test('names items of arrays with their index, or all of them without', () => {
    const fields = {
      list: [
        { name: 'a', size: 1 },
        { name: 'b', size: 2 },
      ],
    }
    expect(encoded(fields, options).event.fields).toEqual({
      list: [
        { name: REDACTED, size: 1 },
        { name: REDACTED, size: REDACTED },
      ],
    })
  })

  test('reaches into maps and errors', () => {
    const error = Object.assign(new Error('e'), {
      config: { auth: SECRET, url: '/' },
      response: { body: SECRET },
    })
    const { event } = encoded({ map: new Map([['key', 1]]), err: error }, options)
    expect(event.fields['map']).toEqual({ $: 'map', v: [['key', REDACTED]] })
    expect(event.error?.fields).toEqual({
      config: { auth: REDACTED, url: '/' },
      response: { body: REDACTED },
    })
  })

  test('is still right after a value that was cut or that failed', () => {
    const broken = {
      toJSON: () => {
        throw new Error('no')
      },
    }
    const fields = { a: { b: { c: broken } }, many: Array(2000).fill(1), user: { card: { number: SECRET } } }
    expect(encoded(fields, { ...options, capacity: 65_536 }).event.fields['user']).toEqual({
      card: { number: REDACTED },
    })
  })

  test('applies to bound fields and to objects as messages', () => {
    const fields = { user: { card: { number: SECRET } } }
    const { bytes } = encoded({ a: 1 }, { ...options, message: fields, extras: { bound: fields } })
    expect(holds(bytes, SECRET)).toBe(false)
  })
})

describe('a pattern', () => {
  const redact = [/\bsk-[a-z0-9]+/gi, /(\d{4}-){3}\d{4}/]
  const KEY = 'sk-ABC123'

  test('is searched in every text of an event', () => {
    const error = Object.assign(new Error(`e ${KEY}`, { cause: new Error(KEY) }), { [KEY]: KEY, list: [KEY] })
    error.name = `Name ${KEY}`
    const { bytes, event } = encoded(
      {
        short: KEY,
        long: `${KEY} `.repeat(100),
        [KEY]: 1,
        url: new URL(`http://a/?key=${KEY}`),
        regexp: new RegExp(KEY),
        symbol: Symbol(KEY),
        map: new Map([[KEY, KEY]]),
        thrown: {
          toJSON: () => {
            throw new Error(KEY)
          },
        },
        err: error,
        card: '1111-2222-3333-4444',
      },
      { redact, message: `with ${KEY}`, extras: { traceId: KEY } },
    )
    expect(holds(bytes, KEY)).toBe(false)
    expect(event).toMatchObject({ message: `with ${REDACTED}`, fields: { card: REDACTED } })
  })

  test('matches before a text is cut, so that no half of a match stays', () => {
    const key = `sk-${'abc'.repeat(2000)}`
    for (let fill = 900; fill < 1100; fill += 7) {
      const text = `${'x '.repeat(fill / 2)}${key}`
      const { bytes } = encoded(
        { text, symbol: Symbol(text), url: new URL(`http://a/${text}`), err: new Error(text) },
        { redact, message: text, capacity: 4096 },
      )
      expect(holds(bytes, 'sk-abc')).toBe(false)
    }
  })

  test('matches every time, whatever its flags', () => {
    for (const pattern of [/a/, /a/g, /a/gi, /a/y, /a/giu, /a/gimsuy]) {
      expect(encodedValue('banana', { redact: [pattern] })).toBe(`b${REDACTED}n${REDACTED}n${REDACTED}`)
    }
  })
})

describe('passwords in URLs', () => {
  test.each([
    ['postgres://app:s3cret@db/shop', `postgres://app:${REDACTED}@db/shop`],
    ['see redis://:s3cret@host:6379 for more', `see redis://:${REDACTED}@host:6379 for more`],
    ['amqp://a:p@ss@host', `amqp://a:${REDACTED}@host`],
    ['two: a://b:c@d, e://f:g@h', `two: a://b:${REDACTED}@d, e://f:${REDACTED}@h`],
    ['http://host:80/@scope/package', 'http://host:80/@scope/package'],
    ['{"url":"http://h:80","mail":"a@b.c"}', '{"url":"http://h:80","mail":"a@b.c"}'],
    ['mail ada@example.org', 'mail ada@example.org'],
  ])('%s', (text, kept) => {
    const { event } = encoded({ text, err: new Error(text) }, { message: text })
    expect(event).toMatchObject({ message: kept, fields: { text: kept }, error: { message: kept } })
  })

  test('are gone from URLs that are too long to be shown whole', () => {
    const url = new URL(`https://user:${'p'.repeat(2000)}@host/`)
    expect(holds(encoded({ url }).bytes, 'ppp')).toBe(false)
  })

  test('are looked for in time proportional to the text', () => {
    const text = `@${'a.'.repeat(500_000)}`
    expect(encoded({ text }).cut).toBeGreaterThan(900_000)
  }, 2000)

  test('stay where the defaults are switched off', () => {
    const encoder = new EventEncoder(new Redactor({ defaults: false, also: ['mine'] }))
    expect(encodedBy(encoder, { url: 'a://b:c@d', password: 'p', mine: 1 }).event.fields).toEqual({
      url: 'a://b:c@d',
      password: 'p',
      mine: REDACTED,
    })
  })
})

describe('a redaction function', () => {
  test('sees every value with its name and decides what is kept', () => {
    const seen: string[] = []
    const redact = (key: string, value: unknown): unknown => {
      seen.push(key)
      return typeof value === 'string' && value.includes(SECRET) ? 'gone' : value
    }
    const error = Object.assign(new Error(SECRET, { cause: SECRET }), {
      own: SECRET,
      code: SECRET,
      stack: SECRET,
    })
    const fields = {
      a: SECRET,
      b: { c: [SECRET, { d: SECRET }] },
      m: new Map([['k', SECRET]]),
      s: new Set([SECRET]),
      err: error,
    }
    const { bytes, event } = encoded(fields, { redact: [redact], extras: { bound: { e: SECRET } } })
    expect(holds(bytes, SECRET)).toBe(false)
    expect(event.fields).toMatchObject({ a: 'gone', b: { c: ['gone', { d: 'gone' }] }, e: 'gone' })
    expect(event.error).toMatchObject({
      message: 'gone',
      cause: 'gone',
      code: 'gone',
      stack: 'gone',
      fields: { own: 'gone' },
    })
    expect(seen).toEqual(
      expect.arrayContaining(['a', 'b', 'c', '0', '1', 'd', 'm', 'k', 's', 'err', 'e', 'own', 'message']),
    )
  })

  test('that throws leaves nothing of the value', () => {
    const redact = (): never => {
      throw new Error(SECRET)
    }
    const { bytes, event } = encoded(
      { a: SECRET, err: new Error(SECRET) },
      { redact: [redact], extras: { error: new Error(SECRET) } },
    )
    expect(event.fields).toEqual({ a: REDACTION_FAILED, err: REDACTION_FAILED })
    expect(holds(bytes, SECRET)).toBe(false)
  })

  test('may answer with anything', () => {
    const circular: Record<string, unknown> = {}
    circular['again'] = circular
    for (const answer of [undefined, null, circular, Symbol('s'), () => 1, 1n, new Error('e')]) {
      expect(encoded({ a: 1, z: [1] }, { redact: [() => answer] }).event.fields).toHaveProperty('a')
    }
  })
})
