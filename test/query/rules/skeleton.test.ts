import fc from 'fast-check'
import { parse } from 'yaml'
import type { LogEvent } from '../../../src/event/event'
import { parseRules } from '../../../src/query/rules/rules'
import { ruleSkeleton, UNNAMED } from '../../../src/query/rules/skeleton'
import { anyText } from '../../any-text'
import { eventAt, recordingOf } from './recordings'

function categories(skeletonOf: LogEvent, event = skeletonOf): readonly string[] {
  const { classifiers, problems } = parseRules(parse(ruleSkeleton([skeletonOf], 'f00d').join('\n')), String)
  expect(problems).toEqual([])
  return classifiers.flatMap((classifier) => classifier.classify(recordingOf(event)))
}

test('names facility, error and template', () => {
  const error = { name: 'TimeoutError', message: 'm' }
  expect(ruleSkeleton([eventAt(0, "order {id} can't wait", { facility: 'db.pool', error })], 'abc')).toEqual([
    '- category: name-me',
    `  trigger: 'facility=db.pool error=TimeoutError message="order {id} can''t wait"'`,
    "  # or, for just this: fingerprint: 'abc'",
  ])
})

test('numbers in a message that is no template may be others', () => {
  const event = eventAt(0, 'took 532 ms (limit: 500)')
  expect(categories(event, eventAt(0, 'took 7 ms (limit: 10000)'))).toEqual([UNNAMED])
  expect(categories(event, eventAt(0, 'took long (limit: 500)'))).toEqual([])
})

test('a long message is told by its beginning', () => {
  const begin = 'x'.repeat(300)
  expect(categories(eventAt(0, `${begin} a`), eventAt(0, `${begin} b`))).toEqual([UNNAMED])
})

test('goes by the fingerprint where the last one says something else than the others', () => {
  const events = [eventAt(0, "no user 'ada'"), eventAt(0, "no user 'bob'")]
  expect(ruleSkeleton(events, 'abc')).toEqual(['- category: name-me', "  fingerprint: 'abc'"])
  expect(ruleSkeleton(events.slice(1), 'abc')[1]).toContain('trigger:')
  expect(ruleSkeleton([], 'abc')).toHaveLength(2)
})

test('control characters are written as escapes', () => {
  const lines = ruleSkeleton(
    [eventAt(0, 'a\u001b[31m\u202eb\u0085\u2028\ud800', { facility: 'x\ny' })],
    '\u0007',
  )
  expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/)
})

test('is a rule that knows the event it was made of, whatever that is', () => {
  const text = anyText({ maxLength: 300 })
  const message = fc.oneof(
    text,
    fc.string({ maxLength: 300 }),
    fc.stringMatching(/^[\w {}%$^()[\]"'\\/.:-]{0,260}$/),
  )
  const error = fc.option(fc.record({ name: text, message: text }), { nil: undefined })
  fc.assert(
    fc.property(message, text, error, (logged, facility, failure) => {
      const event = eventAt(0, logged, { facility, ...(failure !== undefined && { error: failure }) })
      expect(categories(event)).toEqual([UNNAMED])
    }),
    { numRuns: 500 },
  )
})
