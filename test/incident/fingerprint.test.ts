import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import type { LogEvent } from '../../src/event/event'
import { fingerprintOf, fingerprintOfText } from '../../src/incident/fingerprint'
import { anyText } from '../any-text'
import { eventOf } from './qualifiers/events'

const of = (message: string, more: Partial<LogEvent> = {}) =>
  fingerprintOf(eventOf('error', { message, ...more }))
const failed = (stack: string, more = {}) =>
  of('failed', { error: { name: 'Error', message: 'x', stack, ...more } })

test('is 16 hexadecimal digits, the same for ever', () => {
  expect(of('order {orderId} failed', { facility: 'shop', error: { name: 'TypeError', message: 'x' } })).toBe(
    '3753ad852df74b8f',
  )
})

test.each([
  ['order 17 failed', 'order 4,711.5 failed'],
  ['took -5 ms', 'took 12 ms'],
  ['job 0xdeadbeef lost', 'job 0x1 lost'],
  ['commit 3f2a9c1 of main', 'commit 9e107d9d372bb6826bd81d3542a419d6 of main'],
  ['id 123e4567-e89b-12d3-a456-426614174000', 'id 00000000-0000-4000-8000-ffffffffffff'],
  ['no file "a b.txt"', 'no file "c\\"d"'],
  ["can't open 'x' now", "can't open 'other thing' now"],
  ['id 01ARZ3NDEKTSV4RRFFQ69G5FAV gone', 'id V1StGXR8_Z5jdHi6B_myT gone'],
  ['at 2026-11-21T20:31:05Z', 'at 2027-01-02T03:04:05Z'],
  ['two  lines\n', 'two lines'],
])('%j and %j are the same trouble', (a, b) => {
  expect(of(a)).toBe(of(b))
})

test.each([
  ['order failed', 'order lost'],
  ["can't open the door", "can't open the file, don't ask"],
  ['no route to decade', 'no route to facade'],
])('%j and %j are not', (a, b) => {
  expect(of(a)).not.toBe(of(b))
})

test('facility, band, error name and code tell troubles apart; the severity within a band does not', () => {
  const base = of('x')
  expect(of('x', { severity: 18 })).toBe(base)
  expect(of('x', { severity: 21 })).not.toBe(base)
  expect(of('x', { facility: 'db' })).not.toBe(base)
  const named = of('x', { error: { name: 'TypeError', message: 'y' } })
  expect(named).not.toBe(base)
  expect(of('x', { error: { name: 'TypeError', message: 'z' } })).toBe(named)
  expect(of('x', { error: { name: 'TypeError', message: 'y', code: 'E1' } })).not.toBe(named)
})

test('fields do not matter, but an error among them counts as the event’s', () => {
  const error = { name: 'RangeError', message: 'm', stack: 'RangeError: m\n    at f (/app/src/a.js:1:2)' }
  expect(of('x', { fields: { orderId: 7 } })).toBe(of('x'))
  expect(of('x', { fields: { problem: { $: 'error', ...error } } })).toBe(of('x', { error }))
})

describe('the stack', () => {
  const stack = (frames: string[]) => ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n')

  test('counts by its first own frame, without line numbers and place of installation', () => {
    const one = failed(stack(['save (/srv/shop/src/orders.js:10:5)', 'main (/srv/shop/src/main.js:1:1)']))
    expect(failed(stack(['save (/home/u/shop/src/orders.js:99:1)']))).toBe(one)
    expect(failed(stack(['async save (C:\\my shop\\src\\orders.js:99:1)']))).toBe(one)
    expect(failed(stack(['load (/srv/shop/src/orders.js:10:5)']))).not.toBe(one)
  })

  test('frames of node and of packages are passed over', () => {
    const own = 'save (/srv/shop/src/orders.js:10:5)'
    const foreign = [
      'Socket.emit (node:events:518:28)',
      'Array.map (<anonymous>)',
      'Client.query (/srv/shop/node_modules/pg/lib/client.js:1:1)',
    ]
    expect(failed(stack([...foreign, own]))).toBe(failed(stack([own])))
    expect(failed(stack(foreign))).not.toBe(failed(stack([own])))
  })

  test('may be anything', () => {
    const others = ['', 'at', '    at ', '    at /srv/x.js:1:2', '\n'.repeat(100_000), 'x'.repeat(1_000_000)]
    for (const other of others) expect(failed(other)).toMatch(/^[0-9a-f]{16}$/)
  })
})

test('any message, quickly', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 2000 }), (message) => {
      expect(of(message)).toMatch(/^[0-9a-f]{16}$/)
    }),
  )
  for (const part of ['"', "'", '\\"', 'a1', '1.', '`', 'f0'])
    expect(of(part.repeat(100_000))).toHaveLength(16)
})

test('which numbers a message has does not matter', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(), fc.uuid(), (a, b, id) => {
      expect(of(`moved ${a} of ${b} for ${id}`)).toBe(
        of('moved 1 of 2 for 123e4567-e89b-12d3-a456-426614174000'),
      )
    }),
  )
})

test('texts make a fingerprint that sha256sum makes too', () => {
  const digest = execFileSync('sha256sum', { input: 'a\nb' }).toString()
  expect(fingerprintOfText('a', 'b')).toBe(digest.slice(0, 16))
})
