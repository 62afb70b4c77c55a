import { decodeEvent } from '../../src/codec/decode'
import { eventHasText, TailFilter } from '../../src/remote/tail-filter'
import { Fields } from '../../src/remote/wire'
import { eventBytes } from './support/sources'

const passes = (params: object, bytes: Uint8Array): boolean =>
  new TailFilter(Fields.of(params, 'params')).passes(bytes)
const event = eventBytes(7, 13, 'order {id} of {who} failed', 'shop.orders', {
  id: 4711,
  who: 'Ann',
  at: { $: 'date', v: '2026-11-21T20:31:05.123Z' },
  tags: ['urgent', { deep: 'Inside' }],
  big: { $: 'bigint', v: '123456789012345678901' },
  yes: true,
  nothing: null,
})

test('severity is a lower bound', () => {
  expect(passes({ severity: 13 }, event)).toBe(true)
  expect(passes({ severity: 14 }, event)).toBe(false)
})

test.each([
  'ORDER {id}',
  'order 4711 of ann',
  'shop.orders',
  '4711',
  'inside',
  '2026-11-21',
  '1234567890123456',
  'true',
])('the text %s is found', (text) => expect(passes({ text }, event)).toBe(true))

test.each(['who', 'null', 'absent', '4712'])('the text %s is not: names of fields are no text', (text) => {
  expect(passes({ text }, event)).toBe(text === 'who')
})

test('all conditions have to hold', () => {
  expect(passes({ severity: 13, facility: 'shop', text: 'ann' }, event)).toBe(true)
  expect(passes({ severity: 13, facility: 'shop.ord', text: 'ann' }, event)).toBe(false)
})

test('what cannot be decoded is not hidden', () => {
  expect(passes({ text: 'x' }, Uint8Array.from([...event.slice(0, 20), 0xc1]))).toBe(true)
})

test('an error is searched with its causes', () => {
  const error = {
    name: 'TypeError',
    message: 'no pool',
    cause: { $: 'error', name: 'Error', message: 'refused' },
    code: 'E42',
  }
  const withError = { ...decodeEvent(event), error }
  for (const text of ['typeerror', 'no pool', 'refused', 'e42'])
    expect(eventHasText(withError, text)).toBe(true)
  expect(eventHasText(withError, 'elsewhere')).toBe(false)
})
