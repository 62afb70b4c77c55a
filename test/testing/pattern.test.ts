import type { LogEvent } from '../../src/event/event'
import { type EventPattern, matchesEvent } from '../../src/testing/pattern'
import { createTestRecorder } from '../../src/testing/recorder'

const event = sample()

function sample(): LogEvent {
  const recorder = createTestRecorder()
  recorder.record({
    severity: 'warn',
    message: 'order {orderId} is late',
    facility: 'shop.orders',
    fields: { orderId: 7, due: new Date(0), user: { id: 1, name: 'Ann' }, path: '/orders/7', big: 5n },
    error: new RangeError('too late'),
    traceId: 'abc',
  })
  return recorder.recorded[0] as LogEvent
}

test.each<[string, EventPattern]>([
  ['nothing in particular', {}],
  ['its severity by name', { severity: 'warn' }],
  ['its severity by number', { severity: 13 }],
  ['its message as it was logged', { message: 'order {orderId} is late' }],
  ['its message filled in', { message: 'order 7 is late' }],
  ['a part of its message', { message: /7 is/ }],
  ['a facility above it', { facility: 'shop' }],
  ['one of its fields', { fields: { orderId: 7 } }],
  ['a part of a nested field', { fields: { user: { name: 'Ann' } } }],
  ['values that JSON lacks', { fields: { due: new Date(0), big: 5n } }],
  ['a part of a field’s text', { fields: { path: /^\/orders/ } }],
  ['the name of its error', { error: 'RangeError' }],
  ['a part of the message of its error', { error: /late/ }],
  ['its trace', { traceId: 'abc' }],
])('an event matches %s', (_, pattern) => {
  expect(matchesEvent(event, pattern)).toBe(true)
})

test.each<[string, EventPattern]>([
  ['another severity', { severity: 'warn2' }],
  ['a part of its message as text', { message: 'order' }],
  ['a facility that only begins alike', { facility: 'sho' }],
  ['a field that it lacks', { fields: { customer: 1 } }],
  ['another value', { fields: { orderId: '7' } }],
  ['a field that is not there, whatever its text', { fields: { absent: /./ } }],
  ['another error', { error: 'TypeError' }],
  ['two things of which one is wrong', { severity: 'warn', traceId: 'abd' }],
])('an event does not match %s', (_, pattern) => {
  expect(matchesEvent(event, pattern)).toBe(false)
})
