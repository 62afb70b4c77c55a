import fc from 'fast-check'
import { decodeEvent, decodeValue, peekSeq, peekSeverity, peekTime } from '../../src/codec/decode'
import { encodeEventParts, encodePlain, encodePlainEvent } from '../../src/codec/plain'
import type { LogEvent, Plain, PlainObject } from '../../src/event/event'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('$', '$$', '__proto__', 'x'.repeat(300)),
)
const { plain } = fc.letrec<{ plain: Plain; map: PlainObject }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constantFrom<Plain>(
        null,
        true,
        false,
        -0,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        2 ** 53,
        -(2 ** 31),
      ),
      fc.integer(),
      fc.double(),
      text,
      fc.uint8Array({ maxLength: 300 }),
    ),
    fc.array(tie('plain'), { maxLength: 20 }),
    tie('map'),
  ),
  map: fc.dictionary(text, tie('plain'), { maxKeys: 20 }) as fc.Arbitrary<PlainObject>,
}))

test('what was decoded is encoded to bytes that decode to the same', () => {
  fc.assert(fc.property(plain, (value) => expect(decodeValue(encodePlain(value))).toEqual(value)))
})

test('nothing is too long, wide or deep', () => {
  const wide: Plain = Array.from({ length: 70_000 }, (_, index) => index)
  const many: Plain = Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, 0]))
  let deep: Plain = 7
  for (let level = 0; level < 60; level++) deep = [deep]
  for (const value of [wide, many, deep, '€'.repeat(30_000), 'é'.repeat(31), 'x'.repeat(70_000)]) {
    expect(decodeValue(encodePlain(value))).toEqual(value)
  }
})

test('an event has its numbers where a filter looks for them', () => {
  const event: LogEvent = {
    seq: 7,
    time: 1_795_293_065_123_456,
    severity: 17,
    message: 'failed',
    facility: 'shop',
    fields: { n: { $: 'bigint', v: '5' }, $$: 1 },
    error: { name: 'E', message: 'm', cause: { $: 'error', name: 'F', message: '' } },
    traceId: 'a1',
    parent: 3,
  }
  const bytes = encodePlainEvent(event)
  expect([bytes[0], peekSeq(bytes), peekTime(bytes), peekSeverity(bytes)]).toEqual([0x97, 7, event.time, 17])
  expect(decodeEvent(bytes)).toEqual(event)
  const { error: _, traceId: __, parent: ___, ...bare } = event
  expect(encodePlainEvent(bare)[0]).toBe(0x96)
})

test('elements that a later version added to an event are kept', () => {
  const parts: Plain[] = [1, 2, 9, 'm', 'f', {}, {}, ['later'], 'still later']
  expect(decodeValue(encodeEventParts(parts))).toEqual(parts)
})
