import type { LogEvent } from '../../src/event/event'
import type { EventInput, Logger } from '../../src/recorder/logger'
import type { Recorder } from '../../src/recorder/recorder'
import { contents, RecorderRig } from './rig'

let rig: RecorderRig
let recorder: Recorder
beforeEach(() => {
  rig = new RecorderRig()
  recorder = rig.recorder({ qualifier: () => false })
})
afterEach(() => rig.end())

/** All events so far. */
function recorded(): LogEvent[] {
  return contents(recorder.capture('what was logged')).events.slice(0, -1)
}

function last(): LogEvent | undefined {
  return recorded().at(-1)
}

test('each method logs its severity and returns the seq of its event', () => {
  const names = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
  const seqs = names.map((name) => recorder[name](name))
  const events = recorded()
  expect(events.map(({ severity }) => severity)).toEqual([1, 5, 9, 13, 17, 21])
  expect(events.map(({ seq }) => seq)).toEqual(seqs)
})

test.each<[unknown, number]>([
  ['warn', 13],
  ['warning', 13],
  [14, 14],
  [14.7, 14],
  [0, 9],
  [25, 9],
  [Number.NaN, 9],
  ['no such level', 9],
  [undefined, 9],
  [{}, 9],
])('log(%p) is recorded as severity %p', (severity, expected) => {
  recorder.log(severity as number, 'event')
  expect(last()?.severity).toBe(expected)
})

test('a child has a facility of its own, and else that of its parent', () => {
  const db = recorder.child({ facility: 'db' })
  db.info('one')
  db.child({ fields: { shard: 1 } }).info('two')
  db.child({ facility: 'db.pool' }).info('three')
  recorder.info('four')
  expect(recorded().map(({ facility }) => facility)).toEqual(['db', 'db', 'db.pool', ''])
})

test('fields of the call win over those of the logger, and these over those of the context', () => {
  const logger = recorder
    .child({ fields: { a: 'parent', b: 'parent' } })
    .child({ fields: { b: 'child', c: 'child' } })
  recorder.run({ fields: { a: 'context', c: 'context', d: 'context', e: 'context' } }, () => {
    logger.info('event', { c: 'call', e: 'call' })
  })
  expect(last()?.fields).toEqual({ a: 'parent', b: 'child', c: 'call', d: 'context', e: 'call' })
})

test('fields of a child are those of when it was made', () => {
  const fields = { user: 'ann' }
  const logger = recorder.child({ fields })
  fields.user = 'bob'
  logger.info('event')
  expect(last()?.fields).toEqual({ user: 'ann' })
})

test('a context is carried across await, timers and nesting, and ends with its activity', async () => {
  await recorder.run({ traceId: 't1', fields: { user: 'ann' } }, async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const seq = recorder.info('outer')
    await recorder.run({ spanId: 's1', parent: seq, fields: { step: 2 } }, async () => {
      await Promise.resolve()
      recorder.info('inner')
    })
    recorder.info('outer again')
  })
  recorder.info('outside')
  const [outer, inner, again, outside] = recorded()
  expect(outer).toMatchObject({ traceId: 't1', fields: { user: 'ann' } })
  expect(inner).toMatchObject({
    traceId: 't1',
    spanId: 's1',
    parent: outer?.seq,
    fields: { user: 'ann', step: 2 },
  })
  expect(again?.spanId).toBeUndefined()
  expect(outside?.traceId).toBeUndefined()
  expect(outside?.fields).toEqual({})
})

