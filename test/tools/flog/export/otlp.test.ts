import fc from 'fast-check'
import type { Plain } from '../../../../src/event/event'
import { otlpTarget } from '../../../../tools/flog/export/otlp'
import { anyText } from '../../../any-text'
import { jsonLines } from '../command'
import { event, expectHarmless, HOSTILE, written } from './events'

type Shape = (value: unknown) => void

/**
 * LogsData of opentelemetry-proto, logs/v1/logs.proto, common/v1/common.proto and resource/v1/resource.proto, in the JSON of
 * protobuf with the exceptions of the OTLP specification: ids are hexadecimal, enums are numbers, 64-bit integers are texts.
 */
const SHAPES: Readonly<
  Record<'LogsData' | 'ResourceLogs' | 'ScopeLogs' | 'LogRecord' | 'KeyValue' | 'AnyValue', Shape>
> = {
  LogsData: message({ resourceLogs: list(() => SHAPES.ResourceLogs) }),
  ResourceLogs: message({
    resource: message({ attributes: list(() => SHAPES.KeyValue), droppedAttributesCount: uint32 }),
    scopeLogs: list(() => SHAPES.ScopeLogs),
    schemaUrl: text,
  }),
  ScopeLogs: message({
    scope: message({ name: text, version: text, attributes: list(() => SHAPES.KeyValue) }),
    logRecords: list(() => SHAPES.LogRecord),
    schemaUrl: text,
  }),
  LogRecord: message({
    timeUnixNano: matching(/^\d{1,20}$/),
    observedTimeUnixNano: matching(/^\d{1,20}$/),
    severityNumber: (value) =>
      check(Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 24, value),
    severityText: text,
    body: (value) => SHAPES.AnyValue(value),
    attributes: list(() => SHAPES.KeyValue),
    droppedAttributesCount: uint32,
    flags: uint32,
    traceId: matching(/^[0-9a-f]{32}$/),
    spanId: matching(/^[0-9a-f]{16}$/),
    eventName: text,
  }),
  KeyValue: message({ key: matching(/./s), value: (value) => SHAPES.AnyValue(value) }),
  AnyValue: oneOf({
    stringValue: text,
    boolValue: (value) => check(typeof value === 'boolean', value),
    intValue: matching(/^-?\d{1,19}$/),
    doubleValue: (value) =>
      check(typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(String(value)), value),
    arrayValue: message({ values: list(() => SHAPES.AnyValue) }),
    kvlistValue: message({ values: list(() => SHAPES.KeyValue) }),
    bytesValue: matching(/^[A-Za-z0-9+/]*={0,2}$/),
  }),
}

function check(ok: boolean, value: unknown): void {
  if (!ok) throw new Error(`does not fit: ${JSON.stringify(value)}`)
}

function message(members: Readonly<Record<string, Shape>>): Shape {
  return (value) => {
    check(typeof value === 'object' && value !== null && !Array.isArray(value), value)
    for (const [key, member] of Object.entries(value as object)) {
      check(Object.hasOwn(members, key), key)
      members[key]?.(member)
    }
  }
}

function oneOf(members: Readonly<Record<string, Shape>>): Shape {
  return (value) => {
    message(members)(value)
    check(Object.keys(value as object).length < 2, value)
  }
}

function list(shape: () => Shape): Shape {
  return (value) => {
    check(Array.isArray(value), value)
    for (const item of value as unknown[]) shape()(item)
  }
}

function text(value: unknown): void {
  check(typeof value === 'string', value)
}

function uint32(value: unknown): void {
  check(Number.isInteger(value) && Number(value) >= 0, value)
}

function matching(pattern: RegExp): Shape {
  return (value) => check(typeof value === 'string' && pattern.test(value), value)
}

const HEADER = {
  service: 'shop',
  version: '1.4.2',
  host: 'web-1',
  pid: 4711,
  versions: { node: '20.19.0' },
  incarnation: '00c0ffee00c0ffee',
  id: '00c0ffee00c0ffee-3',
}

