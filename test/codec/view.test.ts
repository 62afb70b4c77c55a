import { decodeEvent } from '../../src/codec/decode'
import { EncodedEvent } from '../../src/codec/view'
import { encoded } from './encoded'

describe('an encoded event', () => {
  const extras = { error: new TypeError('bad'), traceId: 'aa', spanId: 'bb', parent: 3, thread: 2 }
  const { bytes } = encoded({ id: 7 }, { message: 'hello', facility: 'a.b', extras })

  test('shows what the decoded one shows', () => {
    const view = new EncodedEvent(bytes)
    const event = decodeEvent(bytes)
    const { seq, time, severity, message, facility, fields, error, traceId, spanId, parent, thread, cut } =
      view
    expect({
      seq,
      time,
      severity,
      message,
      facility,
      fields,
      error,
      traceId,
      spanId,
      parent,
      thread,
    }).toEqual(event)
    expect(cut).toBeUndefined()
    expect(view.decoded).toEqual(event)
  })

  test('decodes once', () => {
    const view = new EncodedEvent(bytes)
    expect(view.fields).toBe(view.decoded.fields)
  })

  test('of several is told apart from the others, whichever is asked', () => {
    const views = [1, 2, 3].map((id) => new EncodedEvent(encoded({ id }).bytes))
    expect(views.map((view) => view.severity)).toEqual([9, 9, 9])
    expect(views.map((view) => view.fields['id'])).toEqual([1, 2, 3])
  })
})