test('two activities at once keep their contexts apart', async () => {
  const activity = (traceId: string) =>
    recorder.run({ traceId }, async () => {
      for (let i = 0; i < 3; i++) {
        recorder.info('step')
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
  await Promise.all([activity('a'), activity('b')])
  expect(recorded().map(({ traceId }) => traceId)).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
})

describe('an error', () => {
  const cause = new Error('connection refused')
  const error = Object.assign(new Error('cannot save', { cause }), { code: 'ESAVE', table: 'orders' })
  const expected = {
    name: 'Error',
    message: 'cannot save',
    stack: expect.stringContaining('logger.test'),
    code: 'ESAVE',
    cause: expect.objectContaining({ message: 'connection refused' }),
    fields: { table: 'orders' },
  }

  test.each<[string, (logger: Logger) => number, string, object]>([
    ['alone', (logger) => logger.error(error), 'cannot save', {}],
    ['behind a message', (logger) => logger.error('failed', error), 'failed', {}],
    ['as err', (logger) => logger.error('failed', { id: 7, err: error }), 'failed', { id: 7 }],
    ['as error', (logger) => logger.error('failed', { id: 7, error }), 'failed', { id: 7 }],
    [
      'through record()',
      (logger) => logger.record({ severity: 'error', message: 'failed', error }),
      'failed',
      {},
    ],
  ])('%s keeps name, message, stack, code, cause and properties', (_, log, message, fields) => {
    log(recorder)
    expect(last()).toMatchObject({ message, fields, error: expected })
  })

  test('keeps the fields of its logger', () => {
    recorder.child({ fields: { shard: 3 } }).error(error)
    expect(last()).toMatchObject({ fields: { shard: 3 }, error: { message: 'cannot save' } })
  })

  test('that is no Error is recorded as what it is', () => {
    recorder.record({ severity: 'error', message: 'failed', error: 'just text' })
    expect(last()?.error).toMatchObject({ name: 'string', message: 'just text' })
  })

  test('of errors keeps them', () => {
    recorder.error(new AggregateError([new Error('one'), new TypeError('two')], 'both'))
    expect(last()?.error?.errors).toMatchObject([{ message: 'one' }, { name: 'TypeError', message: 'two' }])
  })
})

test('record() takes a time of its own, and all there is to say of an event', () => {
  const time = Date.UTC(2020, 0, 1) * 1000 + 0.4
  recorder.record({
    ...{ severity: 10, message: 'm', fields: { a: 1 }, facility: 'f', time },
    ...{ traceId: 't', spanId: 's', parent: 3 },
  })
  expect(last()).toMatchObject({
    ...{ severity: 10, message: 'm', fields: { a: 1 }, facility: 'f', time: Math.round(time) },
    ...{ traceId: 't', spanId: 's', parent: 3 },
  })
})

test('a stamp is time and place of when it was taken', () => {
  const stamp = recorder.stamp()
  rig.clock.advance(100)
  recorder.info('later')
  recorder.record({ severity: 'info', message: 'stamped', stamp })
  const [first, second] = recorded()
  expect([first?.message, second?.message]).toEqual(['stamped', 'later'])
  expect((second?.time ?? 0) - (first?.time ?? 0)).toBe(100_000)
})

test.each<[string, Partial<EventInput>]>([
  ['a time that is none', { time: Number.NaN }],
  ['a time before all times', { time: -5 }],
  ['a text for a time', { time: 'now' as never }],
  ['a stamp without a place', { stamp: {} as never }],
  ['a stamp of nowhere', { stamp: { seq: Number.NaN, time: 5 } }],
  ['a stamp of never', { stamp: { seq: 5, time: Infinity } }],
])('%s counts as now', (_, odd) => {
  recorder.info('before')
  recorder.record({ severity: 'info', message: 'event', ...odd })
  recorder.info('after')
  const events = recorded()
  expect(events.map(({ message }) => message)).toEqual(['before', 'event', 'after'])
  expect(new Set(events.map(({ time }) => time)).size).toBe(1)
})

const broken = {
  get a(): number {
    throw new Error('getter broke')
  },
}
const revoked = Proxy.revocable({}, {})
revoked.revoke()
const trap = new Proxy(
  {},
  {
    get: () => {
      throw new Error('trap')
    },
    getPrototypeOf: () => {
      throw new Error('trap')
    },
    ownKeys: () => {
      throw new Error('trap')
    },
  },
)

test.each<[string, (logger: Logger) => unknown]>([
  ['a message that is a proxy', (logger) => logger.info(trap)],
  ['fields that are a proxy', (logger) => logger.info('m', trap)],
  ['a revoked proxy', (logger) => logger.info(revoked.proxy, revoked.proxy)],
  ['fields with a broken getter', (logger) => logger.info('m', broken)],
  ['a text for fields', (logger) => logger.info('m', 'text' as never)],
  ['null for fields', (logger) => logger.info('m', null as never)],
  ['a symbol for a message', (logger) => logger.info(Symbol('s'))],
  ['no message', (logger) => logger.info(undefined)],
  ['nothing for an event', (logger) => logger.record(undefined as never)],
  ['a proxy for an event', (logger) => logger.record(trap as never)],
  ['an event without severity', (logger) => logger.record({ message: 'm' } as never)],
  ['a child of nothing', (logger) => logger.child(undefined as never).info('m')],
  ['a child with a broken getter', (logger) => logger.child({ fields: broken as never }).info('m')],
  ['a child of a proxy', (logger) => logger.child({ fields: trap as never }).info('m')],
  ['a child with a facility that is none', (logger) => logger.child({ facility: 5 as never }).info('m')],
  [
    'a context with a broken getter',
    (logger) =>
      recorder.run({ fields: broken as never }, () => logger.child({ fields: { b: 1 } }).info('m', { c: 1 })),
  ],
  ['nothing for a context', (logger) => recorder.run(undefined as never, () => logger.info('m'))],
])('%s breaks nothing, and the event is recorded', (_, log) => {
  expect(() => log(recorder)).not.toThrow()
  expect(recorded()).toHaveLength(1)
})

test('fields of a child that can be read are kept beside one that cannot', () => {
  const fields = Object.defineProperty({ b: 2 }, 'a', Object.getOwnPropertyDescriptor(broken, 'a') ?? {})
  recorder.child({ fields }).info('event')
  expect(last()?.fields).toEqual({ a: '[threw getter broke]', b: 2 })
})
