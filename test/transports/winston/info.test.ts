import winston from 'winston'
import { runWithContext } from '../../../src/event/context'
import { INFO, TRACE, WARN } from '../../../src/event/severity'
import { closeAll, messages, rig } from './rig'

const { combine, colorize, errors, json, label, splat, timestamp, uncolorize } = winston.format

afterEach(closeAll)

class NoSuchOrder extends Error {
  override readonly name = 'NoSuchOrder'
  readonly orderId = 7
}

describe('what is logged', () => {
  it('is message, severity and fields, without level and message among the fields', () => {
    const { log, events } = rig()
    log.warn('slow', { ms: 12.5, route: '/cart' })
    const [event] = events()
    expect(event).toMatchObject({ severity: WARN, message: 'slow', facility: '' })
    expect(event?.fields).toEqual({ ms: 12.5, route: '/cart' })
    expect(event).not.toHaveProperty('error')
  })

  it('is recorded by value', () => {
    const { log, events } = rig()
    const order = { id: 7, lines: ['a'] }
    log.info('placed', { order })
    order.lines.push('b')
    expect(events()[0]?.fields).toEqual({ order: { id: 7, lines: ['a'] } })
  })

  it.each<[string, (log: winston.Logger) => void]>([
    ['log(level, message, meta)', (log) => log.log('info', 'm', { a: 1 })],
    ['log({ level, message, … })', (log) => log.log({ level: 'info', message: 'm', a: 1 })],
    ['info(message, meta)', (log) => log.info('m', { a: 1 })],
    ['info({ message, … })', (log) => log.info({ message: 'm', a: 1 })],
    ['write(info)', (log) => log.write({ level: 'info', message: 'm', a: 1 })],
    ['a child', (log) => log.child({ a: 1 }).info('m')],
    ['a child of a child', (log) => log.child({ a: 2 }).child({}).info('m', { a: 1 })],
  ])('arrives alike through %s', (_way, call) => {
    const { log, events } = rig()
    call(log)
    expect(events()).toMatchObject([{ severity: INFO, message: 'm', fields: { a: 1 } }])
    expect(Object.keys(events()[0]?.fields ?? {})).toEqual(['a'])
  })

  it('is recorded whatever its level: the least severe one is the default', () => {
    const { log, events } = rig({ level: 'error' })
    for (const level of ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly']) log.log(level, level)
    expect(messages(events())).toEqual(['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'])
    expect(events().at(-1)?.severity).toBe(TRACE)
  })

  it('has the severity of its level, not of the coloured text in its place', () => {
    const { log, events } = rig({ format: combine(colorize({ all: true }), json()) })
    log.error('disk full', { disk: 1 })
    expect(events()).toMatchObject([{ severity: 17, message: 'disk full', fields: { disk: 1 } }])
  })

  it('keeps the colours that the program itself logged', () => {
    const { log, events } = rig()
    log.info('\u001b[31mred\u001b[39m')
    expect(events()[0]?.message).toBe('\u001b[31mred\u001b[39m')
  })

  it('keeps a level among the fields of the call from being taken for the level', () => {
    const { log, events } = rig()
    log.info('m', { level: 'zap', message: 'inner' })
    expect(events()).toMatchObject([{ severity: INFO, message: 'm inner', fields: {} }])
  })

  it('may be an object, or nothing', () => {
    const { log, events } = rig()
    log.info({ a: 1, password: 'x' })
    log.info(undefined)
    log.info(7 as never)
    expect(messages(events())).toEqual(['{"a":1,"password":"[redacted]"}', '', '7'])
  })

  it('has what the logger and its formats add as ordinary fields', () => {
    const format = combine(timestamp(), label({ label: 'db' }), uncolorize(), json())
    const { log, events } = rig({ format, defaultMeta: { service: 'shop' } })
    log.info('m')
    const [event] = events()
    expect(event?.facility).toBe('db')
    expect(event?.fields).toMatchObject({ service: 'shop', timestamp: expect.stringMatching(/^\d{4}-/) })
  })

  it('has trace and span id from the keys that tracing libraries use', () => {
    const { log, events } = rig()
    log.info('a', { traceId: 't1', spanId: 's1', n: 1 })
    log.info('b', { trace_id: 't2', span_id: 's2' })
    log.info('c', { traceId: 7 })
    runWithContext({ traceId: 't0', spanId: 's0', fields: { request: 9 } }, () => log.info('d'))
    runWithContext({ traceId: 't0' }, () => log.info('e', { traceId: 't3' }))
    expect(events()).toMatchObject([
      { traceId: 't1', spanId: 's1', fields: { n: 1 } },
      { traceId: 't2', spanId: 's2', fields: {} },
      { fields: { traceId: 7 } },
      { traceId: 't0', spanId: 's0', fields: { request: 9 } },
      { traceId: 't3' },
    ])
    expect(events()[0]?.fields).toEqual({ n: 1 })
  })
})

describe('the facility', () => {
  it('is that of the info', () => {
    const { log, events } = rig()
    log.child({ facility: 'db.pool' }).info('m')
    expect(events()[0]?.facility).toBe('db.pool')
  })

  it('is found under another key, or by a function', () => {
    const byKey = rig({}, { facility: 'module' })
    byKey.log.info('m', { module: 'http' })
    expect(byKey.events()[0]?.facility).toBe('http')
    const byFunction = rig({}, { facility: (info) => `app.${String(info['part'])}` })
    byFunction.log.info('m', { part: 'cart' })
    expect(byFunction.events()[0]?.facility).toBe('app.cart')
  })

  it('is none where the function throws', () => {
    const { log, events } = rig(
      {},
      {
        facility: () => {
          throw new Error('no')
        },
      },
    )
    log.info('m')
    expect(events()).toMatchObject([{ message: 'm', facility: '' }])
  })
})

describe('arguments for %s', () => {
  it('are kept where no format fills them in', () => {
    const { log, events } = rig()
    log.info('n %s %d', 'x', 3, { m: 1 })
    expect(events()).toMatchObject([{ message: 'n %s %d', fields: { args: ['x', 3, { m: 1 }] } }])
  })

  it('are in the message where format.splat() ran', () => {
    const { log, events } = rig({ format: combine(splat(), json()) })
    log.info('n %s %d', 'x', 3, { m: 1 })
    expect(events()).toMatchObject([{ message: 'n x 3', fields: { m: 1 } }])
    expect(events()[0]?.fields).toEqual({ m: 1 })
  })

  it('are kept where the message has no place for them', () => {
    const { log, events } = rig()
    log.info('m', 'more', 3)
    log.info('m', { a: 1 }, { b: 2 })
    log.info('100%', { a: 1 })
    expect(events().map((event) => event.fields)).toEqual([
      { args: ['more', 3] },
      { a: 1, args: [{ b: 2 }] },
      { a: 1 },
    ])
  })
})

describe('an error', () => {
  const cause = new TypeError('cause')
  const error = () => new NoSuchOrder('no such order', { cause })
  const kept = {
    name: 'NoSuchOrder',
    message: 'no such order',
    stack: expect.stringContaining('no such order\n    at '),
    cause: expect.objectContaining({ name: 'TypeError', message: 'cause' }),
  }

  it.each<[string, (log: winston.Logger) => void, string]>([
    ['as the message', (log) => log.error(error()), 'no such order'],
    ['as the message of log()', (log) => log.log('error', error()), 'no such order'],
    [
      'as the message of an info',
      (log) => log.log({ level: 'error', message: error() as never }),
      'no such order',
    ],
    ['after the message', (log) => log.error('failed', error()), 'failed no such order'],
    ['for a token', (log) => log.error('failed: %s', error()), 'failed: %s'],
    ['under err', (log) => log.error('failed', { err: error() }), 'failed'],
    ['under error', (log) => log.error({ message: 'failed', error: error() }), 'failed'],
    ['as the message of a child', (log) => log.child({ a: 1 }).error(error()), 'no such order'],
    [
      'after the message of a child',
      (log) => log.child({ a: 1 }).error('failed', error()),
      'failed no such order',
    ],
  ])('%s keeps name, message, stack and cause', (_way, call, message) => {
    const { log, events } = rig()
    call(log)
    const [event] = events()
    expect(event).toMatchObject({ severity: 17, message, error: kept })
    for (const part of ['stack', 'cause', 'err', 'error', 'args', 'level'])
      expect(event?.fields).not.toHaveProperty(part)
    expect(event?.error?.fields ?? {}).not.toHaveProperty('level')
  })

  it('keeps them where format.errors() takes it apart', () => {
    const { log, events } = rig({ format: combine(errors({ stack: true, cause: true }), json()) })
    log.error(error())
    log.log({ level: 'error', message: error() as never })
    expect(events()).toMatchObject([
      { message: 'no such order', error: kept },
      { message: 'no such order', error: kept },
    ])
    for (const event of events()) expect(event.fields).not.toHaveProperty('stack')
  })

  it('keeps properties of its own and the errors of an AggregateError', () => {
    const { log, events } = rig()
    log.error(new AggregateError([new Error('one'), new Error('two')], 'both failed'))
    log.error(error())
    expect(events()).toMatchObject([
      {
        message: 'both failed',
        error: { name: 'AggregateError', errors: [{ message: 'one' }, { message: 'two' }] },
      },
      { error: { fields: { orderId: 7 } } },
    ])
  })

  it('keeps them where a child takes it apart', () => {
    const { log, events } = rig()
    const failed = () => new AggregateError([new Error('one')], 'both failed', { cause })
    log.child({ a: 1 }).error(failed())
    log
      .child({ a: 1 })
      .child({ b: 2 })
      .log('error', failed() as never)
    const kept = {
      name: 'AggregateError',
      message: 'both failed',
      errors: [{ message: 'one' }],
      cause: { name: 'TypeError' },
    }
    expect(events()).toMatchObject([
      { error: kept, fields: { a: 1 } },
      { error: kept, fields: { a: 1, b: 2 } },
    ])
  })

  it('is not mistaken for that of another call', () => {
    const { log, events } = rig()
    log.silent = true
    log.error(new Error('silent'))
    log.silent = false
    log.child({ a: 1 }).info('m', { stack: 'web' })
    expect(events()[0]).not.toHaveProperty('error')
  })

  it('under another key stays a field, whole', () => {
    const { log, events } = rig()
    log.error('failed', { reason: error() })
    expect(events()[0]?.fields['reason']).toMatchObject({ name: 'NoSuchOrder', message: 'no such order' })
  })

  it('of a winston handler says so, with stack and cause of the error', () => {
    const { log, events } = rig({}, { handleExceptions: true })
    log.log(log.exceptions.getAllInfo(error()) as never)
    log.exceptions.unhandle()
    const [event] = events()
    expect(event).toMatchObject({ severity: 17, error: kept, fields: { exception: true } })
    expect(event?.message).toMatch(/^uncaughtException: no such order/)
    expect(event?.fields).not.toHaveProperty('stack')
  })

  it('is not made of a field that is only called stack', () => {
    const { log, events } = rig()
    log.info('deployed', { stack: 'web' })
    expect(events()[0]?.fields).toEqual({ stack: 'web' })
    expect(events()[0]).not.toHaveProperty('error')
  })
})

describe('hostile values', () => {
  const throwing = {
    get secret(): string {
      throw new Error('not you')
    },
  }
  it.each<[string, (log: winston.Logger) => void]>([
    [
      'a getter that throws',
      (log) =>
        log.info('m', {
          throwing: Object.create(throwing, {
            a: {
              get: () => {
                throw new Error('x')
              },
              enumerable: true,
            },
          }),
        }),
    ],
    [
      'a circular object',
      (log) => {
        const a: Record<string, unknown> = {}
        a['a'] = a
        log.info('m', a)
      },
    ],
    ['a bigint, a symbol and a function', (log) => log.info('m', { a: 1n, b: Symbol('b'), c: () => 1 })],
    [
      'a proxy',
      (log) =>
        log.info('m', {
          p: new Proxy(
            {},
            {
              ownKeys: () => {
                throw new Error('x')
              },
            },
          ),
        }),
    ],
    ['an object without a prototype', (log) => log.info('m', Object.assign(Object.create(null), { a: 1 }))],
    [
      'keys of prototypes',
      (log) => log.info('m', JSON.parse('{"__proto__":{"x":1},"constructor":2,"hasOwnProperty":3}')),
    ],
  ])('%s is recorded and throws nothing', (_what, call) => {
    // A format that does not look at values: the default one would throw itself.
    const { log, events } = rig({ format: winston.format((info) => info)() })
    call(log)
    expect(messages(events())).toEqual(['m'])
  })
})
