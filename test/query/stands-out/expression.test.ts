import fc from 'fast-check'
import { parseFilter } from '../../../src/query/filter'
import {
  allOf,
  facilityTerm,
  fieldTerm,
  hasTerm,
  messageTerm,
  sinceTerm,
  untilTerm,
} from '../../../src/query/stands-out/expression'
import { recordingOf } from './recordings'

const eventOf = (said: Parameters<typeof recordingOf>[1]) => {
  const event = recordingOf([], said).header?.trigger.event
  if (event === undefined) throw new Error('there is no trigger')
  return event
}

test('whatever a facility, a message and a value are, the filter finds them', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(text, text, text, (facility, message, value) => {
      const event = eventOf({ trigger: { facility, message, fields: { route: value } } })
      const filter = allOf(facilityTerm(facility), messageTerm(message, true), fieldTerm('route', '=', value))
      expect(parseFilter(filter).matches(event)).toBe(true)
    }),
  )
})

test('fields whose names mean something else are told apart', () => {
  const event = eventOf({ trigger: { fields: { message: 'x', 'two words': 1, trace: { id: 7 } } } })
  for (const term of [
    fieldTerm('message', '=', 'x'),
    fieldTerm('two words', '>=', 1),
    fieldTerm('trace.id', '=', 7),
    hasTerm('trace.id'),
  ])
    expect([term, parseFilter(term).matches(event)]).toEqual([term, true])
})

test('times are rounded away from the evidence', () => {
  expect(allOf(sinceTerm(1_500_001), untilTerm(400_999))).toBe('after:-1501ms before:-400ms')
})

test('a message that varies is found by its longest constant part', () => {
  expect(messageTerm('lease … not returned by …', false)).toBe('message:"not returned by"')
  expect(messageTerm('…', false)).toBe('')
})
