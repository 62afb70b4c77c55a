import fc from 'fast-check'
import type { LogEvent } from '../../../../src/event/event'
import { messageText } from '../../../../src/event/template'
import { MessageText } from '../../../../tools/flog/show/message-text'

test('fills messages in as messageText does, whatever they are', () => {
  const messages = new MessageText()
  const piece = fc.oneof(
    fc.constantFrom('{a}', '{b.c}', '{{', '}}', '%s', '%%', '{$}', '{constructor}', '{err}', '{', ' '),
    fc.string({ maxLength: 5 }),
  )
  const value = fc.oneof(fc.string(), fc.double(), fc.constantFrom(0, -0, null, true), fc.constant([1]))
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'b.c', 'args', '$$'), value),
      fc.boolean(),
      (pieces, fields, hasError) => {
        const event: LogEvent = {
          seq: 0,
          time: 0,
          severity: 9,
          message: pieces.join(''),
          facility: '',
          fields: Object.assign(Object.create(null), fields),
          ...(hasError && { error: { name: 'E', message: 'm' } }),
        }
        expect(messages.fill(event, messages.shapeOf(event.message))).toBe(messageText(event))
      },
    ),
  )
})