test('whatever is logged fits the schema', async () => {
  const value: fc.Arbitrary<Plain> = fc.letrec<{ value: Plain }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      anyText(),
      fc.double(),
      fc.integer(),
      fc.constantFrom<Plain>(null, true, 2 ** 63, -(2 ** 60), { $: 'bigint', v: '-9223372036854775808' }),
      fc.constantFrom<Plain>({ $: 'bigint', v: '9223372036854775808' }, new Uint8Array([0, 255]), {
        $: 'undefined',
      }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 3 }),
    ),
  })).value
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ minLength: 1 }), value),
      fc.constantFrom('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32), 'short'),
      async (fields, traceId) => {
        const given = event({ fields, traceId, spanId: 'B7AD6B7169203331', parent: 3, cut: 1 })
        const out = await written(otlpTarget, [{ event: given, mark: 'further' }], HEADER)
        for (const line of jsonLines(out)) SHAPES.LogsData(line)
      },
    ),
    { numRuns: 25 },
  )
})

test('an event is a record with time, severity, body, typed attributes and ids', async () => {
  const given = event({
    message: 'order {orderId}',
    fields: { orderId: 7, ms: 1.5, tags: ['a'], user: { id: 'x' } },
    error: { name: 'TypeError', message: 'no', stack: 'at f' },
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
  })
  const [data] = jsonLines(await written(otlpTarget, [{ event: given, mark: 'trigger' }], HEADER))
  expect(data).toMatchObject({
    resourceLogs: [
      {
        resource: {
          attributes: expect.arrayContaining([{ key: 'service.name', value: { stringValue: 'shop' } }]),
        },
        scopeLogs: [
          {
            scope: { name: 'app' },
            logRecords: [
              {
                timeUnixNano: '1795293064123456000',
                severityNumber: 9,
                body: { stringValue: 'order 7' },
                traceId: '0af7651916cd43dd8448eb211c80319c',
                attributes: expect.arrayContaining([
                  { key: 'orderId', value: { intValue: '7' } },
                  { key: 'ms', value: { doubleValue: 1.5 } },
                  { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }] } } },
                  { key: 'exception.type', value: { stringValue: 'TypeError' } },
                  { key: 'flog.trigger', value: { stringValue: 'trigger' } },
                ]),
              },
            ],
          },
        ],
      },
    ],
  })
})

test('many events come in lines of bounded length, none twice', async () => {
  const events = Array.from({ length: 2000 }, (_, seq) => ({
    event: event({ seq, facility: `f${seq % 3}` }),
  }))
  const out = await written(otlpTarget, events, HEADER)
  const seqs = [...out.matchAll(/"flog\.seq","value":\{"intValue":"(\d+)"/g)].map((match) => Number(match[1]))
  expect(out.trimEnd().split('\n')).toHaveLength(4)
  expect(seqs.sort((a, b) => a - b)).toEqual(events.map((_, seq) => seq))
})

test('nothing logged acts on a terminal', async () => {
  const fields = { [HOSTILE]: HOSTILE }
  expectHarmless(await written(otlpTarget, [{ event: event({ message: HOSTILE, fields }) }], HEADER))
})

test('a lone surrogate does not make a receiver refuse the whole request', async () => {
  const lone = 'x\ud800y'
  const units = Uint8Array.from([0x78, 0, 0, 0xd8])
  const out = await written(otlpTarget, [
    {
      event: event({
        message: `${lone} {a}`,
        facility: lone,
        fields: { a: { $: 'text', v: units }, b: [{ c: { $: 'text', v: units } }], [lone]: lone },
        error: { name: lone, message: lone, stack: lone },
      }),
    },
  ])
  expect(JSON.stringify(JSON.parse(out), (_, value: unknown) => notWellFormed(value))).not.toContain('LONE')
})

/** Names of members count too. */
function notWellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : 'LONE'
  if (typeof value !== 'object' || value === null) return value
  return Object.keys(value).every((key) => key.isWellFormed()) ? value : 'LONE'
}
