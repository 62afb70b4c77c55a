import { createTestRecorder } from '../../src/testing/recorder'

test('every event is kept in order, with what the code under test gave it', () => {
  const recorder = createTestRecorder()
  recorder.trace('first')
  recorder.child({ facility: 'db', fields: { shard: 3 } }).debug('lease {id}', { id: 7 })
  expect(recorder.recorded.map(({ seq, message, facility }) => ({ seq, message, facility }))).toEqual([
    { seq: 0, message: 'first', facility: '' },
    { seq: 1, message: 'lease {id}', facility: 'db' },
  ])
  expect(recorder.messages).toEqual(['first', 'lease 7'])
  expect(recorder.recorded[1]?.fields).toEqual({ shard: 3, id: 7 })
})

test('more events are kept than any ring would hold', () => {
  const recorder = createTestRecorder()
  for (let i = 0; i < 5000; i++) recorder.info('event {i}', { i, text: 'x'.repeat(40) })
  expect(recorder.recorded).toHaveLength(5000)
})

test('values are taken at the call, and redacted as in production', () => {
  const recorder = createTestRecorder({ redact: ['pin'] })
  const order = { id: 1, password: 'secret', pin: 1234 }
  recorder.info('order', order)
  order.id = 2
  expect(recorder.recorded[0]?.fields).toEqual({ id: 1, password: '[redacted]', pin: '[redacted]' })
})

test('incidents are what the qualifier qualifies, and what is asked for', () => {
  const recorder = createTestRecorder({ qualifier: (event) => event.fields['slow'] === true })
  recorder.error('quick')
  recorder.info('request', { slow: true })
  recorder.capture('operator asked')
  expect(recorder.incidents.map(({ event, reason }) => [event.message, reason])).toEqual([
    ['request', 'info event'],
    ['incident asked for: {reason}', 'operator asked'],
  ])
})

test('context set around the code under test reaches its events', () => {
  const recorder = createTestRecorder()
  recorder.run({ traceId: 'abc', fields: { user: 'ann' } }, () => recorder.info('inside'))
  expect(recorder.recorded[0]).toMatchObject({ traceId: 'abc', fields: { user: 'ann' } })
})

test('clear forgets events and incidents', () => {
  const recorder = createTestRecorder()
  recorder.error('before')
  recorder.clear()
  recorder.info('after')
  expect(recorder.messages).toEqual(['after'])
  expect(recorder.incidents).toEqual([])
})

test('a qualifier that is none is refused by name', () => {
  expect(() => createTestRecorder({ qualifier: 'error' as never })).toThrow(/option qualifier takes/)
})

test('a qualifier that throws fails the test that uses it', () => {
  const recorder = createTestRecorder({
    qualifier: () => {
      throw new Error('broken qualifier')
    },
  })
  expect(() => recorder.info('hello')).toThrow('broken qualifier')
})
